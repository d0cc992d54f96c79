// When a lost connection tries again: pure, with chance given.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lane, type LaneOwner } from '../../lib/load/lane.ts';
import { DueHeap } from '../../lib/load/reconnect/due-heap.ts';
import { backoffCapMs, nextAttemptUs, retryWindow } from '../../lib/load/reconnect/policy.ts';
import { Reconnector } from '../../lib/load/reconnect/reconnector.ts';
import { type StormState, stormEndUs } from '../../lib/load/reconnect/storm.ts';

const s = 1e6;
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('reconnect policy: the backoff doubles from 0.5 s to 30 s, and stays there', { timeout: 10_000 }, () => {
  const caps = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map(backoffCapMs);
  assert.deepEqual(caps, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('reconnect policy: jitter is anywhere between at once and the backoff, or in the window', {
  timeout: 20_000,
}, () => {
  fc.assert(
    fc.property(
      chance,
      fc.nat(20),
      fc.nat(1e6),
      fc.nat(10_000),
      fc.nat(10_000),
      (random, step, atUs, min, length) => {
        const free = nextAttemptUs('jitter', atUs, step, undefined, random);
        assert.ok(free >= atUs && free <= atUs + backoffCapMs(step) * 1000);
        const window = { fromUs: atUs + min * 1000, toUs: atUs + (min + length) * 1000 };
        const asked = nextAttemptUs('jitter', atUs, step, window, random);
        assert.ok(asked >= window.fromUs && asked <= window.toUs, 'however often it waited before');
        assert.equal(nextAttemptUs('immediate', atUs, step, window, random), atUs);
        const after = nextAttemptUs('jitter', atUs, step, retryWindow(atUs, min), random);
        assert.ok(after >= atUs + min * 1000 && after <= atUs + min * 1000 + backoffCapMs(step) * 1000);
      },
    ),
  );
});

test('reconnect policy: what is left of a window is used evenly, and one that is over means now', {
  timeout: 10_000,
}, () => {
  const window = { fromUs: 100, toUs: 300 };
  assert.equal(nextAttemptUs('jitter', 50, 3, window, 0), 100);
  assert.equal(nextAttemptUs('jitter', 50, 3, window, 0.5), 200);
  assert.equal(nextAttemptUs('jitter', 200, 3, window, 0.5), 250);
  assert.equal(nextAttemptUs('jitter', 1000, 3, window, 0.9), 1000);
});

test('reconnect policy: no Retry-After is waited for longer than a minute', { timeout: 10_000 }, () => {
  assert.deepEqual(retryWindow(7, 86_400_000), { fromUs: 7 + 60 * s, toUs: Number.POSITIVE_INFINITY });
});

for (const isDrained of [false, true]) {
  const what = isDrained ? 'a wait within a window is none of the backoff' : 'each wait doubles the backoff';
  test(`reconnector: ${what}`, { timeout: 10_000 }, () => {
    const places = 300;
    const retries: number[] = [];
    const plan = { policy: 'jitter', seed: 7, places, isStorm: false } as const;
    const reconnector = new Reconnector(plan, (place) => retries.push(place));
    const lanes = Array.from({ length: places }, (_, place) => {
      const lane = new Lane({ index: place, place, number: place, isSlow: false }, {} as LaneOwner);
      if (isDrained) lane.drain = { toldUs: 0, minMs: 0, maxMs: 100 };
      return lane;
    });
    reconnector.begin([], 0, 0);
    for (const lane of lanes) reconnector.lost(lane, 1001, 'peer', true, 0);
    // Each attempt fails when all were made; how long the last place waited then.
    const longestMs = [0, 1, 2].map((round) => {
      const startUs = round * 10 * s;
      retries.length = 0;
      let atUs = startUs;
      while (retries.length < places) {
        atUs = reconnector.nextUs;
        reconnector.tick(atUs);
      }
      for (const { place } of lanes) reconnector.attempted(place, atUs);
      for (const { place } of lanes) reconnector.failed(place, undefined, startUs + 10 * s);
      return (atUs - startUs) / 1000;
    });
    // Of 300 evenly drawn the longest is close to the bound.
    const bounds = isDrained ? [100, 500, 1000] : [500, 1000, 2000];
    for (const [round, boundMs] of bounds.entries()) {
      const ms = longestMs[round] ?? 0;
      assert.ok(ms <= boundMs && ms > 0.9 * boundMs, `wait ${round}: ${ms} ms of ${boundMs} ms`);
    }
  });
}

test('due heap: gives what is due, the earliest first', { timeout: 20_000 }, () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 200 }), fc.nat(1000), (times, atUs) => {
      const heap = new DueHeap();
      for (const [what, time] of times.entries()) heap.add(what, time);
      assert.equal(heap.nextUs, Math.min(Number.POSITIVE_INFINITY, ...times));
      const taken: number[] = [];
      for (let what = heap.take(atUs); what !== undefined; what = heap.take(atUs)) taken.push(what);
      assert.deepEqual(
        [...taken].sort((a, b) => a - b),
        times.flatMap((time, what) => (time <= atUs ? [what] : [])),
      );
      const due = taken.map((what) => times[what] ?? -1);
      assert.deepEqual(
        due,
        [...due].sort((a, b) => a - b),
      );
      assert.ok(heap.nextUs > atUs);
    }),
  );
});

test('storm: ends when all are back and everybody has said so, or at its deadline', {
  timeout: 10_000,
}, () => {
  const plan = { drop: 'rst', beforeMs: 1000, deadlineMs: 5000, afterMs: 500 } as const;
  const end = (state: Partial<StormState>, atUs: number, drop: 'rst' | null = 'rst'): number | undefined => {
    const nothing = { lost: 0, away: 0, firstLostUs: Number.POSITIVE_INFINITY, lastBackUs: 0, toldUs: atUs };
    return stormEndUs({ ...plan, drop }, { ...nothing, ...state }, 0, atUs);
  };
  const back = { lost: 9, away: 0, firstLostUs: 1 * s, lastBackUs: 3 * s };
  assert.equal(end({ ...back, away: 1 }, 4 * s), undefined);
  assert.equal(end(back, 3.4 * s), undefined, 'the load goes on');
  assert.equal(end(back, 3.5 * s), 3.5 * s);
  assert.equal(end({ ...back, toldUs: 3 * s }, 3.5 * s), undefined, 'not everybody has told');
  assert.equal(end({ ...back, away: 1 }, 6 * s), 6 * s, 'given up');
  assert.equal(end({}, 6 * s), undefined, 'the drop is still to come');
  assert.equal(end({}, 0.9 * s, null), undefined);
  assert.equal(end({}, 1 * s, null), 1 * s, 'the server did not restart');
});
