// Tables as RFC 4180 has them, with cells that no spreadsheet takes for a formula.
import { plain } from './plain.ts';

/** A cell: a number as it is, a text from anywhere, or nothing. */
export type CsvCell = number | string | null | undefined;

const mostCharacters = 1000;

/** A head and rows; lines end in CR LF. */
export function csvTable(head: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [head, ...rows].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('');
}

// What spreadsheets begin a formula with, in half and full width. Not only at the start: where lists are separated
// by semicolons, a spreadsheet that is not told better ends a cell at one, quoted or not.
const formula = /(^|[,;|])([\s"']*)(?=[=+\-@＝＋－＠])/g;

/** Text as a cell that is shown as it is: an apostrophe stands before what would be a formula. */
function cell(value: CsvCell): string {
  if (value === null || value === undefined) return '';
  // Ours, and never a formula: -1 is a number.
  if (typeof value === 'number') return String(value);
  const inert = plain(value, mostCharacters).replace(formula, "$1$2'");
  return /^$|[",;|]|^\s|\s$/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
