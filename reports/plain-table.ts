// A table for a terminal: no frame, one rule under its head.
import { displayWidth, padEnd, padStart } from './width.ts';

/** How a column is set. */
export type Align = 'left' | 'right';

/**
 * Lines of a table; the first row is its head. Columns are as wide as the widest of their cells, measured like everything
 * else that is printed.
 *
 * @param aligns how each column is set
 * @param gap spaces between columns
 */
export function plainTable(
  rows: readonly (readonly string[])[],
  aligns: readonly Align[],
  unicode: boolean,
  gap = 2,
): string[] {
  const widths = aligns.map((_, column) =>
    Math.max(0, ...rows.map((row) => displayWidth(row[column] ?? ''))),
  );
  const lines = rows.map((row) => {
    const cells = widths.map((width, column) =>
      (aligns[column] === 'right' ? padStart : padEnd)(row[column] ?? '', width),
    );
    return `  ${cells.join(' '.repeat(gap))}`.trimEnd();
  });
  const columns = widths.reduce((sum, width) => sum + width, 0) + gap * (widths.length - 1);
  const rule = `  ${(unicode ? '─' : '-').repeat(Math.max(0, columns))}`;
  return [...lines.slice(0, 1), rule, ...lines.slice(1)];
}
