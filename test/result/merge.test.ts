// Shards add up: however messages are dealt to four of them, the sum is what one run of all would have been.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maxTimeUs } from '../../lib/metrics/histogram.ts';
import { mergeResults, type Shard } from '../../lib/result/merge.ts';
import { parseResult } from '../../lib/result/parse.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { parseThreshold } from '../../lib/result/thresholds.ts';
import { fileReport, json } from '../../reports/index.ts';
import { quickPassed, stressInconclusive, stressInterrupted, stressPassed } from '../fixtures/results.ts';
import { type Message, seriesOf, shardOf } from '../fixtures/shard.ts';

const seconds = 3;
const message = fc.record({
  second: fc.nat(seconds - 1),
  fate: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 60_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: maxTimeUs }) },
    { weight: 1, arbitrary: fc.constantFrom('lost' as const, 'unsent' as const, 'rejected' as const) },
  ),
  shard: fc.nat(3),
});

const named = (results: readonly StressResult[]): Shard[] =>
  results.map((result, at) => ({ name: `${'abcdefgh'[at]}.json`, result }));

const dealt = (messages: readonly (Message & { shard: number })[]): StressResult[] =>
  [0, 1, 2, 3].map((shard) =>
    shardOf(
      messages.filter((one) => one.shard === shard),
      seconds,
      `${shard}`,
    ),
  );

test('four shards are one histogram of all samples, bit for bit, in total and in every second', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 120 }), (messages) => {
      const whole = shardOf(messages, seconds);
      // As files are: written and read again.
      const shards = dealt(messages).map((shard, at) => parseResult(json([shard], fileReport), `${at}`));
      const merged = mergeResults(shards.map((result, at) => ({ name: `${at}.json`, result })));
      for (const metric of ['rtt', 'service'] as const) {
        assert.equal(merged.metrics[metric].hdr, whole.metrics[metric].hdr);
        const { mean, min, max, count, censored } = whole.metrics[metric];
        const sum = merged.metrics[metric];
        assert.deepEqual([sum.count, sum.censored, sum.min, sum.max], [count, censored, min, max]);
        // Results hold means to 1 µs.
        if (mean === null) assert.equal(sum.mean, null);
        else assert.ok(Math.abs((sum.mean ?? 0) - mean) <= 0.001 + 1e-9, `${sum.mean} ${mean}`);
        if (censored > 0) continue;
        for (const stat of ['p50', 'p90', 'p95', 'p99', 'p999'] as const) {
          assert.equal(sum[stat], whole.metrics[metric][stat], `${metric}.${stat}`);
        }
      }
      for (const [second, row] of whole.series.due.entries()) {
        const sum = merged.series.due[second];
        assert.deepEqual(
          [sum?.hdr, sum?.matched, sum?.rejected, sum?.lost, sum?.unsent, sum?.max],
          [row.hdr, row.matched, row.rejected, row.lost, row.unsent, row.max],
        );
      }
      const { sent, received } = merged.series.wall[0] ?? {};
      assert.deepEqual([sent, received], [whole.series.wall[0]?.sent, whole.series.wall[0]?.received]);
      for (const name of [
        'messages.scheduled',
        'messages.matched',
        'messages.lost',
        'messages.unsent',
      ] as const)
        assert.equal(merged.counters[name], whole.counters[name]);
      assert.deepEqual(
        [merged.derived.errors, merged.derived.error_rate, merged.derived.throughput?.toFixed(9)],
        [whole.derived.errors, whole.derived.error_rate, whole.derived.throughput?.toFixed(9)],
      );
      assert.deepEqual(
        merged.thresholds.map(({ expression, actual, ok, source }) => ({ expression, actual, ok, source })),
        whole.thresholds.map(({ expression, actual, ok, source }) => ({ expression, actual, ok, source })),
      );
      assert.equal(merged.outcome, whole.thresholds.every(({ ok }) => ok) ? 'passed' : 'failed');
    }),
    { numRuns: 60 },
  );
});

