import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { z } from 'zod';
import { parseResult } from '../../lib/result/parse.ts';
import type { Result } from '../../lib/result/result.ts';
import type { resultSchema } from '../../lib/result/schema.ts';
import { fileReport, json, reporters } from '../../reports/index.ts';
import * as conform from '../fixtures/conform-results.ts';
import * as fixtures from '../fixtures/results.ts';

// The compiler's half of this test: schema and type describe the same shape, optional fields included.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
type Flat<T> = T extends readonly (infer Item)[]
  ? Flat<Item>[]
  : T extends object
    ? { [Key in keyof T]: Flat<T[Key]> }
    : T;
const sameShape: Same<Flat<z.output<typeof resultSchema>>, Flat<Result>> = true;

test('schema and types agree (checked by the compiler)', () => assert.equal(sameShape, true));

const all = {
  quickPassed: fixtures.quickPassed(),
  quickFailed: fixtures.quickFailed(),
  quickUnreachable: fixtures.quickUnreachable(),
  stressPassed: fixtures.stressPassed(),
  stressLost: fixtures.stressLost(),
  stressSilent: fixtures.stressSilent(),
  stressInconclusive: fixtures.stressInconclusive(),
  stressInterrupted: fixtures.stressInterrupted(),
  stressUnreachable: fixtures.stressUnreachable(),
  stressFaulty: fixtures.stressFaulty(),
  quickJoin: fixtures.quickJoin(),
  conformPassed: conform.conformPassed(),
  conformFailed: conform.conformFailed(),
  conformExpected: conform.conformExpected(),
  conformAgents: conform.conformAgents(),
  conformInterrupted: conform.conformInterrupted(),
  conformUnreachable: conform.conformUnreachable(),
};

for (const [name, result] of Object.entries(all)) {
  test(`reads back ${name}`, () => {
    assert.deepEqual(parseResult(json([result], fileReport), 'run.json'), result);
  });
}

const goldens = new URL('../../../test/golden/', import.meta.url);
for (const name of readdirSync(goldens).filter(
  (file) => file.startsWith('json-') && !file.includes('composed'),
)) {
  test(`reads the golden ${name}`, () => {
    const result = parseResult(readFileSync(new URL(name, goldens), 'utf8'), name);
    assert.equal(result.schemaVersion, 1);
  });
}

// These files are never written anew: what was saved once stays readable.
const saved = new URL('saved-by-0.1.0/', goldens);
for (const name of readdirSync(saved)) {
  test(`reads and reports ${name} as 0.1.0 saved it`, () => {
    const text = readFileSync(new URL(name, saved), 'utf8');
    const result = parseResult(text, name);
    assert.deepEqual(result, JSON.parse(text));
    const { url } = result.target;
    if (!name.includes('hostile')) assert.ok(reporters.text.report([result], fileReport).includes(url));
    assert.match(reporters.markdown.report([result], fileReport), /^# wsbench report\n/);
  });
}

test('keeps what it does not know, at every depth', () => {
  const value = { ...fixtures.quickPassed(), later: { x: 1 } };
  const text = JSON.stringify({ ...value, run: { ...value.run, shard: 3 } });
  const parsed = parseResult(text, 'run.json') as Result & { later: unknown; run: { shard: number } };
  assert.deepEqual([parsed.later, parsed.run.shard], [{ x: 1 }, 3]);
});

test('a byte order mark is no obstacle', () => {
  assert.equal(parseResult(`\ufeff${JSON.stringify(fixtures.quickPassed())}`, 'run.json').kind, 'quick');
});

const stress = fixtures.stressPassed();
// biome-ignore format: a table
const invalid: [what: string, text: string, message: RegExp][] = [
  ['empty', '', /^run\.json: not JSON/],
  ['cut off', JSON.stringify(stress).slice(0, 500), /^run\.json: not JSON/],
  ['markdown', '# report', /^run\.json: not JSON/],
  ['null', 'null', /^run\.json: JSON, but not a wsbench result/],
  ['a number', '1', /^run\.json: JSON, but not a wsbench result/],
  ['text', '"x"', /^run\.json: JSON, but not a wsbench result/],
  ['another tool', '{"metrics":{}}', /^run\.json: JSON, but not a wsbench result/],
  ['several results', JSON.stringify([stress, stress]), /^run\.json: holds several results/],
  ['a newer version', JSON.stringify({ ...stress, schemaVersion: 2 }), /made by a newer wsbench \(schemaVersion 2, known here: 1\); update/],
  ['version as text', JSON.stringify({ ...stress, schemaVersion: '1' }), /not a wsbench result: schemaVersion: /],
  ['unknown kind', JSON.stringify({ ...stress, kind: 'soup' }), /not a wsbench result: kind: /],
  ['a missing metric', JSON.stringify({ ...stress, metrics: { ...stress.metrics, rtt: undefined } }), /metrics\.rtt: /],
  ['a percentile as text', JSON.stringify({ ...stress, metrics: { ...stress.metrics, rtt: { ...stress.metrics.rtt, p99: '3' } } }), /metrics\.rtt\.p99: /],
  ['a histogram that is none', JSON.stringify({ ...stress, metrics: { ...stress.metrics, rtt: { ...stress.metrics.rtt, hdr: '=cmd()' } } }), /metrics\.rtt\.hdr: not a histogram/],
  ['a histogram that is cut off', JSON.stringify({ ...stress, metrics: { ...stress.metrics, ping: { ...stress.metrics.ping, hdr: stress.metrics.ping.hdr?.slice(0, -24) } } }), /metrics\.ping\.hdr: not a histogram/],
  ['a negative count', JSON.stringify({ ...stress, counters: { ...stress.counters, 'messages.lost': -1 } }), /counters\.messages\.lost: /],
  ['an unknown verdict', JSON.stringify({ ...conform.conformPassed(), agents: [{ name: 'a', url: 'b', verdicts: [conform.verdict('1.1.1', 't', { behavior: 'MAYBE' as never })] }] }), /agents\.0\.verdicts\.0\.behavior: /],
  ['an unknown reason', JSON.stringify({ ...stress, reasons: [{ code: 'mood', message: '' }] }), /reasons\.0\.code: /],
];

for (const [what, text, message] of invalid) {
  test(`refuses in one line: ${what}`, () => {
    assert.throws(
      () => parseResult(text, 'run.json'),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'USAGE');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test('any JSON is read or refused with USAGE', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.throws(() => parseResult(text, 'run.json'), { code: 'USAGE' });
    }),
  );
});
