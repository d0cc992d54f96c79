// From finished checks to the QuickResult.
import { createHash } from 'node:crypto';
import { hostRecord } from '../result/host.ts';
import { redactOptions, redactText, redactUrl } from '../result/redact.ts';
import {
  type CheckRecord,
  type QuickResult,
  type Reason,
  schemaVersion,
  type Warning,
} from '../result/result.ts';
import type { Check, Finding } from './check.ts';
import type { QuickPlan } from './plan.ts';

/** The record of one check: one line each, secrets masked. */
export function recordOf(check: Check, finding: Finding, durationMs: number, plan: QuickPlan): CheckRecord {
  const record = { id: check.id, title: check.title, durationMs: Math.round(durationMs * 10) / 10 };
  if (finding.status !== 'failed') {
    return { ...record, status: finding.status, detail: oneLine(finding.detail) };
  }
  const expected = oneLine(finding.expected);
  const got = oneLine(finding.got);
  return {
    ...record,
    status: 'failed',
    detail: `expected ${expected}; got ${got}`,
    expected,
    got,
    reproduce: oneLine(`${plan.reproduceBase} --only ${check.id}`),
  };
}

function oneLine(text: string): string {
  const line = redactText(text.replace(/\s+/g, ' ').trim());
  return line.length <= 400 ? line : `${line.slice(0, 399)}…`;
}

/** How a run ended, beside its checks. */
export interface RunEnd {
  startedAt: Date;
  durationMs: number;
  /** True when the run was stopped before its last check. */
  aborted: boolean;
  /** Reason of the abort signal. */
  abortReason?: unknown;
  /** Why the target could not be reached at all. */
  unreachable: string | null;
}

/** Composes the result of a run. */
export function quickResult(plan: QuickPlan, checks: CheckRecord[], end: RunEnd): QuickResult {
  const reasons = reasonsOf(checks, end);
  const options = redactOptions(optionsOf(plan)) as Record<string, unknown>;
  const hash = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16);
  return {
    schemaVersion,
    kind: 'quick',
    run: {
      id: `${end.startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}Z-quick`,
      wsbench: plan.version,
      startedAt: end.startedAt.toISOString(),
      durationMs: Math.round(end.durationMs),
      seed: plan.seed,
      complete: !end.aborted,
      reproduce: oneLine([plan.reproduceBase, ...plan.only.map(onlyFlag)].join(' ')),
    },
    plan: { hash, name: plan.name, options },
    target: {
      url: redactUrl(plan.url),
      embedded: plan.embedded,
      description: plan.target?.name ?? 'any',
    },
    host: hostRecord(),
    outcome: end.aborted ? 'interrupted' : reasons.length > 0 ? 'failed' : 'passed',
    reasons,
    warnings: warningsOf(checks),
    checks,
  };
}

/** A run without a verdict has passed nothing, and must not look as if it had. */
function warningsOf(checks: readonly CheckRecord[]): Warning[] {
  if (checks.length === 0 || checks.some(({ status }) => status !== 'skipped')) return [];
  const what = checks.length === 1 ? 'the only check was' : `all ${checks.length} checks were`;
  return [{ code: 'nothing-checked', message: `nothing was checked: ${what} skipped` }];
}

function reasonsOf(checks: readonly CheckRecord[], end: RunEnd): Reason[] {
  const reasons: Reason[] = [];
  if (end.aborted) reasons.push(abortReason(end.abortReason));
  if (end.unreachable !== null) {
    return [...reasons, { code: 'unreachable', message: oneLine(end.unreachable) }];
  }
  const failures = checks.filter(({ status }) => status === 'failed');
  return [
    ...reasons,
    ...failures.map(({ id, detail }): Reason => ({ code: 'check', message: `${id}: ${detail}` })),
  ];
}

function abortReason(reason: unknown): Reason {
  const text = reason instanceof Error ? reason.message : String(reason);
  if (text.includes('SIGINT')) return { code: 'sigint', message: 'interrupted by SIGINT' };
  if (text.includes('SIGTERM')) return { code: 'sigterm', message: 'interrupted by SIGTERM' };
  return { code: 'aborted', message: 'stopped by the caller' };
}

function optionsOf(plan: QuickPlan): Record<string, unknown> {
  return {
    url: plan.url,
    target: plan.target?.name ?? null,
    checks: plan.checks,
    only: plan.only,
    timeoutMs: plan.timeoutMs,
    connections: plan.connections,
    token: plan.token === undefined ? null : '[redacted]',
    tokenIn: plan.tokenPlace.in,
    mint: plan.mint !== undefined,
    headers: Object.keys(plan.headers),
    subprotocols: plan.subprotocols,
    insecure: plan.insecure,
    intrusive: plan.intrusive,
  };
}

/** A pattern may hold a `*`, which a shell would expand. */
function onlyFlag(pattern: string): string {
  return /^[\w-]+$/.test(pattern) ? `--only ${pattern}` : `--only '${pattern}'`;
}
