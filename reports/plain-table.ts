// A table for a terminal: no frame, one rule under its head.
import Table from 'cli-table3';
import { displayWidth, isNarrow } from './width.ts';

const noFrame = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '  ',
  'left-mid': '  ',
  right: '',
  'right-mid': '',
  middle: '',
};

// The package takes marks, Thai, Hebrew and newer emoji for wider or narrower than terminals show them. It lays out as many of
// this character instead, which is in no text that gets here, and the text is put in afterwards.
const standIn = '\ue000';
const standIns = /\ue000+/g;

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
  const line = unicode ? '─' : '-';
  const table = new Table({
    chars: { ...noFrame, mid: line, 'mid-mid': '' },
    // No colours of its own.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
    colAligns: [...aligns],
  });
  const replaced: string[] = [];
  table.push(
    ...rows.map((row) =>
      row.map((cell) => {
        const width = displayWidth(cell);
        if (isNarrow(cell) || width === 0) return cell;
        replaced.push(cell);
        return standIn.repeat(width);
      }),
    ),
  );
  return table
    .toString()
    .split('\n')
    .filter((text, index) => index < 2 || !text.startsWith(`  ${line}${line}`))
    .map((text, index) => (index === 1 ? text.slice(0, -gap) : text.trimEnd()))
    .map((text) => text.replace(standIns, () => replaced.shift() ?? ''));
}
