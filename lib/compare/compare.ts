// compareResults: two runs side by side. Pure; it says which way figures moved, not that they moved for a reason.
import { WsbenchError } from '../errors.ts';
import type { Result } from '../result/result.ts';
import { comparabilityWarnings } from './comparability.ts';
import type { CheckChange, ComparedRun, Comparison } from './comparison.ts';
import { withIntervals } from './intervals.ts';
import { judgeLimits } from './judge-limits.ts';
import { parseChangeLimit } from './limits.ts';
import { quickRows, stressRows } from './rows.ts';
import { conformRows, verdictChanges, verdictRegressions } from './verdicts.ts';

export type {
  CheckChange,
  Comparison,
  ComparisonRow,
  Direction,
  JudgedLimit,
  VerdictChange,
} from './comparison.ts';

/** What is asked of a comparison besides its figures. */
export interface CompareOptions {
  /** Changes that fail it, such as `rtt.p99>+10%`: see `docs/reports.md`. */
  failOn?: readonly string[];
}

const note =
  'One run on each side: the table shows what differed, not whether the difference is significant; repeat both before believing it.';

const conformNote =
  'A verdict that got worse is a regression; cases in which OK and NON-STRICT are a race are none.';

const intervalNote =
  'One run on each side: an interval (95 %, moving-block bootstrap over the seconds of each run) shows how a figure scatters within these two runs, not from run to run, so "likely" is the most that it can say; repeat both before believing it.';

const inconclusiveNote =
  'A run that is inconclusive says more about its generator than about its target: nothing is likely.';

/**
 * Compares two results of one kind.
 *
 * @throws WsbenchError `USAGE` when they are of different kinds, or a limit is not understood
 */
export function compareResults(before: Result, after: Result, options: CompareOptions = {}): Comparison {
  const comparison = sideBySide(before, after);
  const limits = (options.failOn ?? []).map((text) => parseChangeLimit(text, after.kind));
  if (limits.length === 0) return comparison;
  return { ...comparison, limits: judgeLimits(limits, comparison.rows, before, after) };
}

function sideBySide(before: Result, after: Result): Comparison {
  const base = {
    before: ref(before),
    after: ref(after),
    warnings: comparabilityWarnings(before, after),
    timeoutMs: { before: timeoutOf(before), after: timeoutOf(after) },
    note: before.kind === 'conform' ? conformNote : note,
  };
  if (before.kind === 'quick' && after.kind === 'quick') {
    const checks = checkChanges(before.checks, after.checks);
    const regressions = checks
      .filter((change) => change.before === 'passed' && change.after === 'failed')
      .map((change) => `${change.id}: passed before, fails now`);
    return { kind: 'quick', ...base, rows: quickRows(before, after), checks, verdicts: [], regressions };
  }
  if (before.kind === 'stress' && after.kind === 'stress') {
    const { rows, missing } = withIntervals(stressRows(before, after), before, after);
    const has = rows.some(({ interval }) => interval !== undefined);
    const isInconclusive = [before, after].some(({ outcome }) => outcome === 'inconclusive');
    const notes = [has ? intervalNote : note, missing, has && isInconclusive ? inconclusiveNote : undefined];
    return {
      kind: 'stress',
      ...base,
      rows,
      checks: [],
      verdicts: [],
      regressions: [],
      note: notes.filter((one) => one !== undefined).join(' '),
    };
  }
  if (before.kind === 'conform' && after.kind === 'conform') {
    const verdicts = verdictChanges(before, after);
    const regressions = verdictRegressions(verdicts);
    return { kind: 'conform', ...base, rows: conformRows(before, after), checks: [], verdicts, regressions };
  }
  throw new WsbenchError(
    'USAGE',
    `cannot compare a ${before.kind} run with a ${after.kind} run; give two of one kind`,
  );
}

function ref(result: Result): ComparedRun {
  return {
    id: result.run.id,
    startedAt: result.run.startedAt,
    url: result.target.url,
    outcome: result.outcome,
  };
}

function timeoutOf(result: Result): number | null {
  const value = result.plan.options.timeoutMs;
  return typeof value === 'number' ? value : null;
}

type Checks = Extract<Result, { kind: 'quick' }>['checks'];

/** Checks whose status is not the same on both sides, in the order of the newer run. */
function checkChanges(before: Checks, after: Checks): CheckChange[] {
  const was = new Map(before.map((check) => [check.id, check]));
  const is = new Set(after.map((check) => check.id));
  return [
    ...after.map((check): CheckChange => {
      const { id, title, status } = check;
      return { id, title, before: was.get(id)?.status ?? null, after: status };
    }),
    ...before
      .filter((check) => !is.has(check.id))
      .map(({ id, title, status }): CheckChange => ({ id, title, before: status, after: null })),
  ].filter((change) => change.before !== change.after);
}
