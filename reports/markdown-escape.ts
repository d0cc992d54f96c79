// Text from outside made fit for GitHub-flavoured Markdown: it can break no table, start no markup, mention nobody.
import { plain } from './plain.ts';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  // Never a bare pipe: whether `\\|` ends a table cell depends on the parser.
  '|': '&#124;',
};

function escapeInline(text: string): string {
  return text
    .replace(/[\\`*_{}[\]~#!$]/g, '\\$&')
    .replace(/[&<>|]/g, (character) => entities[character] ?? character);
}

// GitHub links these on its own, also where Markdown would not: addresses, mentions, issue numbers.
const linkable = /@|:\/\/|www\.|#\d|^GH-\d/i;

/**
 * Outside text as inline Markdown on one line. Words that GitHub would turn into links or mentions become code.
 *
 * @param max most characters that are kept before escaping
 */
export function markdownText(text: string, max = 300): string {
  const words = plain(text, max)
    .split(' ')
    .map((word) => (linkable.test(word) ? markdownCode(word) : escapeInline(word)));
  return escapeStart(words.join(' ').trim());
}

// What means a list, a heading or a rule at the start of a line.
function escapeStart(text: string): string {
  return text.replace(/^([-+])(?=\s|$)|^([-=])(?=[-=]*$)/, '\\$&').replace(/^(\d+)([.)])(?=\s|$)/, '$1\\$2');
}

/** Outside text as a code span that is the same inside and outside tables. */
export function markdownCode(text: string, max = 300): string {
  const safe = plain(text, max).trim();
  if (safe === '') return '';
  // A code span can hold neither a pipe in a table nor a backslash before one, and not every renderer leaves tags in it
  // alone; entities in an element can hold all of that.
  if (!/[`|\\]|<[/!?a-z]/i.test(safe)) return `\`${safe}\``;
  const inner = safe.replace(/[^\p{L}\p{N} ]/gu, (character) => `&#${character.codePointAt(0)};`);
  return `<code>${inner}</code>`;
}

/** A table: head, alignments (`l`, `r`, `c`), rows. Cells are Markdown already; a line break in one would end the row. */
export function markdownTable(
  head: readonly string[],
  aligns: string,
  rows: readonly (readonly string[])[],
): string[] {
  const rules: Record<string, string> = { l: ':---', r: '---:', c: ':---:' };
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line([...aligns].map((align) => rules[align] ?? '---')), ...rows.map(line)];
}
