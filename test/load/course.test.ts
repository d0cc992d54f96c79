// Courses, and the schedules that are made of them: pure, so tested without a clock.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  areaOf,
  type Course,
  courseOf,
  type Leg,
  stepsOf,
  timeOfCount,
  valueAt,
} from '../../lib/load/course.ts';
import { constantPacer, coursePacer, pacerOf, poissonPacer } from '../../lib/load/pacer.ts';
import { numberOf, type Part, whole } from '../../lib/load/part.ts';
import { Schedule } from '../../lib/load/schedule.ts';

const legs = (most: number) =>
  fc.array(
    fc.record({
      durationMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3000 })),
      to: fc.oneof(fc.constant(undefined), fc.constant(0), fc.integer({ min: 0, max: most })),
    }),
    { minLength: 1, maxLength: 6 },
  );
const courses = (most: number) =>
  fc
    .record({ start: fc.integer({ min: 0, max: most }), legs: legs(most) })
    .map(({ start, legs: all }) => courseOf(start, all as Leg[]));

const areaUnder = (course: Course): number => course.reduce((sum, piece) => sum + areaOf(piece), 0);
const endOf = (course: Course): number => course.at(-1)?.endUs ?? 0;

/** The area up to a time, by another way than the code under test. */
function areaTo(course: Course, atUs: number): number {
  let area = 0;
  for (const { startUs, endUs, from, to } of course) {
    const untilUs = Math.min(endUs, Math.max(startUs, atUs));
    const value = from + ((to - from) * (untilUs - startUs)) / (endUs - startUs);
    area += (((from + value) / 2) * (untilUs - startUs)) / 1e6;
  }
  return area;
}

// biome-ignore format: a table
const values: [string, number, Leg[], [number, number][]][] = [
  ['no stage', 7, [], [[0, 0]]],
  ['a hold', 7, [{ durationMs: 2 }], [[0, 7], [1000, 7], [9999, 7]]],
  ['a ramp', 0, [{ durationMs: 10, to: 100 }], [[-5, 0], [0, 0], [2500, 25], [10_000, 100], [20_000, 100]]],
  ['a jump', 10, [{ durationMs: 5 }, { durationMs: 0, to: 50 }, { durationMs: 5 }], [[4999, 10], [5000, 50], [10_000, 50]]],
  ['a jump at the beginning', 10, [{ durationMs: 0, to: 0 }, { durationMs: 10, to: 10 }], [[0, 0], [5000, 5]]],
  ['two jumps at once', 1, [{ durationMs: 0, to: 5 }, { durationMs: 0, to: 9 }, { durationMs: 1 }], [[0, 9]]],
];
for (const [name, start, stages, points] of values) {
  test(`course: ${name}`, () => {
    const course = courseOf(start, stages);
    for (const [atUs, value] of points) assert.ok(Math.abs(valueAt(course, atUs) - value) < 1e-9, `${atUs}`);
  });
}

