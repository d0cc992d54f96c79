// The figures of a comparison in words, shared by text and markdown.
import type { Comparison, ComparisonRow } from '../lib/compare/compare.ts';
import { figure, lostText, withUnit } from './figures.ts';

/** A figure before or after: with its unit, `> 5 s (lost)`, or `n/a`. */
export function sideText(row: ComparisonRow, side: 'before' | 'after', comparison: Comparison): string {
  const value = row[side];
  if (value !== null) return withUnit(value, row.unit);
  const reason = side === 'before' ? row.beforeReason : row.afterReason;
  if (reason !== 'lost') return 'n/a';
  return row.metric.endsWith('.mean') ? 'lost' : lostText(comparison.timeoutMs[side]);
}

/** `-38.7 %`, `+16.0 %`, `0 %`; `n/a` when there is nothing to divide by. */
export function changeText(row: ComparisonRow, unicode: boolean): string {
  if (row.change === null) return 'n/a';
  if (row.change === 0) return '0 %';
  const value = Math.abs(row.change * 100);
  const shown = value < 0.1 ? '< 0.1' : value < 1000 ? value.toFixed(1) : figure(value);
  return `${row.change > 0 ? '+' : unicode ? '−' : '-'}${shown} %`;
}
