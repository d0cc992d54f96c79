// Whether figures changed by more than they may.
import type { Result } from '../result/result.ts';
import { figureOf, unitOf } from '../result/thresholds.ts';
import type { ComparisonRow, JudgedLimit } from './comparison.ts';
import type { ChangeLimit } from './limits.ts';
import { compareFigures } from './rows.ts';

const holds: Record<ChangeLimit['op'], (change: number, limit: number) => boolean> = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
};

/**
 * Judges limits. A lost figure is beyond every number, so lost after and not before is more than any growth; from nothing
 * (0) every growth is beyond any percentage. A figure that one side does not have cannot be judged, and counts as crossed: a gate
 * must not open because what it watches is gone.
 *
 * @param rows of the comparison; figures of a load that are not among them are looked up in the results
 */
export function judgeLimits(
  limits: readonly ChangeLimit[],
  rows: readonly ComparisonRow[],
  before: Result,
  after: Result,
): JudgedLimit[] {
  return limits.map((limit) => {
    const row = rows.find(({ metric }) => metric === limit.metric) ?? figureRow(limit, before, after);
    const change = row && changeOf(row, limit.isRelative);
    const isJudged = change !== undefined && !Number.isNaN(change);
    return {
      expression: limit.expression,
      row: row ?? missingRow(limit.metric),
      crossed: !isJudged || holds[limit.op](change, limit.change),
      isJudged,
    };
  });
}

function changeOf(row: ComparisonRow, isRelative: boolean): number {
  const rank = (value: number | null, reason: ComparisonRow['beforeReason']): number =>
    value ?? (reason === 'lost' ? Number.POSITIVE_INFINITY : Number.NaN);
  const [from, to] = [rank(row.before, row.beforeReason), rank(row.after, row.afterReason)];
  if (from === to) return 0;
  if (from === Number.POSITIVE_INFINITY) return isRelative ? -1 : Number.NEGATIVE_INFINITY;
  return isRelative ? (to - from) / Math.abs(from) : to - from;
}

function figureRow(
  { metric, figure }: ChangeLimit,
  before: Result,
  after: Result,
): ComparisonRow | undefined {
  if (figure === null || before.kind !== 'stress' || after.kind !== 'stress') return undefined;
  const unit = unitOf(figure.metric, figure.stat);
  const head = { metric, title: metric, unit, better: 'lower' as const };
  return compareFigures(head, figureOf(figure, before), figureOf(figure, after));
}

function missingRow(metric: string): ComparisonRow {
  const none = { value: null, reason: 'no samples' as const };
  return compareFigures({ metric, title: metric, unit: '', better: 'lower' }, none, none);
}
