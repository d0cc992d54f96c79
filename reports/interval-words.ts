// The interval of a change in words, and what a row of a comparison amounts to with and without one.
import type { Comparison, ComparisonRow, Direction } from '../lib/compare/comparison.ts';
import { figure } from './figures.ts';

/** The sign of a change, which 0 has, too. */
export function signOf(change: number, unicode: boolean): string {
  return change >= 0 ? '+' : unicode ? '−' : '-';
}

/** Percent as digits: `0.4`, `38.7`, `2,284`. */
export function percentDigits(value: number): string {
  return value < 1000 ? value.toFixed(1) : figure(value);
}

/** `−42.0 … −33.1 %`; `+20.0 % or more` when there is no upper end; '' without an interval. */
export function intervalText({ interval }: ComparisonRow, unicode: boolean): string {
  if (!interval) return '';
  const end = (change: number): string => {
    const digits = percentDigits(Math.abs(change * 100));
    return Number(digits) === 0 ? digits : `${signOf(change, unicode)}${digits}`;
  };
  const { low, high } = interval;
  if (low === null) return 'lost';
  if (high === null) return `${end(low)} % or more`;
  return `${end(low)} ${unicode ? '…' : '..'} ${end(high)} %`;
}

/**
 * What can be said of a row: of its interval, where it has one, else which way it moved.
 *
 * @param has other rows have intervals: beside "likely worse" a bare "worse" would seem to be more than that, and it is less. Of
 *   counts and shares it is a fact.
 */
export function rowVerdict(row: ComparisonRow, has: boolean): string {
  if (row.interval) return row.interval.verdict;
  return isUnjudged(row, has) ? 'not judged' : row.direction;
}

const isUnjudged = ({ unit, direction }: ComparisonRow, has: boolean): boolean =>
  has && unit === 'ms' && (direction === 'better' || direction === 'worse');

/** Which way the words of {@link rowVerdict} point. */
export function rowMark(row: ComparisonRow, has: boolean): Direction {
  if (!row.interval) return isUnjudged(row, has) ? 'same' : row.direction;
  const { verdict } = row.interval;
  return verdict === 'no evidence' ? 'same' : verdict === 'likely better' ? 'better' : 'worse';
}

/** Whether any row has an interval. */
export function hasIntervals({ rows }: Comparison): boolean {
  return rows.some(({ interval }) => interval !== undefined);
}