describe('pacer of a course', () => {
  test('message n is due where the area under the rate is n, ascending, and as many as the area holds', () => {
    fc.assert(
      fc.property(courses(20_000), (course) => {
        const pacer = coursePacer(course);
        let lastUs = 0;
        let n = 0;
        for (let dueUs = pacer(0); dueUs < Number.POSITIVE_INFINITY; dueUs = pacer(++n)) {
          assert.ok(dueUs >= lastUs, `message ${n} at ${dueUs} after ${lastUs}`);
          assert.ok(dueUs <= endOf(course));
          assert.ok(Math.abs(areaTo(course, dueUs) - n) < 1e-4, `message ${n}: ${areaTo(course, dueUs)}`);
          lastUs = dueUs;
        }
        assert.equal(n, Math.max(0, Math.ceil(areaUnder(course) - 1e-6)));
      }),
      { numRuns: 150 },
    );
  });

  test('one rate only: to the last bit the schedule of a constant rate, in however many stages', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.array(fc.integer({ min: 1, max: 999 }), { minLength: 1 }),
        (rate, times) => {
          const course = courseOf(
            rate,
            times.map((durationMs) => ({ durationMs, to: rate })),
          );
          const [one, other] = [
            pacerOf(course, { arrival: 'constant', seed: 1 }, 'measure'),
            constantPacer(rate),
          ];
          for (let n = 0; n < 500; n++) assert.equal(one(n), other(n));
          const [random, same] = [
            pacerOf(course, { arrival: 'poisson', seed: 1 }, 'measure'),
            poissonPacer(rate, 1),
          ];
          for (let n = 0; n < 500; n++) assert.equal(random(n), same(n));
          const slow = coursePacer(course);
          for (let n = 0; n < Math.min(500, areaUnder(course)); n++)
            assert.ok(Math.abs(slow(n) - other(n)) < 0.01);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('no drift: the millionth message of an hour of ramps is due where the closed form says', () => {
    const course = courseOf(0, [
      { durationMs: 1_800_000, to: 1000 },
      { durationMs: 1_800_000, to: 0 },
    ]);
    const whenCount = timeOfCount(course);
    // 1000/1800 a second per second: t = sqrt(2 n / slope).
    for (const n of [1, 250_000, 899_999]) {
      assert.ok(Math.abs(whenCount(n) - Math.sqrt((2 * n * 1800) / 1000) * 1e6) < 1, `${n}`);
    }
    for (const left of [899_000, 100_000, 1]) {
      const us = 3600e6 - Math.sqrt((2 * left * 1800) / 1000) * 1e6;
      assert.ok(Math.abs(whenCount(1_800_000 - left) - us) < 1, `${left} before the end`);
    }
    assert.equal(whenCount(1_800_000), Number.POSITIVE_INFINITY);
  });

  test('a pause holds nothing, and what comes after it goes on where the counting stopped', () => {
    const course = courseOf(100, [
      { durationMs: 1000 },
      { durationMs: 0, to: 0 },
      { durationMs: 1000 },
      { durationMs: 0, to: 10 },
      { durationMs: 500 },
    ]);
    const pacer = coursePacer(course);
    const due = Array.from({ length: 106 }, (_, n) => pacer(n));
    assert.equal(due[99], 990_000);
    assert.deepEqual(due.slice(100), [
      2_000_000,
      2_100_000,
      2_200_000,
      2_300_000,
      2_400_000,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test('random arrivals follow the rate: seeded, ascending, Poisson in every tenth', () => {
    const course = courseOf(0, [{ durationMs: 10_000, to: 20_000 }]);
    const [pacer, same] = [coursePacer(course, 7), coursePacer(course, 7)];
    const tenths = new Array<number>(10).fill(0);
    let lastUs = 0;
    for (let n = 0; ; n++) {
      const dueUs = pacer(n);
      assert.equal(same(n), dueUs);
      if (dueUs === Number.POSITIVE_INFINITY) break;
      assert.ok(dueUs >= lastUs);
      lastUs = dueUs;
      const tenth = Math.min(9, Math.floor(dueUs / 1e6));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const [tenth, n] of tenths.entries()) {
      const mean = 1000 * (2 * tenth + 1);
      assert.ok(Math.abs(n - mean) < 5 * Math.sqrt(mean), `tenth ${tenth}: ${n}, mean ${mean}`);
    }
  });
});

describe('steps', () => {
  test('whole numbers that follow the course within a half, one at a time on slopes', () => {
    fc.assert(
      fc.property(courses(50), (course) => {
        const steps = stepsOf(course);
        assert.equal(steps[0]?.atUs, 0);
        for (const [index, { atUs, count }] of steps.entries()) {
          const before = steps[index - 1];
          if (before) assert.ok(atUs > before.atUs && count !== before.count);
          const untilUs = steps[index + 1]?.atUs ?? endOf(course);
          for (const share of [0.001, 0.5, 0.999]) {
            const value = valueAt(course, atUs + share * (untilUs - atUs));
            assert.ok(Math.abs(value - count) <= 0.5 + 1e-6, `${count} where the course is at ${value}`);
          }
        }
      }),
    );
  });

  test('a jump is one step, a ramp one for each', () => {
    const steps = stepsOf(
      courseOf(2, [
        { durationMs: 4, to: 4 },
        { durationMs: 0, to: 10 },
        { durationMs: 1 },
        { durationMs: 2, to: 8 },
      ]),
    );
    assert.deepEqual(steps, [
      { atUs: 0, count: 2 },
      { atUs: 1000, count: 3 },
      { atUs: 3000, count: 4 },
      { atUs: 4000, count: 10 },
      { atUs: 5500, count: 9 },
      { atUs: 6500, count: 8 },
    ]);
  });
});

describe('schedule', () => {
  /** All messages of a schedule, or of a part of its time, with the connection of each. */
  function walk(
    rate: Course,
    connections: Course,
    part: Part,
    { messages = Number.POSITIVE_INFINITY, fromUs = 0, toUs = endOf(rate) } = {},
  ): { dueUs: number; slot: number }[] {
    const schedule = new Schedule({
      pacer: pacerOf(rate, { arrival: 'constant', seed: 1 }, 'measure'),
      steps: stepsOf(connections),
      fromUs,
      lengthUs: toUs,
      messages,
      part,
    });
    const seen: { dueUs: number; slot: number }[] = [];
    for (; schedule.index >= 0; schedule.next())
      seen.push({ dueUs: schedule.offsetUs, slot: numberOf(part, schedule.index) });
    return seen;
  }

  const both = fc.record({
    rate: fc.integer({ min: 0, max: 3000 }),
    connections: fc.integer({ min: 1, max: 30 }),
    stages: fc.array(
      fc.record({
        durationMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2000 })),
        rate: fc.integer({ min: 0, max: 3000 }),
        connections: fc.integer({ min: 1, max: 30 }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  });

  type Both = typeof both extends fc.Arbitrary<infer T> ? T : never;
  const coursesOf = ({ rate, connections, stages }: Both): { course: Course; rates: Course } => ({
    course: courseOf(
      connections,
      stages.map((stage) => ({ durationMs: stage.durationMs, to: stage.connections })),
    ),
    rates: courseOf(
      rate,
      stages.map((stage) => ({ durationMs: stage.durationMs, to: stage.rate })),
    ),
  });

  test('every message goes to a connection that is asked for when it is due, and all get their turn', () => {
    fc.assert(
      fc.property(both, (load) => {
        const { course, rates } = coursesOf(load);
        let last = -1;
        for (const { dueUs, slot } of walk(rates, course, whole)) {
          const asked = valueAt(course, dueUs);
          assert.ok(slot <= Math.max(0, asked - 0.5 + 1e-6), `connection ${slot} of ${asked}`);
          assert.ok(slot === last + 1 || slot === 0);
          // Back to the first only after the last.
          if (slot === 0 && last >= 0) assert.ok(last + 1 >= asked - 0.5 - 1e-6, `${last} of ${asked}`);
          last = slot;
        }
      }),
      { numRuns: 100 },
    );
  });

  test('workers share one schedule: together they send what one would, each on its own connections', () => {
    fc.assert(
      fc.property(both, fc.integer({ min: 2, max: 5 }), (load, workers) => {
        const { course, rates } = coursesOf(load);
        const parts = Array.from({ length: workers }, (_, worker) =>
          walk(rates, course, { worker, workers }),
        );
        for (const [worker, part] of parts.entries())
          assert.ok(part.every(({ slot }) => slot % workers === worker));
        const merged = parts.flat().sort((a, b) => a.dueUs - b.dueUs || a.slot - b.slot);
        const all = walk(rates, course, whole).sort((a, b) => a.dueUs - b.dueUs || a.slot - b.slot);
        assert.deepEqual(merged, all);
      }),
      { numRuns: 60 },
    );
  });

  test('two schedules, one from where the other ends, are one', () => {
    fc.assert(
      fc.property(both, fc.double({ min: 0, max: 1, noNaN: true }), (load, cut) => {
        const { course, rates } = coursesOf(load);
        // To the µs: an end has a nanosecond's grace, in which no message of either is due then.
        const cutUs = Math.floor(cut * endOf(rates)) + 0.5;
        for (const part of [whole, { worker: 1, workers: 2 }]) {
          const first = walk(rates, course, part, { toUs: Math.min(cutUs, endOf(rates)) });
          const second = walk(rates, course, part, { fromUs: cutUs });
          const all = walk(rates, course, part);
          const isNearCut = all.some(({ dueUs }) => Math.abs(dueUs - cutUs) < 0.01);
          if (!isNearCut) assert.deepEqual([...first, ...second], all);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('constant load: message k on connection k mod C, and no more than were asked for', () => {
    const flat = (value: number) => courseOf(value, [{ durationMs: 1000 }]);
    const seen = walk(flat(1000), flat(7), whole);
    assert.equal(seen.length, 1000);
    for (const [k, { slot }] of seen.entries()) assert.equal(slot, k % 7);
    assert.equal(walk(flat(1000), flat(7), whole, { messages: 123 }).length, 123);
    assert.equal(walk(flat(0), flat(7), whole).length, 0);
  });
});
