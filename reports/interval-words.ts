// The interval of a change in words.
import type { ComparisonRow } from '../lib/compare/comparison.ts';

/** `−42.0 … −33.1 %`; a dash where there is none. */
export function intervalText({ interval }: Pick<ComparisonRow, 'interval'>, unicode: boolean): string {
  if (!interval) return unicode ? '–' : '-';
  const minus = unicode ? '−' : '-';
  const side = (value: number): string => {
    const shown = Math.abs(value * 100).toFixed(1);
    return `${Number(shown) === 0 ? '' : value < 0 ? minus : '+'}${shown}`;
  };
  return `${side(interval.low)} ${unicode ? '…' : '..'} ${side(interval.high)} %`;
}
