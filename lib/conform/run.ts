// Runs cases against servers: an async generator of events that returns the result.
import { performance } from 'node:perf_hooks';
import { WsbenchError } from '../errors.ts';
import type { RunEvent } from '../result/events.ts';
import type { ConformResult } from '../result/result.ts';
import { type AgentEnd, runAgent } from './agent-run.ts';
import type { Case } from './case.ts';
import { allCases } from './cases.ts';
import type { AgentPlan, ConformPlan } from './plan.ts';
import { conformResult } from './result.ts';

/**
 * Runs the plan's cases against one server after another.
 *
 * A server that cannot be reached, or stops answering, ends its own part of the run: its verdicts so far count, and its other
 * cases are named as not run. The signal ends all.
 *
 * @throws WsbenchError `USAGE` for ids that name no case, and URLs and certificates that cannot be used
 */
export async function* runConform(
  plan: ConformPlan,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, ConformResult, void> {
  const asked = new Set(plan.caseIds);
  const cases = allCases.filter(({ id }) => asked.delete(id));
  const [unknown] = asked;
  if (unknown !== undefined) throw new WsbenchError('USAGE', `there is no case ${unknown}`);
  if (cases.length === 0) throw new WsbenchError('USAGE', 'no case is selected');
  const startedAt = new Date();
  const startedMs = performance.now();
  const casesOf = ({ caseIds }: AgentPlan): Case[] =>
    caseIds ? cases.filter(({ id }) => caseIds.includes(id)) : cases;
  const total = plan.agents.reduce((sum, agent) => sum + casesOf(agent).length, 0);
  const ends: AgentEnd[] = [];
  let done = 0;
  // A consumer that stops early ends the cases that are under way.
  const abandoned = new AbortController();
  const either = AbortSignal.any([signal, abandoned.signal]);
  try {
    for (const agent of plan.agents) {
      const waiting: RunEvent[] = [];
      let wake = (): void => {};
      const running = runAgent(
        plan,
        agent,
        casesOf(agent),
        (verdict) => {
          waiting.push({ type: 'verdict', agent: agent.name, verdict, done: ++done, total });
          wake();
        },
        either,
      );
      let isOver = false;
      const over = running.finally(() => {
        isOver = true;
        wake();
      });
      // It is awaited below, after what it said.
      over.catch(() => {});
      while (!isOver || waiting.length > 0) {
        const event = waiting.shift();
        if (event) yield event;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (isOver || waiting.length > 0) resolve();
          });
        }
      }
      ends.push(await over);
    }
  } finally {
    abandoned.abort(new Error('nobody listens any more'));
  }
  return conformResult(plan, ends, {
    startedAt,
    durationMs: performance.now() - startedMs,
    abortReason: signal.reason,
  });
}
