import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Point, settled, slopePerMinute } from './theil-sen.ts';

const close = (actual: number, expected: number): void =>
  assert.ok(
    Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
    `${actual}, not ${expected}`,
  );

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const times = fc.uniqueArray(fc.integer({ min: 0, max: 1e6 }), { minLength: 2, maxLength: 40 });
const points: fc.Arbitrary<Point[]> = times.chain((atMs) =>
  fc
    .tuple(...atMs.map(() => finite))
    .map((values) => atMs.map((at, n) => ({ atMs: at, value: values[n] ?? 0 }))),
);

test('on a line it is the slope of the line, in any order', () => {
  fc.assert(
    fc.property(times, finite, finite, (atMs, slope, start) => {
      close(slopePerMinute(atMs.map((at) => ({ atMs: at, value: start + (slope * at) / 60_000 }))), slope);
    }),
  );
});

test('it moves with the values: scaled, shifted, and turned around', () => {
  fc.assert(
    fc.property(points, finite, (given, shift) => {
      const slope = slopePerMinute(given);
      close(slopePerMinute(given.map(({ atMs, value }) => ({ atMs, value: value + shift }))), slope);
      close(slopePerMinute(given.map(({ atMs, value }) => ({ atMs, value: -value }))), -slope);
      close(slopePerMinute(given.map(({ atMs, value }) => ({ atMs: atMs * 2, value }))), slope / 2);
      close(slopePerMinute([...given].reverse()), slope);
    }),
  );
});

test('a quarter of the points may be anything', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 8, max: 40 }),
      finite,
      fc.array(finite, { minLength: 10 }),
      (count, slope, wild) => {
        const lie = Math.floor(count / 4);
        const given = Array.from({ length: count }, (_, n) => ({ atMs: n * 1000, value: (slope * n) / 60 }));
        for (let n = 0; n < lie; n++) {
          const at = (n * 7) % count;
          given[at] = { atMs: at * 1000, value: (wild[n % wild.length] ?? 0) * 1000 };
        }
        // The true slope is among those that more than half of the pairs have, or next to it.
        const honest = given.filter(({ atMs, value }) => value === (slope * (atMs / 1000)) / 60).length;
        if ((honest * (honest - 1)) / 2 > (count * (count - 1)) / 4) close(slopePerMinute(given), slope);
      },
    ),
  );
});

test('the first quarter of the time is dropped, not of the points', () => {
  const given = [0, 1, 2, 3, 24, 25, 60, 100].map((atMs) => ({ atMs, value: 0 }));
  assert.deepEqual(
    settled(given).map(({ atMs }) => atMs),
    [25, 60, 100],
  );
});

test('one time alone has no slope', () => {
  assert.throws(() => slopePerMinute([]), RangeError);
  assert.throws(
    () =>
      slopePerMinute([
        { atMs: 1, value: 1 },
        { atMs: 1, value: 2 },
      ]),
    RangeError,
  );
});
