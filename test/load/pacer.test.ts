// Pacers: pure, so tested without a clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Executor } from '../../lib/load/executors/executor.ts';
import { OpenExecutor } from '../../lib/load/executors/open.ts';
import type { Lane } from '../../lib/load/lane.ts';
import { kinds } from '../../lib/load/ledger.ts';
import { constantPacer, poissonPacer, seededRandom } from '../../lib/load/pacer.ts';
import { whole } from '../../lib/load/part.ts';
import { Schedule } from '../../lib/load/schedule.ts';
import type { Traffic } from '../../lib/load/traffic.ts';

/** Ticks an executor over its window with no sockets, and lists what it sent. */
function sent(
  make: (lanes: Lane[], traffic: Traffic) => Executor,
  stepUs: number,
): { lane: number; dueUs: number; atUs: number }[] {
  const lanes = [0, 1, 2].map((index) => ({ index }) as Lane);
  const seen: { lane: number; dueUs: number; atUs: number }[] = [];
  let atUs = 0;
  const traffic = {
    send: (lane: Lane, dueUs: number) => seen.push({ lane: lane.index, dueUs, atUs }) > 0,
    flush: () => {},
  } as unknown as Traffic;
  const executor = make(lanes, traffic);
  for (let ticks = 0; !executor.done; ticks++) {
    assert.ok(ticks < 1e6, 'the executor ends');
    executor.tick(atUs);
    atUs += stepUs;
  }
  return seen;
}

test('constant arrivals: exactly R·D messages in a window, wherever it lies and however late the ticks are', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 20 }),
      fc.double({ min: 0, max: 1e12, noNaN: true }),
      fc.integer({ min: 500, max: 2_000_000 }),
      (rate, tenths, startUs, stepUs) => {
        const durationUs = tenths * 1e5;
        const window = { kind: kinds.measured, startUs, endUs: startUs + durationUs };
        const seen = sent((lanes, traffic) => {
          const schedule = new Schedule({
            pacer: constantPacer(rate),
            steps: [{ atUs: 0, count: lanes.length }],
            lengthUs: durationUs,
            messages: Number.POSITIVE_INFINITY,
            part: whole,
          });
          const executor = new OpenExecutor(schedule, window, lanes, traffic);
          return {
            // On a busy machine it may hand back its turn before all is sent.
            tick: (atUs: number) => {
              while (executor.nextDueUs <= startUs + atUs) executor.tick(startUs + atUs);
              return 0;
            },
            nextDueUs: 0,
            stop: () => executor.stop(),
            get done() {
              return executor.done;
            },
          };
        }, stepUs);
        assert.equal(seen.length, Math.ceil((rate * tenths) / 10));
        for (const [k, { lane, dueUs, atUs }] of seen.entries()) {
          assert.equal(lane, k % 3);
          assert.ok(Math.abs(dueUs - startUs - (k * 1e6) / rate) < 0.01);
          assert.ok(dueUs <= startUs + atUs, 'never early');
          assert.ok(startUs + atUs < dueUs + stepUs + 0.01, 'never a tick too late');
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('Poisson arrivals: ascending, seeded, with the mean and spread of a Poisson process', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 100_000 }), (seed, rate) => {
      const [a, b] = [poissonPacer(rate, seed), poissonPacer(rate, seed)];
      let last = 0;
      for (let n = 0; n < 200; n++) {
        const dueUs = a(n);
        assert.ok(dueUs >= last && Number.isFinite(dueUs));
        assert.equal(b(n), dueUs);
        last = dueUs;
      }
    }),
  );
  const pacer = poissonPacer(1000, 42);
  const gaps: number[] = [];
  for (let n = 0, last = 0; n < 50_000; n++) {
    const dueUs = pacer(n);
    gaps.push(dueUs - last);
    last = dueUs;
  }
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  assert.ok(Math.abs(mean - 1000) < 20, `mean gap ${mean} µs`);
  // An exponential's standard deviation is its mean.
  assert.ok(Math.abs(Math.sqrt(variance) - 1000) < 30, `spread ${Math.sqrt(variance)} µs`);
});

test('different seeds give different schedules', () => {
  assert.notEqual(poissonPacer(100, 1)(10), poissonPacer(100, 2)(10));
  const random = seededRandom(1);
  for (let i = 0; i < 10_000; i++) {
    const value = random();
    assert.ok(value >= 0 && value < 1);
  }
});
