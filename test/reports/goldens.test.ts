// Every reporter on every kind of result, as text that is reviewed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults } from '../../lib/compare/compare.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { Result } from '../../lib/result/result.ts';
import { comparisonMarkdown, comparisonText, fileReport, reporters } from '../../reports/index.ts';
import * as fixtures from '../fixtures/results.ts';
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
  composed: [fixtures.quickFailed(), fixtures.stressPassed(), fixtures.stressLost()],
};

for (const [name, results] of Object.entries(cases)) {
  test(`text of ${name}`, () => assertGolden(`text-${name}.txt`, reporters.text.report(results, terminal)));
  test(`markdown of ${name}`, () =>
    assertGolden(`markdown-${name}.md`, reporters.markdown.report(results, fileReport)));
  test(`json of ${name}`, () =>
    assertGolden(`json-${name}.json`, reporters.json.report(results, fileReport)));
}

for (const name of ['quick-failed', 'stress-lost'] as const) {
  const results = cases[name] ?? [];
  test(`ASCII text of ${name}`, () =>
    assertGolden(`text-${name}-ascii.txt`, reporters.text.report(results, { ...terminal, unicode: false })));
  test(`wide coloured text of ${name}`, () =>
    assertGolden(
      `text-${name}-color.txt`,
      reporters.text.report(results, { width: 120, color: true, unicode: true }),
    ));
}

test('wide text of stress-faulty', () =>
  assertGolden(
    'text-stress-faulty-wide.txt',
    reporters.text.report([fixtures.stressFaulty()], { ...terminal, width: 120 }),
  ));

for (const [name, before, after] of [
  ['stress', fixtures.stressPassed(), fixtures.stressLost()],
  ['quick', fixtures.quickPassed(), fixtures.quickFailed()],
] as const) {
  const comparison = compareResults(before, after);
  test(`text of a ${name} comparison`, () =>
    assertGolden(`text-comparison-${name}.txt`, comparisonText(comparison, terminal)));
  test(`markdown of a ${name} comparison`, () =>
    assertGolden(`markdown-comparison-${name}.md`, comparisonMarkdown(comparison)));
}

for (const [name, results] of Object.entries(cases)) {
  test(`the books of ${name} balance, as those of a real run do`, () => {
    for (const result of results) {
      if (result.kind === 'stress') assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    }
  });
}
