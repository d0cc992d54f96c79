// The interval of a change in words, and what a row of a comparison amounts to with and without one.
import type { Comparison, ComparisonRow, Direction } from '../lib/compare/comparison.ts';

/** `−42.0 … −33.1 %`; '' without an interval. */
export function intervalText({ interval }: ComparisonRow, unicode: boolean): string {
  if (!interval) return '';
  const minus = unicode ? '−' : '-';
  const side = (value: number): string => `${value >= 0 ? '+' : minus}${Math.abs(value * 100).toFixed(1)}`;
  return `${side(interval.low)} ${unicode ? '…' : '..'} ${side(interval.high)} %`;
}

/** What can be said of a row: of its interval, where it has one, else which way it moved. */
export function rowVerdict(row: ComparisonRow): string {
  return row.interval?.verdict ?? row.direction;
}

/** Which way the words of {@link rowVerdict} point. */
export function rowMark(row: ComparisonRow): Direction {
  if (!row.interval) return row.direction;
  const { verdict } = row.interval;
  return verdict === 'no evidence' ? 'same' : verdict === 'likely better' ? 'better' : 'worse';
}

/** Whether any row has an interval. */
export function hasIntervals({ rows }: Comparison): boolean {
  return rows.some(({ interval }) => interval !== undefined);
}
