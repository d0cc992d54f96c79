// Intervals: exact sums, the same answer each time, and "likely" about as often as chance alone may say it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockLength, resample, widening } from '../../lib/compare/bootstrap.ts';
import { changeInterval } from '../../lib/compare/change-interval.ts';
import { RankTable, type SecondOfTimes } from '../../lib/compare/percentile-statistic.ts';
import { seededRandom } from '../../lib/compare/random.ts';
import { allOf, type Blocks, ratioStatistic, type Statistic } from '../../lib/compare/statistic.ts';
import { Histogram, percentileUs } from '../../lib/metrics/histogram.ts';

const uniform = (seed: number) => {
  const random = seededRandom(seed);
  return () => (random(2 ** 32) + 0.5) / 2 ** 32;
};

/** Seconds of round trips of about a millisecond; neighbours are alike by `dependence`, 0–1. */
function secondsOf(count: number, seed: number, scale = 1, dependence = 0, spread = 0.15): SecondOfTimes[] {
  const draw = uniform(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());
  const histogram = new Histogram();
  let level = spread * normal();
  return Array.from({ length: count }, () => {
    level = dependence * level + Math.sqrt(1 - dependence ** 2) * spread * normal();
    histogram.reset();
    for (let i = 0; i < 60; i++) histogram.record(scale * 2000 * Math.exp(level + 0.5 * normal()));
    const { places, counts } = histogram.data();
    return { places, counts, censored: 0 };
  });
}

const p = (seconds: readonly SecondOfTimes[], percentile: number): Statistic =>
  new RankTable(seconds).statistic(percentile);

test('a percentile of chosen seconds is that of their histograms put together', { timeout: 60_000 }, () => {
  const second = fc.record({
    times: fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 20 }),
    censored: fc.nat(2),
  });
  const chosen = fc.array(fc.tuple(fc.nat(11), fc.integer({ min: 1, max: 4 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(second, { minLength: 12, maxLength: 12 }), chosen, (seconds, picks) => {
      const data = seconds.map(({ times, censored }) => {
        const histogram = new Histogram();
        for (const us of times) histogram.record(us);
        return { ...histogram.data(), censored };
      });
      const blocks: Blocks = {
        starts: Int32Array.from(picks, ([start]) => start),
        ends: Int32Array.from(picks, ([start, length]) => Math.min(12, start + length)),
      };
      const whole = new Histogram();
      let censored = 0;
      for (const [start, length] of picks) {
        for (const one of data.slice(start, start + length)) {
          whole.addData(one);
          censored += one.censored;
        }
      }
      for (const percentile of [50, 90, 99]) {
        const got = p(data, percentile).of(blocks);
        const wanted = percentileUs(whole, percentile, censored);
        if (whole.count + censored === 0) assert.ok(Number.isNaN(got));
        else if (wanted === null) assert.equal(got, Number.POSITIVE_INFINITY);
        // A histogram never says more than its maximum; a place does, by its width.
        else assert.ok(got >= wanted && got <= wanted * 1.001 + 1, `p${percentile}: ${got} ${wanted}`);
      }
    }),
    { numRuns: 100 },
  );
});

test('many different times are joined to columns that are narrow enough', () => {
  const histogram = new Histogram();
  const draw = uniform(3);
  for (let i = 0; i < 50_000; i++) histogram.record(100 + 3e6 * draw() ** 8);
  const data = [{ ...histogram.data(), censored: 0 }];
  assert.ok((data[0]?.places.length ?? 0) > 2000);
  for (const percentile of [50, 90, 99]) {
    const wanted = percentileUs(histogram, percentile) ?? 0;
    const got = p(data, percentile).of(allOf(1));
    assert.ok(Math.abs(got / wanted - 1) < 0.02, `${percentile}: ${got} ${wanted}`);
  }
});

test('blocks lie within the series and give as many seconds as it has', () => {
  for (const seconds of [20, 21, 37, 3600]) {
    const statistic: Statistic = {
      seconds,
      of({ starts, ends }) {
        let total = 0;
        for (const [at, start] of starts.entries()) {
          const end = ends[at] ?? 0;
          assert.ok(start >= 0 && end > start && end <= seconds);
          total += end - start;
        }
        return total;
      },
    };
    assert.ok(resample(statistic, 50, seededRandom(5)).every((total) => total === seconds));
  }
});

test('blocks are 1.3 roots long, and the widening dies away', () => {
  assert.deepEqual([20, 30, 60, 300, 3600].map(blockLength), [6, 8, 11, 23, 78]);
  const factors = [20, 30, 60, 300, 3600, 1e6].map(widening);
  assert.deepEqual(
    factors,
    factors.toSorted((a, b) => b - a),
  );
  assert.ok((factors[0] ?? 0) < 2 && Math.abs((factors[5] ?? 0) - 1) < 0.01, `${factors}`);
});

