// Every reporter on every kind of result, as text that is reviewed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults } from '../../lib/compare/compare.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { Result } from '../../lib/result/result.ts';
import {
  autobahnIndex,
  comparisonMarkdown,
  comparisonText,
  fileReport,
  html,
  reporters,
  runList,
  runListJson,
} from '../../reports/index.ts';
import * as conform from '../fixtures/conform-results.ts';
import { stressFading, stressStalled } from '../fixtures/course-results.ts';
import * as fixtures from '../fixtures/results.ts';
import { seriesOf } from '../fixtures/shard.ts';
import * as storm from '../fixtures/storm-results.ts';
import { assertGolden } from '../golden.ts';

const terminal = { width: 80, color: false, unicode: true };
const cases: Record<string, readonly Result[]> = {
  'quick-passed': [fixtures.quickPassed()],
  'quick-failed': [fixtures.quickFailed()],
  'quick-unreachable': [fixtures.quickUnreachable()],
  'quick-hostile': [fixtures.quickHostile()],
  'stress-passed': [fixtures.stressPassed()],
  'stress-lost': [fixtures.stressLost()],
  'stress-silent': [fixtures.stressSilent()],
  'stress-inconclusive': [fixtures.stressInconclusive()],
  'stress-workers': [fixtures.stressWorkers()],
  'stress-interrupted': [fixtures.stressInterrupted()],
  'stress-unreachable': [fixtures.stressUnreachable()],
  'stress-hostile': [fixtures.stressHostile()],
  'quick-join': [fixtures.quickJoin()],
  'stress-faulty': [fixtures.stressFaulty()],
  'conform-passed': [conform.conformPassed()],
  'conform-failed': [conform.conformFailed()],
  'conform-expected': [conform.conformExpected()],
  'conform-agents': [conform.conformAgents()],
  'conform-interrupted': [conform.conformInterrupted()],
  'conform-unreachable': [conform.conformUnreachable()],
  'conform-hostile': [conform.conformHostile(fixtures.hostileText)],
  'stress-series': [fixtures.stressSeries()],
  'storm-passed': [storm.stormPassed()],
  'storm-herd': [storm.stormHerd()],
  composed: [fixtures.quickFailed(), fixtures.stressPassed(), fixtures.stressLost()],
};

