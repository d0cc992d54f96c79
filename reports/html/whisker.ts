// A change drawn to scale: a point for the change, a line for its interval, nothing in the middle.
import type { ComparisonRow, Direction } from '../../lib/compare/comparison.ts';
import { type Markup, markup } from './markup.ts';

/** Half of the width that the largest change takes; beyond ±100 % it is cut. */
export function whiskerScale(rows: readonly ComparisonRow[]): number {
  const sizes = rows.flatMap(({ change, interval }) => [
    change ?? 0,
    interval?.low ?? 0,
    interval?.high ?? 0,
  ]);
  return Math.min(1, Math.max(0.05, ...sizes.map(Math.abs)));
}

/** The drawing of one row; nothing where there is no change to draw. The table says the same in figures. */
export function whisker(
  { change, interval }: ComparisonRow,
  mark: Direction,
  scale: number,
): Markup | undefined {
  if (change === null) return undefined;
  const place = (value: number): string => (50 + 46 * Math.max(-1, Math.min(1, value / scale))).toFixed(1);
  const tone = { better: 'good', worse: 'bad', same: 'quiet', 'n/a': 'quiet' }[mark];
  const span =
    interval &&
    markup`<line class="span" x1="${place(interval.low ?? Number.POSITIVE_INFINITY)}" y1="7" x2="${place(interval.high ?? Number.POSITIVE_INFINITY)}" y2="7"/>`;
  return markup`<svg class="whisker" viewBox="0 0 100 14" aria-hidden="true"><line class="zero" x1="50" y1="0" x2="50" y2="14"/>${span}<circle class="${tone}" cx="${place(change)}" cy="7" r="3.4"/></svg>`;
}
