// JUnit XML: well-formed whatever is in it, and its counts are those of the result.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Comparison, compareResults } from '../../lib/compare/compare.ts';
import type { Result } from '../../lib/result/result.ts';
import { failsRun } from '../../lib/result/verdicts.ts';
import { comparisonFailures, comparisonJunit, fileReport, reporters } from '../../reports/index.ts';
import * as conform from '../fixtures/conform-results.ts';
import { everyResult } from '../fixtures/every-result.ts';
import * as fixtures from '../fixtures/results.ts';
import { seriesOf } from '../fixtures/shard.ts';
import { parseXml, type XmlElement } from '../fixtures/xml.ts';
import { skipUnless } from '../require.ts';

const all: Record<string, Result> = {
  quickPassed: fixtures.quickPassed(),
  quickFailed: fixtures.quickFailed(),
  quickUnreachable: fixtures.quickUnreachable(),
  stressPassed: fixtures.stressPassed(),
  stressLost: fixtures.stressLost(),
  stressInconclusive: fixtures.stressInconclusive(),
  conformPassed: conform.conformPassed(),
  conformFailed: conform.conformFailed(),
  conformExpected: conform.conformExpected(),
  conformAgents: conform.conformAgents(),
  conformInterrupted: conform.conformInterrupted(),
  conformUnreachable: conform.conformUnreachable(),
};

const render = (...results: Result[]): XmlElement[] => parseXml(reporters.junit.report(results, fileReport));
const named = (elements: XmlElement[], name: string): XmlElement[] =>
  elements.filter((element) => element.name === name);

function failures(result: Result): number {
  if (result.kind === 'quick') return result.checks.filter(({ status }) => status === 'failed').length;
  if (result.kind === 'stress') return result.thresholds.filter(({ ok }) => !ok).length;
  return result.agents.flatMap(({ verdicts }) => verdicts.filter((one) => failsRun(one, result.failOn)))
    .length;
}

for (const [name, result] of Object.entries(all)) {
  test(`counts of ${name} are right, in each suite and in all`, () => {
    const elements = render(result);
    const cases = named(elements, 'testcase');
    assert.equal(named(elements, 'failure').length, failures(result));
    for (const suite of [...named(elements, 'testsuites'), ...named(elements, 'testsuite')]) {
      const own = cases.filter(({ parent }) => suite.name === 'testsuites' || parent === suite);
      const of = (kind: string): number =>
        named(elements, kind).filter(({ parent }) => parent && own.includes(parent)).length;
      const { tests, failures: failed, errors, skipped } = suite.attributes;
      assert.deepEqual(
        [tests, failed, errors].map(Number),
        [own.length, of('failure'), of('error')],
        suite.attributes.name,
      );
      if (suite.name === 'testsuite') assert.equal(Number(skipped), of('skipped'), suite.attributes.name);
    }
    const isGood = result.outcome === 'passed';
    const isClean = named(elements, 'failure').length + named(elements, 'error').length === 0;
    assert.equal(isClean, isGood, 'a run that did not pass is never green');
  });
}

test('a failed case says what was expected, what came, where the rule stands and how to repeat it', () => {
  const [failure] = named(render(conform.conformFailed()), 'failure');
  assert.equal(failure?.parent?.attributes.name, '4.1.1 A frame with the reserved opcode 3');
  assert.equal(failure?.parent?.attributes.classname, 'conform.4');
  for (const part of [
    'expected: the server fails',
    'got: nothing for 1 s',
    'spec: RFC 6455 §5.2',
    'reproduce: wsbench conform',
    'close frame 1001',
  ])
    assert.ok(failure?.text.includes(part), part);
});

test('a suite of thresholds takes as long as its run, and all suites as long as each together', () => {
  const [root, suite] = render(fixtures.stressLost());
  assert.deepEqual([root?.attributes.time, suite?.attributes.time], ['31.740', '31.740']);
  const [both] = render(fixtures.stressLost(), fixtures.stressPassed());
  assert.equal(both?.attributes.time, '63.480');
});

