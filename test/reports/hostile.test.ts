// Hostile text in every field of every result: each format of the table stays valid, and nothing in it is obeyed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareResults } from '../../lib/compare/compare.ts';
import type { Result } from '../../lib/result/result.ts';
import { resultSchema } from '../../lib/result/schema.ts';
import {
  annotations,
  autobahnIndex,
  comparisonMarkdown,
  comparisonText,
  fileReport,
  type Reporter,
  reporters,
  summaryMarkdown,
} from '../../reports/index.ts';
import { everyResult } from '../fixtures/every-result.ts';
import { formatChecks, steers } from '../fixtures/format-checks.ts';
import { runnerReads } from '../fixtures/workflow-commands.ts';

type Path = readonly (string | number)[];

/** The places of all texts, but for those of histograms, which are no text. */
function textsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value === 'string') return path.at(-1) === 'hdr' ? [] : [path];
  if (value === null || typeof value !== 'object') return [];
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return inner.flatMap(([key, one]) => textsOf(one, [...path, key]));
}

function set(value: unknown, path: Path, text: string): void {
  let at = value as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path.at(-1) ?? ''] = text;
}

function get(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value);
}

const readable = (value: unknown): boolean => resultSchema.safeParse(value).success;

/** The places where a result may have any text: those that it can still be read with. */
const free = new Map(
  Object.entries(everyResult()).map(([name, result]): [string, Path[]] => {
    const copy = structuredClone(result);
    const paths = textsOf(copy).filter((path) => {
      const before = get(copy, path);
      set(copy, path, 'x');
      const isFree = readable(copy);
      set(copy, path, String(before));
      return isFree;
    });
    return [name, paths];
  }),
);

/** A result with the text in all of these places, and as name and value of an option. */
function filled(result: Result, paths: readonly Path[], text: string): Result {
  const copy = structuredClone(result);
  for (const path of paths) set(copy, path, text);
  const options = Object.entries({ ...copy.plan.options, list: [text] });
  // Objects have names that are whole numbers before all others: then the form is another one.
  const name = /^\d+$/.test(text) ? `${text}.` : text;
  // Not by assignment: `__proto__` is a name like others in what is read from a file.
  copy.plan.options = Object.fromEntries([...options, [name, text]]);
  assert.ok(readable(copy));
  return copy;
}

const long = 'A'.repeat(2 ** 20);
const texts: Record<string, string> = {
  markup: '</script></style></details><script>alert(1)</script><img src=x onerror=alert(1)><!--',
  'ends of everything': ']]>-->*/`}"\'); </td></table></pre>]]&gt;&amp;&#60;&lt',
  attributes: '" onmouseover="alert(1)" x=\'y\' style=a{}',
  table: 'a|b\\|c\\\\|d\n| x | y |\r\n|---|---|',
  markdown:
    '`` ` ``` ~~~\n# head\n- item\n> quote\n[link](javascript:alert(1)) ![i](x) <http://x.y> **b** $m$',
  mentions: '@everyone #1 GH-1 https://evil.example www.evil.example',
  terminal: '\u001b[2J\u001b]0;title\u0007\u009b31m\b\u007f',
  direction: '\u202egnp.exe\u202c \u2066x\u2069 \u200f\u200e\u061c',
  invisible: '\0\u0001\u200b\ufeff\u00ad\u3164\u2028\u2029\u0085',
  surrogates: '\ud800 \udc00 \udfff\ud800 \uffff\ufffe',
  prototype: '__proto__',
  constructor: 'constructor',
  formula: "=cmd|'/c calc'!A1",
  formulas: '+1;-1;@SUM(1),=1\t=2\r=3',
  commands: '::error::x\n::add-mask::x\r\n::stop-commands::y\u2028##[error]z',
  empty: '',
  blanks: ' \t ',
  scripts: '日本語 👩‍👩‍👧 🇫🇷 \u0301\u0301\u0301 ﷽',
  placeholder: '{{ token }} $x $(id) %s %0A \\u0000 &#0;',
};

