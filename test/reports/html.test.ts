// What holds for every HTML report, without a browser.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import vm from 'node:vm';
import fc from 'fast-check';
import { compareResults } from '../../lib/compare/compare.ts';
import type { Result, StressResult } from '../../lib/result/result.ts';
import { clockWords, quantileWords } from '../../reports/html/client.ts';
import { timeRows } from '../../reports/html/time-rows.ts';
import { fileReport, html, reporterForFile, reporters } from '../../reports/index.ts';
import * as conform from '../fixtures/conform-results.ts';
import { longStress } from '../fixtures/long-stress.ts';
import * as fixtures from '../fixtures/results.ts';

const all: Result[] = [
  fixtures.quickFailed(),
  fixtures.quickHostile(),
  fixtures.stressPassed(),
  fixtures.stressLost(),
  fixtures.stressSilent(),
  fixtures.stressInconclusive(),
  fixtures.stressWorkers(),
  fixtures.stressUnreachable(),
  fixtures.stressHostile(),
  conform.conformFailed(),
  conform.conformAgents(),
  conform.conformUnreachable(),
  conform.conformHostile(fixtures.hostileText),
];

const sha256 = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
const unquoted = (text: string): string => text.replaceAll('&#39;', "'");

/** Style, script and policy of a page. */
function partsOf(page: string): { style: string; script: string; policy: Map<string, string> } {
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
  const [, script = ''] = /<script>(.*?)<\/script>/s.exec(page) ?? [];
  const [, content = ''] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page) ?? [];
  const directives = unquoted(content)
    .split('; ')
    .map((part): [string, string] => [part.slice(0, part.indexOf(' ')), part.slice(part.indexOf(' ') + 1)]);
  return { style, script, policy: new Map(directives) };
}

test('.html is HTML, in any case', () => {
  assert.equal(reporterForFile('a/report.html'), reporters.html.report);
  assert.equal(reporterForFile('a/REPORT.HTML'), reporters.html.report);
});

test('the policy lets nothing in but the one style and the one script that the page has', () => {
  for (const result of all) {
    const page = html([result], fileReport);
    const { style, script, policy } = partsOf(page);
    assert.deepEqual(
      policy,
      new Map([
        ['default-src', "'none'"],
        ['style-src', `'${sha256(style)}'`],
        ['script-src', `'${sha256(script)}'`],
        ['img-src', 'data:'],
        ['base-uri', "'none'"],
        ['form-action', "'none'"],
      ]),
    );
    // What the policy would refuse is not there in the first place.
    const body = page.slice(page.indexOf('<body>')).replace(/<script.*?<\/script>/gs, '');
    assert.doesNotMatch(body, /<[^>]+\s(?:style|on\w+)=/i);
    assert.doesNotMatch(page.replace(script, '').replace(style, ''), /<[^>]+\s(?:src|href)="(?!#|data:,)/i);
    assert.ok(page.indexOf('Content-Security-Policy') < page.indexOf('<style>'));
  }
});

test('the script is whole, and the licence of uPlot goes with it', () => {
  const { style, script } = partsOf(html([fixtures.quickPassed()], fileReport));
  assert.doesNotThrow(() => new vm.Script(script));
  assert.doesNotMatch(script, /<\/script|<!--/i);
  assert.doesNotMatch(style, /<\/style|@import|url\(/i);
  for (const text of [style, script]) {
    assert.match(text, /Permission is hereby granted, free of charge/);
    assert.match(text, /Copyright \(c\) \d+ Leon Sorokin/);
  }
});

test('every kind of result has the sections that it has figures for', () => {
  const titles = (results: readonly Result[]): string[] =>
    [...html(results, fileReport).matchAll(/<h[23]>([^<]+)<\/h[23]>/g)].map((match) => match[1] ?? '');
  assert.deepEqual(titles([fixtures.stressPassed()]), [
    'Thresholds',
    'Latency',
    'Time line',
    'Messages',
    'Connections',
    'Generator health',
    'Configuration',
  ]);
  assert.deepEqual(titles([fixtures.stressUnreachable()]), ['Thresholds', 'Connections', 'Configuration']);
  assert.deepEqual(titles([fixtures.quickFailed()]), ['Checks', 'Configuration']);
  assert.deepEqual(titles([conform.conformFailed()]), ['Conformance by section', 'Cases', 'Configuration']);
  assert.deepEqual(titles([conform.conformUnreachable()]), ['Conformance by section', 'Configuration']);
  assert.ok(titles([fixtures.stressPassed(), fixtures.stressLost()]).includes('Performance improvements'));
});

test('ids are there once, and links go to them', () => {
  for (const results of [...all.map((result) => [result]), all, [all[2], all[3]] as Result[]]) {
    const page = html(results, fileReport);
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1] ?? '');
    assert.equal(new Set(ids).size, ids.length, ids.join(' '));
    for (const [, to = ''] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(to), to);
  }
});

