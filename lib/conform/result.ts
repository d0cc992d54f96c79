// From the servers' records to the ConformResult.
import { createHash } from 'node:crypto';
import { hostRecord } from '../result/host.ts';
import { redactOptions, redactSubprotocols, redactUrl } from '../result/redact.ts';
import { type ConformResult, type Reason, schemaVersion, type Warning } from '../result/result.ts';
import type { AgentEnd } from './agent-run.ts';
import { concludeResult } from './conclude.ts';
import type { ConformPlan } from './plan.ts';

/** How a run ended, beside its verdicts. */
export interface ConformEnd {
  startedAt: Date;
  durationMs: number;
  /** Reason of the abort signal. */
  abortReason?: unknown;
}

/** Composes the result of a run. */
export function conformResult(
  plan: ConformPlan,
  agents: readonly AgentEnd[],
  end: ConformEnd,
): ConformResult {
  const wasInterrupted = agents.some((agent) => agent.wasInterrupted);
  const reasons = [...(wasInterrupted ? [abortReason(end.abortReason)] : []), ...agents.flatMap(reasonsOf)];
  const options = redactOptions(optionsOf(plan)) as Record<string, unknown>;
  const result: ConformResult = {
    schemaVersion,
    kind: 'conform',
    run: {
      id: `${end.startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}Z-conform`,
      wsbench: plan.version,
      startedAt: end.startedAt.toISOString(),
      durationMs: Math.round(end.durationMs),
      // Nothing in a run depends on chance but the masking keys.
      seed: 0,
      complete: agents.every(({ record }) => record.notRun === undefined),
      reproduce: plan.reproduceBase,
    },
    plan: {
      hash: createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16),
      name: 'conform',
      options,
    },
    target: {
      url: redactUrl(plan.agents[0]?.connect.url ?? ''),
      embedded: false,
      description: 'any',
    },
    host: hostRecord(),
    outcome: wasInterrupted ? 'interrupted' : reasons.length > 0 ? 'failed' : 'passed',
    reasons,
    warnings: agents.flatMap(warningsOf),
    strictness: plan.strictness,
    failOn: plan.failOn,
    messages: plan.messages,
    agents: agents.map(({ record }) => record),
  };
  return concludeResult(result, { failOn: plan.failOn });
}

/** What is to be said of a server that is no verdict: those are concluded. */
function reasonsOf({ record, unreachable }: AgentEnd): Reason[] {
  return unreachable === null ? [] : [{ code: 'unreachable', message: `${record.url}: ${unreachable}` }];
}

function warningsOf({ record }: AgentEnd): Warning[] {
  const flaky = record.verdicts.filter((verdict) => verdict.flaky);
  if (flaky.length === 0) return [];
  const ids = flaky.map(({ caseId }) => caseId).join(', ');
  return [{ code: 'flaky', message: `${record.name}: verdicts differ from run to run in ${ids}` }];
}

function abortReason(reason: unknown): Reason {
  const text = reason instanceof Error ? reason.message : String(reason);
  if (text.includes('SIGINT')) return { code: 'sigint', message: 'interrupted by SIGINT' };
  if (text.includes('SIGTERM')) return { code: 'sigterm', message: 'interrupted by SIGTERM' };
  return { code: 'aborted', message: 'stopped by the caller' };
}

function optionsOf(plan: ConformPlan): Record<string, unknown> {
  return {
    agents: plan.agents.map(({ name, connect }) => ({
      name,
      url: connect.url,
      headers: connect.headers.map(([header]) => header),
      subprotocols: redactSubprotocols(connect.subprotocols),
      insecure: connect.tls?.insecure ?? false,
      proxy: connect.proxy !== undefined,
    })),
    cases: plan.caseIds,
    strictness: plan.strictness,
    failOn: plan.failOn,
    messages: plan.messages,
    jobs: plan.jobs,
    repeat: plan.repeat,
    ...plan.options,
  };
}
