import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram, maxTimeUs, percentiles, percentileUs, timeStats } from '../../lib/metrics/histogram.ts';

function of(timesUs: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const time of timesUs) histogram.record(time);
  return histogram;
}

/** Whether a recorded value is `exact` within the histogram's three significant digits. */
const close = (value: number | null, exact: number): boolean =>
  value !== null && Math.abs(value - exact) <= Math.max(1, exact * 0.001);

test('NaN and negative times are bugs', () => {
  for (const bad of [Number.NaN, -1, -0.001, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => of([bad]), { code: 'INTERNAL' });
  }
});

test('times are rounded to whole µs, at least 1 µs and at most an hour', () => {
  assert.equal(of([0]).minUs, 1);
  assert.equal(of([0.4]).maxUs, 1);
  assert.equal(of([2.6]).maxUs, 3);
  assert.ok(close(of([maxTimeUs * 2]).maxUs, maxTimeUs));
});

test('an empty histogram has no figures', () => {
  const empty = new Histogram();
  assert.deepEqual([empty.count, empty.minUs, empty.maxUs, empty.meanUs], [0, 0, 0, 0]);
  assert.equal(percentileUs(empty, 50), null);
  assert.equal(percentileUs(empty, 50, 3), null);
  assert.throws(() => empty.valueAtRank(1), { code: 'INTERNAL' });
  assert.deepEqual(timeStats(empty), {
    count: 0,
    censored: 0,
    min: null,
    mean: null,
    p50: null,
    p90: null,
    p95: null,
    p99: null,
    p999: null,
    max: null,
    unit: 'ms',
    reason: 'no samples',
  });
});

// 1000 samples of 1..1000 µs: the value at a rank is the rank itself.
const thousand = of(Array.from({ length: 1000 }, (_, index) => index + 1));
// biome-ignore format: a table
const ranks: [percentile: number, censored: number, rank: number | null][] = [
  [50, 0, 500], [90, 0, 900], [99, 0, 990], [99.9, 0, 999], [100, 0, 1000], [0, 0, 1],
  // One lost message shifts every rank by its share, and takes the last one.
  [50, 1, 501], [99.9, 1, 1000], [100, 1, null],
  [99, 10, 1000], [99, 11, null], [99.9, 2, null],
  [50, 1000, 1000], [50, 1001, null], [50, 1_000_000, null],
];
for (const [percentile, censored, rank] of ranks) {
  test(`p${percentile} of 1000 finite and ${censored} lost is ${rank === null ? 'lost' : `rank ${rank}`}`, () => {
    const value = percentileUs(thousand, percentile, censored);
    if (rank === null) assert.equal(value, null);
    else assert.ok(close(value, rank), `${value}`);
  });
}

test('99.9 % of 1000 is rank 999, not 1000, in spite of floating point', () => {
  assert.equal(percentileUs(of([...Array(999).fill(10), 5000]), 99.9), 10);
});

test('with lost messages there is no mean and no maximum, but a minimum and the lower percentiles', () => {
  const stats = timeStats(thousand, 20);
  assert.deepEqual(
    [stats.mean, stats.max, stats.p99, stats.p999, stats.reason],
    [null, null, null, null, 'lost'],
  );
  assert.deepEqual([stats.count, stats.censored, stats.min], [1000, 20, 0.001]);
  assert.ok(close((stats.p50 ?? 0) * 1000, 510));
});

test('stats are in ms', () => {
  const stats = timeStats(of([1000, 2000, 3000]));
  assert.deepEqual([stats.min, stats.mean, stats.unit], [1, 2, 'ms']);
  assert.ok(close((stats.max ?? 0) * 1000, 3000));
});

test('a decoded histogram that records on keeps a true mean', () => {
  const decoded = Histogram.decode(of(Array(1000).fill(10_000)).encode());
  decoded.record(10_000);
  assert.ok(close(decoded.meanUs, 10_000), `${decoded.meanUs}`);
  const merged = of([10_000]);
  merged.add(decoded);
  merged.record(10_000);
  assert.ok(close(merged.meanUs, 10_000), `${merged.meanUs}`);
});

test('reset forgets everything', () => {
  const histogram = Histogram.decode(of([5, 10]).encode());
  histogram.reset();
  assert.equal(histogram.count, 0);
  histogram.record(7);
  assert.deepEqual([histogram.count, histogram.meanUs, histogram.maxUs], [1, 7, 7]);
});

const times = fc.array(fc.integer({ min: 1, max: maxTimeUs }), { minLength: 1, maxLength: 200 });

test('percentiles are the values at their ranks, to three digits', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(times, fc.nat(50), (sample, censored) => {
      const sorted = [...sample].sort((a, b) => a - b);
      const histogram = of(sample);
      for (const percentile of [...Object.values(percentiles), 1, 33.3, 100]) {
        // Ranks by exact integers: tenths of a percent.
        const rank = Math.max(
          1,
          Math.ceil((Math.round(percentile * 10) * (sample.length + censored)) / 1000),
        );
        const value = percentileUs(histogram, percentile, censored);
        const exact = sorted[rank - 1];
        if (exact === undefined) assert.equal(value, null);
        else assert.ok(close(value, exact), `p${percentile}: ${value}, exact ${exact}`);
      }
    }),
    { numRuns: 60 },
  );
});

test('a merge equals all samples in one, however they were split, encoded or not', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(fc.array(times, { maxLength: 4 }), fc.boolean(), (parts, encoded) => {
      // A payload rounds minimum and maximum to their buckets, so like is compared with like.
      const saved = (histogram: Histogram): Histogram =>
        encoded ? Histogram.decode(histogram.encode()) : histogram;
      const merged = new Histogram();
      for (const part of parts) merged.add(saved(of(part)));
      const whole = saved(of(parts.flat()));
      const { mean: meanMerged, ...rest } = timeStats(merged);
      const { mean: meanWhole, ...restWhole } = timeStats(whole);
      assert.deepEqual(rest, restWhole);
      if (meanMerged === null || meanWhole === null) assert.equal(meanMerged, meanWhole);
      else assert.ok(close(meanMerged * 1000, meanWhole * 1000), `${meanMerged} ${meanWhole}`);
    }),
    { numRuns: 60 },
  );
});

test('more lost messages never make a percentile smaller', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(times, fc.nat(100), fc.integer({ min: 1, max: 100 }), (sample, censored, more) => {
      const histogram = of(sample);
      for (const percentile of Object.values(percentiles)) {
        const before = percentileUs(histogram, percentile, censored) ?? Number.POSITIVE_INFINITY;
        const after = percentileUs(histogram, percentile, censored + more) ?? Number.POSITIVE_INFINITY;
        assert.ok(after >= before);
      }
    }),
    { numRuns: 100 },
  );
});