test('the order does not matter, nor does merging some of them first', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 60 }), (messages) => {
      const shards = dealt(messages);
      const counts = (result: StressResult) => {
        const { metrics, counters, derived, series, thresholds, unsent, rejections, closes } = result;
        const { mean: _mean, ...rtt } = metrics.rtt;
        const throughput = derived.throughput?.toFixed(9);
        return {
          rtt,
          counters,
          derived: { ...derived, throughput },
          series,
          thresholds,
          unsent,
          rejections,
          closes,
        };
      };
      const once = mergeResults(named(shards));
      assert.deepEqual(counts(mergeResults(named(shards.toReversed()))), counts(once));
      const half = (some: StressResult[]): StressResult => mergeResults(named(some));
      const twice = mergeResults(named([half(shards.slice(0, 2)), half(shards.slice(2))]));
      assert.deepEqual(counts(twice), counts(once));
      assert.deepEqual(twice.run.mergedFrom, once.run.mergedFrom);
    }),
    { numRuns: 30 },
  );
});

const some: Message[] = [10, 20, 3000, 70_000, 5].map((fate, at) => ({ second: at % seconds, fate }));
const one = (changes: Partial<StressResult> = {}, id = '1'): StressResult => ({
  ...shardOf(some, seconds, id),
  ...changes,
});
const two = one({}, '2');

const withRtt = (changes: object): Partial<StressResult> => {
  const { metrics } = one();
  const { hdr: _hdr, ...rtt } = { ...metrics.rtt, ...changes };
  return {
    metrics: {
      ...metrics,
      rtt: 'hdr' in changes && changes.hdr === undefined ? rtt : { ...metrics.rtt, ...changes },
    },
  };
};
const [firstSecond, ...laterSeconds] = one().series.due;
const { hdr: _hdr, ...withoutPayload } = firstSecond ?? {};
const due = (row: object) =>
  ({ ...one().series, due: [{ ...firstSecond, ...row }, ...laterSeconds] }) as StressResult['series'];
const plan = one().plan;
// A histogram of another configuration: three digits up to a day, written by the library itself.
const { build, encodeIntoCompressedBase64 } = await import('hdr-histogram-js');
const dayLong = build({
  lowestDiscernibleValue: 1,
  highestTrackableValue: 86_400_000_000,
  numberOfSignificantValueDigits: 3,
});
for (const us of [10, 20, 3000, 70_000, 5]) dayLong.recordValue(us);

// biome-ignore format: a table
const refusals: [name: string, second: StressResult, says: RegExp][] = [
  ['another plan', one({ plan: { ...plan, hash: 'ff', options: { ...plan.options, connections: 20 } } }), /^b\.json: cannot be merged: it has another plan than a\.json: connections 20, not 10$/],
  ['another plan without a word why', one({ plan: { ...plan, hash: 'ffffffffffffffff' } }), /another plan than a\.json: ffffffffffff, not ab12cd34/],
  ['no histogram of round trips', one(withRtt({ hdr: undefined })), /^b\.json: cannot be merged: metrics\.rtt has 5 times and no histogram/],
  ['no histogram of a second', one({ series: { ...one().series, due: [withoutPayload as never, ...laterSeconds] } }), /second 0 of its series has 2 times and no histogram of them.*more than an hour/],
  ['a histogram of another configuration', one(withRtt({ hdr: encodeIntoCompressedBase64(dayLong) })), /the histogram of metrics\.rtt has highestUs 86400000000, and 3600000000 here/],
  ['a histogram that cannot be read', one(withRtt({ hdr: 'HISTFAAA' })), /damaged.*cannot be read/],
  ['a histogram of fewer times', one(withRtt({ hdr: shardOf(some.slice(1), seconds).metrics.rtt.hdr })), /damaged.*counts 5 times, and its histogram holds 4/],
  ['a maximum beyond the histogram', one(withRtt({ max: 400 })), /damaged.*extremes of metrics\.rtt do not fit/],
  ['books that do not balance', one({ counters: { ...one().counters, 'messages.sent': 7 } }), /^b\.json: damaged.*books do not balance: messages\.scheduled 5 ≠/],
  ['round trips without messages', one({ counters: { ...one().counters, 'messages.matched': 4, 'messages.rejected': 1, 'messages.received': 5 } }), /4 messages were matched, and 5 have a round trip/],
  ['rows of two seconds', one({ series: { ...one().series, secondsPerRow: 2 } }), /a row of its series is 2 s, and 1 s in a\.json/],
  ['a second of another name', one({ series: due({ second: 7 }) }), /second 0 of its series is called 7/],
];
for (const [name, second, says] of refusals) {
  test(`refused: ${name}`, () => {
    assert.throws(() => mergeResults(named([two, second])), { code: 'USAGE', message: says });
  });
}

