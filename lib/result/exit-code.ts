// Which exit code a run ends with: the only place that knows.
import type { ErrorCode } from '../errors.ts';
import type { Reason, ReasonCode, Result } from './result.ts';

const byReason: Record<ReasonCode, number> = {
  bug: 70,
  'target-description': 2,
  'generator-limited': 4,
  'generator-resources': 4,
  'lost-worker': 4,
  sigint: 130,
  sigterm: 143,
  aborted: 130,
  killed: 130,
  unreachable: 3,
  threshold: 99,
  check: 1,
  verdict: 1,
};

const byError: Record<ErrorCode, number> = {
  USAGE: 2,
  CONFIG: 2,
  SERVER_START: 2,
  // Before anything was sent: there is no run that could be inconclusive.
  RESOURCES: 2,
  REPORT_WRITE: 6,
  INTERNAL: 70,
};

const precedence = [70, 2, 4, 6, 130, 143, 3, 99, 1, 0];

/** The exit code for one kind of exception. */
export function exitCodeOfError(code: ErrorCode): number {
  return byError[code];
}

/** Of several exit codes, the one that the process ends with: 70 > 2 > 4 > 6 > 130/143 > 3 > 99 > 1 > 0. */
export function strongest(codes: readonly number[]): number {
  return precedence.find((code) => codes.includes(code)) ?? 70;
}

/** The exit code of a result; 0 when it passed. */
export function exitCode(result: Pick<Result, 'reasons'>): number {
  return strongest([0, ...result.reasons.map((reason) => byReason[reason.code])]);
}

/** Of reasons with one exit code, these may come of the others: a generator that ran out of files or lost a worker also falls behind. */
const symptoms: ReadonlySet<ReasonCode> = new Set(['generator-limited']);

/** The reason that decided the exit code; of several that did, a cause before what came of it. */
export function decidingReason(result: Pick<Result, 'reasons'>): Reason | undefined {
  const code = exitCode(result);
  const deciding = result.reasons.filter((reason) => byReason[reason.code] === code);
  return deciding.find((reason) => !symptoms.has(reason.code)) ?? deciding[0];
}
