// A table in the widest form that a terminal has room for. A row that breaks over two lines is no table any more.
import { displayWidth, fit } from './width.ts';

/**
 * The first form of a table that fits, in the order given: the whole one first. Where none does, the last one, cut.
 *
 * @param forms what makes each form, from the fullest to the sparest
 * @param width columns of the terminal
 */
export function fittingTable(
  forms: readonly (() => string[])[],
  { width, unicode }: { width: number; unicode: boolean },
): string[] {
  let lines: string[] = [];
  for (const form of forms) {
    lines = form();
    if (lines.every((line) => displayWidth(line) <= width)) return lines;
  }
  return lines.map((line) => fit(line, width, unicode));
}