test('refused: another kind, the same run twice, a single one', () => {
  const a = { name: 'a.json', result: two };
  assert.throws(() => mergeResults([a, { name: 'q.json', result: quickPassed() }]), {
    code: 'USAGE',
    message: /^q\.json: cannot be merged: it is a quick run/,
  });
  assert.throws(() => mergeResults([a, { name: 'copy.json', result: structuredClone(two) }]), {
    code: 'USAGE',
    message: /^copy\.json: cannot be merged: it is the same run as a\.json/,
  });
  assert.throws(() => mergeResults([a]), { code: 'USAGE', message: /two or more/ });
});

test('two machines that began in the same second have runs of one id, and are two shards', () => {
  const other = one({ derived: { ...two.derived, uptime: 0.5 } }, '2');
  assert.equal(mergeResults(named([two, other])).derived.uptime, 0.75);
});

test('thresholds are judged on the sums, and what shards said of theirs is forgotten', () => {
  const lossy = shardOf([...some, { second: 1, fate: 'lost' }], seconds, 'lossy');
  const failed = {
    ...lossy,
    outcome: 'failed' as const,
    reasons: [{ code: 'threshold' as const, message: 'old' }],
  };
  const plenty = shardOf(
    Array.from({ length: 300 }, () => ({ second: 0, fate: 50 })),
    seconds,
    'plenty',
  );
  const merged = mergeResults(named([failed, plenty]));
  assert.deepEqual([merged.outcome, merged.reasons], ['passed', []]);
  assert.equal(merged.derived.error_rate, 1 / 306);
  const both = mergeResults(named([failed, one()]));
  assert.deepEqual(
    [both.outcome, both.reasons.map(({ message: words }) => words)],
    ['failed', ['error_rate 9.09091 %, wanted < 1 %']],
  );
});

test('thresholds that only one shard had are kept, and said', () => {
  const strict = parseThreshold('messages.matched>=11');
  const record = { ...strict, actual: 5, ok: false };
  const merged = mergeResults(named([{ ...two, thresholds: [...two.thresholds, record] }, one()]));
  assert.equal(merged.thresholds.length, two.thresholds.length + 1);
  assert.equal(merged.reasons[0]?.message, 'messages.matched 10, wanted >= 11');
  assert.ok(
    merged.warnings.some(({ message: words }) => /not every shard had the same thresholds/.test(words)),
  );
});

test('what is to be said of a shard is said with its number', () => {
  const limited = { ...stressInconclusive(), run: { ...stressInconclusive().run, id: 'limited' } };
  const { series: _series, ...noSeries } = stressPassed();
  const empty = { due: [], wall: [] };
  const passed = { ...noSeries, series: empty } as StressResult;
  const stopped = { ...stressInterrupted(), series: empty, warnings: [{ code: 'x', message: 'odd' }] };
  const merged = mergeResults(named([passed, { ...limited, series: empty }, stopped]));
  assert.deepEqual(
    merged.reasons.map(({ code }) => code),
    ['sigint', 'generator-limited'],
  );
  assert.match(merged.reasons[0]?.message ?? '', /^shard 3: interrupted by SIGINT/);
  assert.match(merged.reasons[1]?.message ?? '', /^worker 2: send lag p99 180 ms/);
  assert.equal(merged.outcome, 'inconclusive');
  assert.equal(merged.run.complete, false);
  assert.ok(merged.warnings.some(({ message: words }) => words === 'shard 3: odd'));
  assert.ok(merged.warnings.some(({ code }) => code === 'shards-embedded'));
  assert.equal(merged.generator.workers, 3);
  assert.deepEqual(merged.phases.measureMs, 30_000);
});