for (const [format, { report }] of Object.entries(reporters)) {
  const check = formatChecks[format];
  test(`hostile text, ${format}: valid and inert, whatever is in whatever field`, {
    timeout: 120_000,
  }, () => {
    assert.ok(check, `say in test/fixtures/format-checks.ts when ${format} is valid`);
    for (const [name, result] of Object.entries(everyResult())) {
      const paths = free.get(name) ?? [];
      assert.ok(paths.length > 8, name);
      const harmless = report([filled(result, paths, 'harmless')], fileReport);
      for (const [kind, text] of Object.entries(texts)) {
        const shown = report([filled(result, paths, text)], fileReport);
        // What is empty is left out: then the form is another one.
        const benign = text.trim() === '' ? shown : harmless;
        try {
          check(shown, { text, benign, result: filled(result, paths, text) });
        } catch (cause) {
          throw new Error(`${name} with ${kind}: ${String(cause)}`, { cause });
        }
      }
    }
  });

  test(`hostile text, ${format}: anything, anywhere`, { timeout: 120_000 }, () => {
    assert.ok(check);
    const parts = fc.constantFrom(
      ...Object.values(texts).flatMap((text) => [text, ...text.split(/(?<=\W)/)]),
    );
    const nasty = fc.oneof(
      fc.array(parts, { maxLength: 8 }).map((all) => all.join('')),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    // The number of a case says in which section it stands: another number, another form.
    const places = [...free].map(
      ([name, paths]) => [name, paths.filter((path) => path.at(-1) !== 'caseId')] as const,
    );
    const place = fc
      .constantFrom(...places)
      .chain(([name, paths]) =>
        fc.record({ name: fc.constant(name), some: fc.subarray(paths, { minLength: 1 }) }),
      );
    fc.assert(
      fc.property(nasty, place, (text, { name, some }) => {
        const result = everyResult()[name];
        assert.ok(result);
        const shown = report([filled(result, some, text)], fileReport);
        // What is empty, or looks so, is left out: then the form is another one.
        const benign = text.trim() === '' ? shown : report([filled(result, some, 'harmless')], fileReport);
        check(shown, { text, benign, result: filled(result, some, text) });
      }),
      { numRuns: 60 },
    );
  });

  test(`hostile text, ${format}: a megabyte in a field is cut where it is shown`, {
    timeout: 120_000,
  }, () => {
    const check = formatChecks[format];
    for (const [name, result] of Object.entries(everyResult())) {
      if (name.includes('Hostile')) continue;
      const paths = free.get(name) ?? [];
      // Of fields of a list one stands for all.
      const kinds = new Map(
        paths.map((path) => [path.filter((key) => typeof key === 'string').join('.'), path]),
      );
      const some = [...kinds.values()];
      const before = performance.now();
      const benign = report([filled(result, some, 'harmless')], fileReport);
      const text = `<script>|${long}`;
      const shown = report([filled(result, some, text)], fileReport);
      assert.ok(performance.now() - before < 10_000, name);
      if (format === 'json') assert.ok(readable(JSON.parse(shown)));
      // A page carries the result to be downloaded, up to a bound.
      const most = { json: Number.POSITIVE_INFINITY, html: 4_000_000 }[format] ?? 200_000;
      if (format !== 'json') check?.(shown, { text, benign, result });
      const more = shown.length - benign.length;
      assert.ok(more < most, `${name}: ${more} characters more for ${some.length} fields`);
    }
  });
}

test('hostile text: several results in one report', { timeout: 60_000 }, () => {
  const kinds = { quick: [] as Result[], stress: [] as Result[], conform: [] as Result[] };
  for (const result of Object.values(everyResult())) kinds[result.kind].push(result);
  const composed = (report: Reporter, all: readonly Result[], text: string): string =>
    report(
      all.map((result) =>
        filled(
          result,
          textsOf(result).filter((path) => path.length === 2 && path[1] !== 'code' && path[1] !== 'policy'),
          text,
        ),
      ),
      fileReport,
    );
  for (const [format, { report }] of Object.entries(reporters)) {
    for (const all of Object.values(kinds)) {
      for (const text of Object.values(texts)) {
        const shown = composed(report, all, text);
        const benign = text.trim() === '' ? shown : composed(report, all, 'harmless');
        formatChecks[format]?.(shown, { text, benign });
      }
    }
  }
});

test('hostile text: comparisons, step summaries, indexes and annotations', { timeout: 120_000 }, () => {
  for (const [name, result] of Object.entries(everyResult())) {
    const paths = free.get(name) ?? [];
    const make = (text: string): Result => filled(result, paths, text);
    for (const text of Object.values(texts)) {
      const comparison = compareResults(make(text), make(`${text} `));
      formatChecks.text?.(comparisonText(comparison, fileReport), { text, benign: '' });
      const harmless = compareResults(make('harmless'), make('harmless '));
      const benign = comparisonMarkdown(harmless);
      const shown = comparisonMarkdown(comparison);
      formatChecks.markdown?.(shown, { text, benign: text.trim() === '' ? shown : benign });
      const summary = summaryMarkdown(4000);
      assert.doesNotMatch(summary([make(text)], fileReport), steers);
      for (const command of runnerReads(annotations([make(text)])))
        assert.match(command.name, /^(error|warning)$/);
      if (result.kind !== 'conform') continue;
      const index = autobahnIndex(make(text) as typeof result);
      assert.doesNotMatch(index, steers);
      JSON.parse(index);
    }
  }
});