test('the same seconds give the same interval, and swapped ones its mirror image', () => {
  const [a, b] = [secondsOf(30, 1), secondsOf(30, 2, 1.3)];
  const once = changeInterval(p(a, 90), p(b, 90), 'lower', true);
  assert.deepEqual(changeInterval(p(a, 90), p(b, 90), 'lower', true), once);
  assert.equal(once?.verdict, 'likely worse');
  assert.ok(
    once &&
      (once.low ?? 0) > 0.1 &&
      (once.low ?? 0) < 0.3 &&
      (once.high ?? 0) > 0.3 &&
      (once.high ?? 9) < 0.6,
  );
  const back = changeInterval(p(b, 90), p(a, 90), 'lower', true);
  assert.equal(back?.verdict, 'likely better');
  const mirrored = 1 / (1 + (back?.high ?? 0)) - 1;
  assert.ok(Math.abs(mirrored - (once.low ?? 0)) < 0.05, `${mirrored} ${once.low}`);
  assert.equal(changeInterval(p(a, 90), p(b, 90), 'higher', true)?.verdict, 'likely better');
  assert.equal(changeInterval(p(a, 90), p(b, 90), 'lower', false)?.verdict, 'no evidence');
});

test('a change below 3 % is no evidence of anything, however sure', () => {
  const rate = (perSecond: number): Statistic =>
    ratioStatistic(
      Float64Array.from({ length: 60 }, (_, at) => perSecond + (at % 2)),
      new Float64Array(60).fill(1),
    );
  const small = changeInterval(rate(1000), rate(1020), 'higher', true);
  assert.ok(small && (small.low ?? 0) > 0.015 && (small.high ?? 1) < 0.025);
  assert.equal(small.verdict, 'no evidence');
  assert.equal(changeInterval(rate(1000), rate(1040), 'higher', true)?.verdict, 'likely better');
  assert.equal(changeInterval(rate(1000), rate(900), 'higher', true)?.verdict, 'likely worse');
});

test('lost messages are beyond every number', () => {
  const good = secondsOf(30, 1);
  const losing = (each: number, from = 0): SecondOfTimes[] =>
    good.map((second, at) => ({ ...second, censored: at >= from ? each : 0 }));
  // p90 of 60 and 30 lost is lost in any choice of seconds.
  const all = changeInterval(p(good, 90), p(losing(30), 90), 'lower', true);
  assert.deepEqual([all?.low, all?.high, all?.verdict], [null, null, 'likely worse']);
  // Only the last seconds lose: in most choices, not in all.
  const late = changeInterval(p(good, 90), p(losing(60, 24), 90), 'lower', true);
  assert.equal(late?.high, null);
  assert.ok(late?.low !== null && late?.low !== undefined);
  assert.equal(changeInterval(p(losing(30), 90), p(good, 90), 'lower', true), undefined);
  // A change of the median among lost ones is a change all the same.
  assert.equal(changeInterval(p(good, 50), p(losing(20), 50), 'lower', true)?.verdict, 'likely worse');
});

test('nothing before is nothing to divide by', () => {
  const errors = (each: number): Statistic =>
    ratioStatistic(new Float64Array(30).fill(each), new Float64Array(30).fill(100));
  assert.equal(changeInterval(errors(0), errors(5), 'lower', true), undefined);
  const gone = changeInterval(errors(5), errors(0), 'lower', true);
  assert.deepEqual([gone?.low, gone?.high, gone?.verdict], [-1, -1, 'likely better']);
  assert.equal(changeInterval(p([], 50), p([], 50), 'lower', true), undefined);
});

/** How many of so many pairs are called likely, for any of three percentiles each. */
function called(trials: number, seconds: number, scale: number, dependence: number, spread: number) {
  const likely = { 50: 0, 90: 0, 99: 0 };
  for (let trial = 0; trial < trials; trial++) {
    const before = new RankTable(secondsOf(seconds, 1000 + trial, 1, dependence, spread));
    const after = new RankTable(secondsOf(seconds, 900_000 + trial, scale, dependence, spread));
    for (const percentile of [50, 90, 99] as const) {
      const one = changeInterval(before.statistic(percentile), after.statistic(percentile), 'lower', true);
      if (one?.verdict !== 'no evidence') likely[percentile]++;
    }
  }
  return likely;
}

// Of 100 pairs that are alike, 5 are to be called likely. By chance more than 11 would be in one of 100 such tests; the seeds are
// fixed, so that it is always the same one. Where seconds depend on those before (r = 0.6), 20 is what it may be at most.
// biome-ignore format: a table
const alike: [seconds: number, dependence: number, spread: number, most: number][] = [
  [20, 0, 0.15, 11], [30, 0, 0, 11], [60, 0, 0.15, 11], [60, 0.6, 0.15, 20],
];
for (const [seconds, dependence, spread, most] of alike) {
  test(`A against A, ${seconds} s, dependence ${dependence}, spread ${spread}: likely in about 5 of 100`, {
    timeout: 120_000,
  }, () => {
    const likely = called(100, seconds, 1, dependence, spread);
    for (const [percentile, often] of Object.entries(likely))
      assert.ok(often <= most, `p${percentile}: ${often} of 100`);
  });
}

test('a shift of 20 % is found', { timeout: 120_000 }, () => {
  const likely = called(40, 60, 1.2, 0, 0.15);
  assert.ok(likely[50] >= 36 && likely[90] >= 36, JSON.stringify(likely));
  assert.ok(likely[99] >= 20, JSON.stringify(likely));
});