const slower = compareResults(seriesOf(24, 1000, 1), seriesOf(24, 1300, 2), {
  failOn: ['rtt.p99>+10%', 'rtt.mean>+1ms', 'connect.tls.p99>0'],
});
const comparisons: Record<string, Comparison> = {
  limits: slower,
  checks: compareResults(fixtures.quickPassed(), fixtures.quickFailed()),
  verdicts: compareResults(conform.conformPassed(), conform.conformFailed()),
  equal: compareResults(fixtures.stressPassed(), fixtures.stressPassed()),
};
for (const [name, comparison] of Object.entries(comparisons)) {
  test(`a comparison of ${name} fails in JUnit as it fails the command`, () => {
    const elements = parseXml(comparisonJunit(comparison));
    const failed = named(elements, 'failure').map(({ attributes }) => attributes.message ?? '');
    const wanted = comparisonFailures(comparison).map((line) => line.replace(/^--fail-on /, ''));
    assert.deepEqual(failed.toSorted(), wanted.toSorted());
    assert.ok(named(elements, 'testcase').length > 0, 'a gate with nothing in it is no gate');
    const beside = parseXml(reporters.junit.report([fixtures.stressPassed()], { ...fileReport, comparison }));
    assert.equal(named(beside, 'testsuite').length, 2);
    assert.equal(Number(beside[0]?.attributes.failures), failed.length);
  });
}

test('limits of changes are cases by name; those that hold say what was measured', () => {
  const cases = named(parseXml(comparisonJunit(slower)), 'testcase').map(({ attributes }) => attributes.name);
  assert.deepEqual(cases, [
    '--fail-on rtt.p99>+10%',
    '--fail-on rtt.mean>+1ms',
    '--fail-on connect.tls.p99>0',
    'nothing got worse beyond doubt',
  ]);
  assert.match(comparisonJunit(slower), /<system-out>rtt\.mean&gt;\+1ms: \+\d/);
});

const xsd = process.env.WSBENCH_JUNIT_XSD ?? '';
const hasXsd = xsd !== '' && existsSync(xsd);
const xmllint = 'xmllint';
const hasXmllint = spawnSync(xmllint, ['--version']).status === 0;
const noSchema = skipUnless('xmllint', hasXmllint) || skipUnless('junit-xsd', hasXsd);

test('a schema of JUnit that others wrote accepts every report', { skip: noSchema, timeout: 60_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wsbench-junit-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const every = Object.entries(everyResult());
  const documents = [
    ...every.map(([name, result]) => [name, [result]] as const),
    ['all', every.map(([, one]) => one)] as const,
  ];
  for (const [name, results] of documents) {
    writeFileSync(join(folder, `${name}.xml`), reporters.junit.report(results, fileReport));
  }
  for (const [name, comparison] of Object.entries(comparisons)) {
    writeFileSync(join(folder, `comparison-${name}.xml`), comparisonJunit(comparison));
  }
  const files = [
    ...documents.map(([name]) => name),
    ...Object.keys(comparisons).map((name) => `comparison-${name}`),
  ].map((name) => join(folder, `${name}.xml`));
  const lint = spawnSync(xmllint, ['--noout', '--nonet', '--schema', xsd, ...files], { encoding: 'utf8' });
  assert.equal(lint.status, 0, lint.stderr.replaceAll(folder, ''));
  // It is no test when it accepts anything.
  writeFileSync(join(folder, 'bad.xml'), '<testsuites><testcase name="a"/></testsuites>');
  assert.notEqual(spawnSync(xmllint, ['--noout', '--schema', xsd, join(folder, 'bad.xml')]).status, 0);
});

test('cases that did not run are skipped, with the reason', () => {
  const skipped = named(render(conform.conformInterrupted()), 'skipped');
  assert.equal(skipped.length, 13);
  assert.ok(skipped.every(({ attributes }) => attributes.message === 'the run was stopped'));
});

test('whatever a server says, the document is well-formed', { timeout: 60_000 }, () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      ']]>',
      '<!--',
      '&amp;',
      '&',
      '<x y="',
      '\0\x1b[2J',
      '\ud800',
      '\ufffe',
      '"\'',
      fixtures.hostileText,
    ),
  );
  fc.assert(
    fc.property(nasty, (text) => {
      render(fixtures.quickHostile(text), fixtures.stressHostile(text), conform.conformHostile(text));
    }),
  );
});