test('before and after have their interval and what it is evidence of, where there is one', () => {
  const [before, after] = [fixtures.stressPassed(), fixtures.stressLost()];
  const comparison = compareResults(before, after);
  assert.doesNotMatch(html([before, after], { ...fileReport, comparison }), /<th scope="col">Verdict/);
  const rows = comparison.rows.map((row) =>
    row.metric === 'rtt.p50'
      ? { ...row, interval: { low: -0.42, high: -0.331, level: 0.95, verdict: 'likely better' as const } }
      : row,
  );
  const page = html([before, after], { ...fileReport, comparison: { ...comparison, rows } });
  assert.match(page, /<th scope="col">Verdict/);
  assert.match(page, /−42\.0 … −33\.1 %/);
  assert.match(page, /<\/span> likely better<\/span>/);
  // Both distributions lie over each other.
  assert.match(page, /"label":"before"/);
  assert.match(page, /"label":"after"/);
});

test('the line by percentile ends where messages got no reply', () => {
  const page = html([fixtures.stressLost()], fileReport);
  const [, json = '{}'] = /class="plot-data">(.*?)<\/script>/.exec(page) ?? [];
  const spec = JSON.parse(json) as {
    x: number[];
    lines: { values: (number | null)[] }[];
    bands: { from: number; label: string }[];
  };
  const from = spec.bands[0]?.from ?? 0;
  // 96 of 2976 have no reply.
  assert.ok(Math.abs(10 ** -from - 96 / 2976) < 1e-4, String(from));
  const values = spec.lines[0]?.values ?? [];
  spec.x.forEach((x, index) => {
    if (x < from - 0.03) assert.ok((values[index] ?? 0) > 0, `nothing at ${x}`);
    if (x > from + 0.03) assert.equal(values[index], null, `a time at ${x}`);
  });
  const known = values.filter((value): value is number => value !== null);
  assert.deepEqual(
    known,
    known.toSorted((one, other) => one - other),
  );
});

test('no outside text makes an element, an attribute or a line of its own', { timeout: 120_000 }, () => {
  const shape = (page: string): string =>
    page
      .replace(/<(style|script)\b.*?<\/\1>/gs, '')
      .replace(/>[^<]*</g, '><')
      .replace(/"[^"]*"/g, '""')
      .replace(/^<!doctype.*?<body>/s, '');
  const render = (text: string): string =>
    html(
      [fixtures.quickHostile(text), fixtures.stressHostile(text), conform.conformHostile(text)],
      fileReport,
    );
  const wanted = shape(render('plain words'));
  const steering = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]/u;
  const nasty = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '</script>',
          '<!--',
          '<script>',
          '"',
          "'",
          '`',
          '>',
          '<',
          '&',
          '&lt;',
          '\0',
          '\x1b[2J',
          ']]>',
        ),
        fc.constantFrom(
          '\u202e',
          '\u2028',
          '\ud800',
          '\udc00',
          '$1',
          '$&',
          '$`',
          '\\',
          '\r\n',
          ' onload=x ',
          '日',
        ),
        fc.string({ unit: 'binary', maxLength: 8 }),
      ),
      { minLength: 1, maxLength: 12 },
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(nasty, (text) => {
      const page = render(text);
      assert.equal(shape(page), wanted);
      const { style, script } = partsOf(page);
      assert.doesNotMatch(page.replace(style, '').replace(script, ''), steering);
      for (const [, json = ''] of page.matchAll(/<script type="application\/json"[^>]*>(.*?)<\/script>/gs)) {
        assert.doesNotThrow(() => JSON.parse(json));
      }
    }),
    { numRuns: 60 },
  );
});