test('shards that did not run at the same time, by their clocks, are told, and add up all the same', () => {
  const at = (startedAt: string, id: string): StressResult => {
    const result = seriesOf(3, 1000, id.length);
    return { ...result, run: { ...result.run, id, startedAt, durationMs: 7000 } };
  };
  const together = mergeResults(
    named([at('2026-11-23T02:30:00.000Z', 'a'), at('2026-11-23T02:30:06.900Z', 'bb')]),
  );
  assert.ok(together.warnings.every(({ code }) => code !== 'shards-clocks'));
  assert.equal(together.run.durationMs, 13_900);
  const apart = [
    at('2026-11-23T03:30:00.000Z', 'a'),
    at('2026-11-23T02:30:00.000Z', 'bb'),
    at('2026-11-23T02:30:01.000Z', 'ccc'),
  ];
  const merged = mergeResults(named(apart));
  const said = merged.warnings.filter(({ code }) => code === 'shards-clocks');
  assert.match(said[0]?.message ?? '', /^shard 1 began 59 m 53 s after shard 2 had ended: /);
  assert.equal(said.length, 1);
  assert.deepEqual([merged.run.startedAt, merged.run.durationMs], ['2026-11-23T02:30:00.000Z', 7000]);
  const utc = apart.map((shard) => ({
    ...shard,
    run: { ...shard.run, startedAt: '2026-11-23T02:30:00.000Z' },
  }));
  const { metrics, counters, series } = mergeResults(named(utc));
  assert.deepEqual([merged.metrics, merged.counters, merged.series], [metrics, counters, series]);
});

test('workers are numbered through all shards', () => {
  const health = one().generator;
  const worker = {
    worker: 1,
    loopDelay: health.loopDelay,
    cpu: 0.1,
    gc: health.gc,
    sendLagP99: 1,
    heapBytes: 1,
  };
  const pair = { ...health, workers: 2, cpu: 0.2, perWorker: [worker, { ...worker, worker: 2 }] };
  const limited = { ...pair, limited: true, reasons: ['worker 2: late'], advice: ['less'] };
  const merged = mergeResults(named([{ ...two, generator: pair }, one({ generator: limited })]));
  assert.deepEqual(
    merged.generator.perWorker?.map((each) => each.worker),
    [1, 2, 3, 4],
  );
  assert.deepEqual([merged.generator.workers, merged.generator.reasons], [4, ['worker 4: late']]);
  assert.equal(merged.generator.cpu.toFixed(3), '0.400');
});

test('a bug in a shard is a bug in the sum', () => {
  const broken = one({
    reasons: [{ code: 'bug', message: 'the books do not balance' }],
    counters: { ...one().counters, 'messages.sent': 4 },
  });
  const merged = mergeResults(named([two, broken]));
  assert.ok(
    merged.reasons.some(({ code, message: words }) => code === 'bug' && words.startsWith('shard 2: ')),
  );
});

test('causes of failures are grouped over shards, and bounded', () => {
  const failures = (from: number) =>
    Array.from({ length: 18 }, (_, at) => ({
      kind: 'handshake',
      detail: `odd ${'x'.repeat(at + from)}`,
      count: 1,
    }));
  const opened = { ...one().counters, 'connections.attempted': 21, 'connections.failed': 18 };
  const merged = mergeResults(
    named([
      one({ counters: opened, failures: failures(1) }, '3'),
      one({ counters: opened, failures: failures(10) }),
    ]),
  );
  assert.ok(merged.failures.length <= 21);
  assert.equal(
    merged.failures.reduce((sum, { count }) => sum + count, 0),
    36,
  );
  assert.deepEqual(merged.failures.find(({ detail }) => detail === 'odd xxxxxxxxxx')?.count, 2);
});
