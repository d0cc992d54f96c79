// Markdown as a renderer of GitHub's dialect shows it: tables whole, headings where they belong, no tag but ours.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lexer, parse, type Tokens } from 'marked';
import type { Result } from '../../lib/result/result.ts';
import { fileReport, markdown, summaryMarkdown } from '../../reports/index.ts';
import { everyResult } from '../fixtures/every-result.ts';

const every = everyResult();
const documents: [name: string, results: readonly Result[]][] = [
  ...Object.entries(every).map(([name, result]): [string, Result[]] => [name, [result]]),
  ['all of them', Object.values(every)],
];

/** Cells of a row of a table's source; the borders of a cell are bare pipes. */
const cellsOf = (line: string): number => line.trim().slice(1, -1).split('|').length;

/** What a renderer makes of our Markdown; everything else would be from outside. */
const known =
  /^(h[123]|p|table|thead|tbody|tr|t[hd]|strong|code|ul|li|blockquote|details|summary|br|em|del)$/;

for (const [name, results] of documents) {
  test(`GitHub's Markdown: ${name} keeps its tables and lets no tag through`, () => {
    for (const text of [markdown(results, fileReport), summaryMarkdown(6000)(results, fileReport)]) {
      const tables = lexer(text, { gfm: true }).filter(
        (token): token is Tokens.Table => token.type === 'table',
      );
      const lines = text.split('\n').filter((line) => line.startsWith('|'));
      const rows = tables.reduce((sum, table) => sum + table.rows.length + 2, 0);
      assert.equal(rows, lines.length, 'every line with a border is a row of a table');
      for (const { raw, header } of tables) {
        for (const line of raw.trim().split('\n')) assert.equal(cellsOf(line), header.length, line);
      }
      const page = parse(text, { gfm: true, async: false });
      const tags = [...page.matchAll(/<\/?([a-z][a-z0-9]*)([^>]*)>/gi)];
      for (const [tag, element = '', attributes = ''] of tags) {
        assert.match(element, known, tag);
        assert.match(attributes, /^( align="(left|right|center)")?$/, tag);
      }
      const names = tags.map(([tag]) => tag);
      for (const element of ['details', 'table', 'code', 'td', 'li', 'blockquote']) {
        const opened = names.filter((tag) => tag.startsWith(`<${element}`)).length;
        assert.equal(names.filter((tag) => tag === `</${element}>`).length, opened, element);
      }
    }
  });
}

test("GitHub's Markdown: what a cell says is what the result says", () => {
  const page = parse(markdown([every.quickHostile as Result], fileReport), { gfm: true, async: false });
  // Entities are one way to write it; a reader sees this.
  const seen = page
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  assert.ok(
    seen
      .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
      .includes('a|b\\n| x | y |'),
  );
});