test('texts of 1 MB leave the page small, and its JSON valid', { timeout: 60_000 }, () => {
  const page = html([fixtures.quickHostile('<é>'.repeat(350_000))], fileReport);
  const shown = page.replace(/<script.*?<\/script>/gs, '');
  assert.ok(shown.length < 60_000, String(shown.length));
  assert.ok(page.length < 1_000_000, String(page.length));
  const [, json = ''] = /<script type="application\/json" id="r1-json">(.*?)<\/script>/s.exec(page) ?? [];
  assert.equal((JSON.parse(json) as Result).kind, 'quick');
  assert.match(page, /without the ends of long texts; the saved result has them/);
});

test('stages and drain are named behind the plots of the time line', () => {
  const run = longStress({ seconds: 30, perSecond: 100, variety: 3 });
  const stages = [
    { durationMs: 10_000, ratePerSecond: 100 },
    { durationMs: 15_000, connections: 20 },
  ];
  const options = { ...run.plan.options, stages };
  const page = html([{ ...run, plan: { ...run.plan, options } }], fileReport);
  const specs = [...page.matchAll(/class="plot-data">(.*?)<\/script>/g)].map(([, json = '{}']) =>
    JSON.parse(json),
  );
  assert.deepEqual(specs.find(({ axis }) => axis === 'seconds').bands, [
    { from: 0, to: 10, label: '→ 100/s', tinted: false },
    { from: 10, to: 25, label: '→ 20 connections', tinted: true },
    { from: 25, to: 30, label: '', tinted: false },
    { from: 30, to: 30.31, label: 'drain', tinted: true },
  ]);
});

test('rows of a long run are joined, and lose nothing', () => {
  const { series } = longStress({
    seconds: 3600,
    perSecond: 100,
    variety: 3,
    stalls: [7, 3599],
    withPayloads: false,
  });
  const rows = timeRows(series, 120);
  assert.equal(rows.length, 121);
  const sum = (key: 'sent' | 'lost' | 'unsent'): number =>
    rows.reduce((all, row) => all + (row[key] ?? 0), 0);
  assert.equal(
    sum('sent'),
    series.wall.reduce((all, { sent }) => all + sent, 0),
  );
  assert.equal(sum('lost'), 10);
  assert.deepEqual(
    rows.filter(({ lost }) => (lost ?? 0) > 0).map(({ second, seconds }) => [second, seconds]),
    [
      [0, 30],
      [3570, 30],
    ],
  );
  assert.equal(rows[0]?.p50, Math.max(...series.due.slice(0, 30).map(({ p50 }) => p50 ?? 0)));
  assert.equal(timeRows(series, 3600).length, 3601);
  // Rows of more than a second stay whole.
  const joined = { ...series, secondsPerRow: 3, due: series.due.filter(({ second }) => second % 3 === 0) };
  assert.ok(timeRows({ ...joined, wall: [] }, 500).every(({ seconds }) => seconds % 3 === 0));
});

test('quantiles and times of the axes read as people write them', () => {
  assert.deepEqual([0, -Math.log10(0.5), 1, 2, 3, 4, 5].map(quantileWords), [
    '0 %',
    '50 %',
    '90 %',
    '99 %',
    '99.9 %',
    '99.99 %',
    '99.999 %',
  ]);
  assert.deepEqual([0, 59, 60, 185, 3600, 3725].map(clockWords), [
    '0 s',
    '59 s',
    '1:00',
    '3:05',
    '1:00:00',
    '1:02:05',
  ]);
});

test('an hour with 100 million messages is a page of less than 5 MB, made in seconds', {
  timeout: 120_000,
}, (t) => {
  const result: StressResult = longStress({
    seconds: 3600,
    perSecond: 27_778,
    variety: 24,
    stalls: [1800, 1801],
  });
  assert.ok(result.metrics.rtt.count > 99_900_000, String(result.metrics.rtt.count));
  assert.ok(result.series.due.every(({ hdr }) => hdr !== undefined));
  const wholeBytes = JSON.stringify(result).length;
  const began = performance.now();
  const page = html([result], fileReport);
  const tookMs = performance.now() - began;
  const bytes = Buffer.byteLength(page);
  t.diagnostic(`${wholeBytes} bytes of JSON, ${bytes} bytes of HTML in ${Math.round(tookMs)} ms`);
  assert.ok(bytes < 5_000_000, String(bytes));
  // 3 s is asked for; machines that do other things at the same time get some more.
  assert.ok(tookMs < 15_000, String(tookMs));
  assert.match(page, /without the histograms of single seconds; the saved result has them/);
});
