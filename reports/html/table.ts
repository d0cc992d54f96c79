// Tables that keep to the page: wide ones scroll in a region of their own, which the keyboard reaches, too.
import { type Markup, markup, type Part } from './markup.ts';

/** A column: its heading, and whether it holds figures, which stand at the right. */
export interface Column {
  head: string;
  align?: 'right' | 'wide';
}

/** A row; the first cell is its heading. */
export interface Row {
  cells: readonly Part[];
  /** How the row is marked, beside the words that say it. */
  tone?: Tone;
}

/** What a colour stands for. There is always a word beside it. */
export type Tone = 'good' | 'bad' | 'warn' | 'quiet';

/** A table with a caption. */
export function table(caption: string, columns: readonly Column[], rows: readonly Row[]): Markup {
  const className = ({ align }: Column): Part => (align ? markup` class="${align}"` : '');
  const cell = (content: Part, index: number): Markup => {
    const name = className(columns[index] ?? { head: '' });
    return index === 0 ? markup`<th scope="row"${name}>${content}</th>` : markup`<td${name}>${content}</td>`;
  };
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => markup`<th scope="col"${className(column)}>${column.head}</th>`)}</tr></thead>
<tbody>
${rows.map(({ cells, tone }) => markup`<tr${tone && markup` class="${tone}"`}>${cells.map(cell)}</tr>\n`)}</tbody>
</table></div>
`;
}

/** At most so many rows, and a line on how many more there are. */
export function longTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly Row[],
  most: number,
): Markup {
  const more = rows.length - most;
  return markup`${table(caption, columns, rows.slice(0, most))}${more > 0 && markup`<p class="note">${more} more are in the JSON.</p>\n`}`;
}

/** A list of terms and what is said of them. */
export function facts(rows: readonly (readonly [term: Part, said: Part])[]): Markup {
  return markup`<dl class="facts">
${rows.map(([term, said]) => markup`<div><dt>${term}</dt><dd>${said}</dd></div>\n`)}</dl>
`;
}
