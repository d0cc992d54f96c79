// From the servers' records to the ConformResult.
import { createHash } from 'node:crypto';
import { hostRecord } from '../result/host.ts';
import { redactOptions, redactSubprotocols, redactUrl } from '../result/redact.ts';
import {
  type ConformResult,
  type Reason,
  schemaVersion,
  type VerdictRecord,
  type Warning,
} from '../result/result.ts';
import type { AgentEnd } from './agent-run.ts';
import type { ConformPlan } from './plan.ts';
import { fails } from './verdict.ts';

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
  const reasons = [
    ...(wasInterrupted ? [abortReason(end.abortReason)] : []),
    ...agents.flatMap((agent) => reasonsOf(plan, agent)),
  ];
  const options = redactOptions(optionsOf(plan)) as Record<string, unknown>;
  return {
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
}

function reasonsOf(plan: ConformPlan, { record, unreachable, wasInterrupted }: AgentEnd): Reason[] {
  const { name, url, verdicts, notRun } = record;
  if (unreachable !== null) return [{ code: 'unreachable', message: `${url}: ${unreachable}` }];
  const prefix = plan.agents.length > 1 ? `${name}: ` : '';
  const failed = verdicts.filter((verdict) => isFailure(plan, verdict));
  return [
    ...failed.map((verdict): Reason => ({ code: 'verdict', message: `${prefix}${reasonText(verdict)}` })),
    ...(notRun && !wasInterrupted
      ? [
          {
            code: 'verdict',
            message: `${prefix}${notRun.caseIds.length} cases were not run: ${notRun.reason}`,
          } as const,
        ]
      : []),
  ];
}

/** With verdicts that were expected, only what is worse than those fails. */
function isFailure(plan: ConformPlan, verdict: VerdictRecord): boolean {
  return plan.against ? verdict.against === 'worse' : fails(verdict, plan.failOn);
}

function reasonText({ caseId, behavior, behaviorClose, got, against }: VerdictRecord): string {
  const verdict = behavior === behaviorClose ? behavior : `${behavior}, close ${behaviorClose}`;
  return `${caseId}: ${verdict}${against === 'worse' ? ' (worse than expected)' : ''}${got === undefined ? '' : `: ${got}`}`;
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
    expect: plan.against !== undefined,
    ...plan.options,
  };
}