/** A page without what is the same on every page, or in the JSON: style and script with their hashes, and the results. */
function withoutTools(page: string): string {
  return page
    .replace(/<style>.*?<\/style>/s, '<style>…</style>')
    .replace(/<script>.*?<\/script>/s, '<script>…</script>')
    .replace(/(<script type="application\/json" id="[^"]+">).*?<\/script>/g, '$1…</script>')
    .replace(/sha256-[\w+/=]+/g, 'sha256-…');
}

for (const [name, results] of Object.entries(cases)) {
  test(`text of ${name}`, () => assertGolden(`text-${name}.txt`, reporters.text.report(results, terminal)));
  test(`markdown of ${name}`, () =>
    assertGolden(`markdown-${name}.md`, reporters.markdown.report(results, fileReport)));
  test(`json of ${name}`, () =>
    assertGolden(`json-${name}.json`, reporters.json.report(results, fileReport)));
  test(`html of ${name}`, () => assertGolden(`html-${name}.html`, withoutTools(html(results, fileReport))));
  test(`junit of ${name}`, () =>
    assertGolden(`junit-${name}.xml`, reporters.junit.report(results, fileReport)));
  // A table holds results of one kind.
  if (new Set(results.map(({ kind }) => kind)).size === 1) {
    test(`csv of ${name}`, () => assertGolden(`csv-${name}.csv`, reporters.csv.report(results, fileReport)));
  }
}

for (const name of ['quick-failed', 'stress-lost', 'conform-failed', 'conform-agents'] as const) {
  const results = cases[name] ?? [];
  test(`ASCII text of ${name}`, () =>
    assertGolden(`text-${name}-ascii.txt`, reporters.text.report(results, { ...terminal, unicode: false })));
  test(`wide coloured text of ${name}`, () =>
    assertGolden(
      `text-${name}-color.txt`,
      reporters.text.report(results, { width: 120, color: true, unicode: true }),
    ));
}

test('text of conform-failed with all there is to say', () =>
  assertGolden(
    'text-conform-failed-verbose.txt',
    reporters.text.report([conform.conformFailed()], { ...terminal, verbose: true }),
  ));

for (const [name, result] of [
  ['stress-stalled', stressStalled()],
  ['stress-fading', stressFading()],
  ['stress-workers', fixtures.stressWorkers()],
  ['quick-failed', fixtures.quickFailed()],
] as const) {
  for (const unicode of [true, false]) {
    const file = `text-${name}-verbose${unicode ? '' : '-ascii'}.txt`;
    test(`${file}: with all there is to say`, () =>
      assertGolden(file, reporters.text.report([result], { ...terminal, unicode, verbose: true })));
  }
}

for (const [name, result] of [
  ['stress-stalled', stressStalled()],
  ['stress-fading', stressFading()],
  ['stress-lost', fixtures.stressLost()],
  ['conform-failed', conform.conformFailed()],
] as const) {
  test(`narrow text of ${name}`, () =>
    assertGolden(`text-${name}-60.txt`, reporters.text.report([result], { ...terminal, width: 60 })));
}

for (const [name, result] of [
  ['failed', conform.conformFailed()],
  ['agents', conform.conformAgents()],
] as const) {
  test(`index of conform-${name} as Autobahn writes it`, () =>
    assertGolden(`autobahn-index-${name}.json`, autobahnIndex(result)));
}

test('csv of several loads', () =>
  assertGolden(
    'csv-stress-several.csv',
    reporters.csv.report([fixtures.stressSeries(), fixtures.stressPassed()], fileReport),
  ));

test('wide text of stress-faulty', () =>
  assertGolden(
    'text-stress-faulty-wide.txt',
    reporters.text.report([fixtures.stressFaulty()], { ...terminal, width: 120 }),
  ));

for (const [name, before, after] of [
  ['stress', fixtures.stressPassed(), fixtures.stressLost()],
  ['quick', fixtures.quickPassed(), fixtures.quickFailed()],
  ['storm', storm.stormPassed(), storm.stormHerd()],
  ['conform', conform.conformFailed(), conform.conformExpected()],
  [
    'conform-agents',
    conform.conformAgents(),
    {
      ...conform.conformAgents(),
      agents: conform
        .conformAgents()
        .agents.toReversed()
        .map((agent, index) => ({
          ...agent,
          verdicts: conform.conformExpected().agents[0]?.verdicts.slice(index) ?? [],
        })),
    },
  ],
] as const) {
  const comparison = compareResults(before, after);
  test(`text of a ${name} comparison`, () =>
    assertGolden(`text-comparison-${name}.txt`, comparisonText(comparison, terminal)));
  test(`html of a ${name} comparison`, () =>
    assertGolden(
      `html-comparison-${name}.html`,
      withoutTools(html([before, after], { ...fileReport, comparison })),
    ));
  test(`markdown of a ${name} comparison`, () =>
    assertGolden(`markdown-comparison-${name}.md`, comparisonMarkdown(comparison)));
}

const series = [seriesOf(24, 1000, 1), seriesOf(24, 1300, 2)] as const;
const withIntervals = compareResults(...series, {
  failOn: ['rtt.p99>+10%', 'rtt.mean>+1ms', 'connect.tls.p99>0', 'messages.lost>0'],
});
for (const [name, options] of Object.entries({
  intervals: terminal,
  'intervals-wide': { ...terminal, width: 120 },
  'intervals-ascii': { ...terminal, unicode: false },
})) {
  test(`text of a comparison with ${name}`, () =>
    assertGolden(`text-comparison-${name}.txt`, comparisonText(withIntervals, options)));
}
test('markdown of a comparison with intervals', () =>
  assertGolden('markdown-comparison-intervals.md', comparisonMarkdown(withIntervals)));
test('markdown of a run that is compared with a baseline', () =>
  assertGolden(
    'markdown-baseline.md',
    reporters.markdown.report([series[1]], { ...fileReport, comparison: withIntervals }),
  ));

const listed = {
  runs: [
    { file: '.wsbench/runs/b.json', result: fixtures.stressLost(), baselines: [] },
    { file: '.wsbench/runs/a.json', result: fixtures.stressPassed(), baselines: ['main', 'v1.2'] },
    { file: '.wsbench/runs/q.json', result: fixtures.quickFailed(), baselines: [] },
    { file: '.wsbench/runs/c.json', result: conform.conformFailed(), baselines: [] },
    { file: '.wsbench/runs/h.json', result: fixtures.stressHostile(), baselines: [] },
  ],
  baselines: [
    { file: '.wsbench/baselines/old.json', result: fixtures.stressInconclusive(), baselines: ['old'] },
  ],
  unreadable: [{ file: '.wsbench/runs/x.json', message: 'not JSON; give a result saved by wsbench' }],
};
test('text of a list of runs', () => assertGolden('text-runs.txt', runList(listed, terminal)));
test('ASCII text of a list of runs', () =>
  assertGolden('text-runs-ascii.txt', runList(listed, { ...terminal, unicode: false })));
test('json of a list of runs', () => assertGolden('runs-list.json', runListJson(listed)));

for (const [name, results] of Object.entries(cases)) {
  test(`the books of ${name} balance, as those of a real run do`, () => {
    for (const result of results) {
      if (result.kind === 'stress') assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    }
  });
}
