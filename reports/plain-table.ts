// A table for a terminal: no frame, one rule under its head.
import Table from 'cli-table3';

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

/**
 * Lines of a table; the first row is its head. Cells may have line breaks.
 *
 * @param aligns how each column is set
 * @param gap spaces between columns
 */
export function plainTable(
  rows: readonly (readonly string[])[],
  aligns: ('left' | 'right')[],
  unicode: boolean,
  gap = 2,
): string[] {
  const line = unicode ? '─' : '-';
  const table = new Table({
    chars: { ...noFrame, mid: line, 'mid-mid': line },
    // No colours of its own.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
    colAligns: aligns,
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .filter((text, index) => index < 2 || !text.startsWith(`  ${line}${line}`))
    .map((text, index) => (index === 1 ? text.slice(0, -gap) : text.trimEnd()));
}
