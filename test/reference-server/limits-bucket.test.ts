import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Decision, TokenBucket } from '../../reference-server/limits/bucket.ts';
import { MemoryLimits } from '../../reference-server/limits/memory.ts';
import { ParkedBuckets } from '../../reference-server/limits/parked.ts';
import { Place } from '../../reference-server/limits/place.ts';
import { limitsPresets, type MessageLimits } from '../../reference-server/limits/presets.ts';
import { FakeClock } from './fake-clock.ts';

const limited = (['development', 'production', 'test'] as const).map((name) => {
  const { messages } = limitsPresets[name];
  assert.ok(messages);
  return messages;
});

const limitsArbitrary = fc.oneof(
  fc.constantFrom(...limited),
  fc.record({
    messagesPerMinute: fc.integer({ min: 1, max: 6000 }),
    burstLimit: fc.integer({ min: 1, max: 30 }),
    violationPenaltyMs: fc.integer({ min: 0, max: 5000 }),
  }),
);

/** Gaps between messages: bursts, small steps and long pauses, whole and fractional. */
const gapsArbitrary = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 100 }) },
    { weight: 2, arbitrary: fc.double({ min: 0, max: 50, noNaN: true }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 70_000 }) },
  ),
  { minLength: 1, maxLength: 150 },
);

/** accepted ≤ burst + rate · Δt between every two accepted messages, both included. */
function assertBound(times: readonly number[], limits: MessageLimits): void {
  const perMs = limits.messagesPerMinute / 60_000;
  for (const [from, start] of times.entries()) {
    for (let to = from; to < times.length; to++) {
      const allowed = limits.burstLimit + perMs * ((times[to] ?? 0) - start);
      assert.ok(to - from + 1 <= allowed + 1e-6, `${to - from + 1} accepted where ${allowed} are allowed`);
    }
  }
}

/** A server's limits on messages, as connections meet them: they come under a key, move to another, and go. */
function house(messages: MessageLimits): {
  clock: FakeClock;
  come(key: string): { take(): boolean; move(key: string): void; leave(): void };
} {
  const clock = new FakeClock();
  const limits = new MemoryLimits({ ...limitsPresets.off, messages }, clock);
  return {
    clock,
    come(key) {
      const entered = limits.enter(key, true);
      assert.ok(entered.ok && entered.bucket);
      const { bucket } = entered;
      const place = new Place(limits, clock, key, bucket);
      return {
        take: () => bucket.take(clock.nowMs()).accepted,
        move: (to) => void place.move(to),
        leave: () => place.leave(),
      };
    },
  };
}

function isAccepted(decision: Decision): boolean {
  return decision.accepted;
}

test('accepted ≤ burst + rate·Δt in every window of every trace', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(limitsArbitrary, gapsArbitrary, (limits, gaps) => {
      const bucket = new TokenBucket(limits, 0);
      const times: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        if (isAccepted(bucket.take(now))) times.push(now);
      }
      assertBound(times, limits);
    }),
    { numRuns: 500 },
  );
});

test('the bound holds with charged PONGs counted, up to those that were due anyway', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(limitsArbitrary, gapsArbitrary, (limits, gaps) => {
      const bucket = new TokenBucket(limits, 0);
      const times: number[] = [];
      let now = 0;
      for (const [index, gap] of gaps.entries()) {
        now += gap;
        if (index % 7 === 3) bucket.charge(now);
        else if (isAccepted(bucket.take(now))) times.push(now);
      }
      assertBound(times, limits);
    }),
    { numRuns: 200 },
  );
});

test('closing and reconnecting at any moment gains nothing', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(limitsArbitrary, gapsArbitrary, fc.array(fc.boolean()), (limits, gaps, reconnects) => {
      const parked = new ParkedBuckets(limits);
      let bucket = parked.adopt('alice', 0);
      const times: number[] = [];
      let now = 0;
      for (const [index, gap] of gaps.entries()) {
        now += gap;
        if (reconnects[index % Math.max(1, reconnects.length)]) {
          parked.park('alice', bucket, now);
          bucket = parked.adopt('alice', now);
        }
        if (isAccepted(bucket.take(now))) times.push(now);
      }
      assertBound(times, limits);
    }),
    { numRuns: 300 },
  );
});

test('n connections of one key have n budgets, however they come and go', { timeout: 60_000 }, () => {
  const roundsArbitrary = fc.array(
    fc.record({
      gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 10_000 })),
      closed: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      byAuth: fc.boolean(),
    }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(limitsArbitrary, roundsArbitrary, (limits, rounds) => {
      const { clock, come } = house(limits);
      const open: (ReturnType<typeof come> | undefined)[] = [undefined, undefined, undefined];
      const times: number[] = [];
      for (const { gap, closed, byAuth } of rounds) {
        clock.advance(gap);
        for (const index of open.keys()) {
          if (open[index]) continue;
          const each = come(byAuth ? 'ip' : 'alice');
          if (byAuth) each.move('alice');
          open[index] = each;
        }
        for (const [index, each] of open.entries()) {
          for (let sent = 0; sent < limits.burstLimit; sent++) if (each?.take()) times.push(clock.nowMs());
          if (!each || !closed[index]) continue;
          each.leave();
          open[index] = undefined;
        }
      }
      const { messagesPerMinute, burstLimit } = limits;
      const all = {
        ...limits,
        messagesPerMinute: messagesPerMinute * open.length,
        burstLimit: burstLimit * open.length,
      };
      assertBound(times, all);
    }),
    { numRuns: 300 },
  );
});

test('of several parked buckets the strictest is adopted first, and their number is bounded', () => {
  const limits = { messagesPerMinute: 60, burstLimit: 5, violationPenaltyMs: 1000 };
  const parked = new ParkedBuckets(limits, 10, 2);
  const spent = [1, 6, 3].map((count) => {
    const bucket = new TokenBucket(limits, 0);
    for (let sent = 0; sent < count; sent++) bucket.take(0);
    return bucket;
  });
  for (const bucket of spent) parked.park('alice', bucket, 0);
  const left = [0, 1, 2].map(() => {
    const bucket = parked.adopt('alice', 0);
    let accepted = 0;
    while (bucket.take(0).accepted) accepted += 1;
    return accepted;
  });
  assert.deepEqual(left, [0, 2, 5]);
});

test('anonymous bursts and AUTH in any order gain nothing for the IP', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      limitsArbitrary,
      gapsArbitrary,
      fc.array(fc.nat(3), { minLength: 1 }),
      (limits, gaps, moves) => {
        const { clock, come } = house(limits);
        let connection = come('ip');
        let key = 'ip';
        const accepted: { key: string; at: number }[] = [];
        for (const [index, gap] of gaps.entries()) {
          clock.advance(gap);
          const move = moves[index % moves.length];
          if (move === 1 && key === 'ip') {
            connection.move('sub');
            key = 'sub';
          } else if (move === 2) {
            connection.leave();
            key = 'ip';
            connection = come(key);
          }
          if (connection.take()) accepted.push({ key, at: clock.nowMs() });
        }
        for (const each of ['ip', 'sub']) {
          assertBound(
            accepted.filter(({ key: of }) => of === each).map(({ at }) => at),
            limits,
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a connection that spent its burst anonymously has nothing left after AUTH', () => {
  const [limits] = limited;
  assert.ok(limits);
  const connection = house(limits).come('ip');
  for (let sent = 0; sent < limits.burstLimit; sent++) assert.ok(connection.take());
  connection.move('sub');
  assert.ok(!connection.take());
});

for (const limits of limited) {
  const { burstLimit, messagesPerMinute, violationPenaltyMs } = limits;
  test(`the penalty is exact to 1 ms and refusals do not extend it (${messagesPerMinute}/min)`, () => {
    const bucket = new TokenBucket(limits, 0);
    for (let sent = 0; sent < burstLimit; sent++) assert.ok(bucket.take(0).accepted);
    const violation = bucket.take(0);
    assert.ok(!violation.accepted);
    assert.equal(violation.retryAfterMs, violationPenaltyMs);
    assert.ok(violation.notify);
    for (let at = 1; at < violationPenaltyMs; at += Math.ceil(violationPenaltyMs / 50)) {
      assert.ok(!bucket.take(at).accepted, `accepted at ${at}`);
    }
    assert.ok(!bucket.take(violationPenaltyMs - 1).accepted);
    assert.ok(bucket.take(violationPenaltyMs).accepted);
  });

  test(`refill goes on during the penalty (${messagesPerMinute}/min)`, () => {
    const bucket = new TokenBucket(limits, 0);
    for (let sent = 0; sent <= burstLimit; sent++) bucket.take(0);
    const refilled = Math.min(burstLimit, Math.floor((violationPenaltyMs * messagesPerMinute) / 60_000));
    let accepted = 0;
    while (bucket.take(violationPenaltyMs).accepted) accepted += 1;
    assert.equal(accepted, refilled);
  });

  test(`after max(100, 10 × burst) refusals the connection is closed (${messagesPerMinute}/min)`, () => {
    const bucket = new TokenBucket(limits, 0);
    for (let sent = 0; sent < burstLimit; sent++) bucket.take(0);
    const limit = Math.max(100, 10 * burstLimit);
    for (let refusal = 1; refusal <= limit; refusal++) {
      const decision = bucket.take(0);
      assert.ok(!decision.accepted);
      assert.equal(decision.close, refusal === limit, `refusal ${refusal}`);
    }
  });
}

test('the announced wait is the penalty, to the millisecond, at any fractional time', () => {
  const limits = { messagesPerMinute: 1, burstLimit: 1, violationPenaltyMs: 1000 };
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (at) => {
      const bucket = new TokenBucket(limits, at);
      bucket.take(at);
      const violation = bucket.take(at);
      assert.ok(!violation.accepted);
      assert.equal(violation.retryAfterMs, 1000);
    }),
    { numRuns: 2000 },
  );
});

test('a charge is taken even where there is nothing, and has to be paid back', () => {
  const bucket = new TokenBucket({ messagesPerMinute: 60, burstLimit: 2, violationPenaltyMs: 0 }, 0);
  for (let pongs = 0; pongs < 3; pongs++) bucket.charge(0);
  assert.ok(!bucket.take(1999).accepted);
  assert.ok(bucket.take(2000).accepted);
});

test('one notice at the violation, then at most one a second with what was suppressed', () => {
  const bucket = new TokenBucket({ messagesPerMinute: 60, burstLimit: 1, violationPenaltyMs: 10_000 }, 0);
  bucket.take(0);
  const notices: [number, number][] = [];
  for (let at = 0; at < 5000; at += 100) {
    const decision = bucket.take(at);
    assert.ok(!decision.accepted);
    if (decision.notify) notices.push([at, decision.suppressed]);
  }
  assert.deepEqual(notices, [
    [0, 0],
    [1000, 9],
    [2000, 9],
    [3000, 9],
    [4000, 9],
  ]);
});

test('parked buckets are bounded, and those that have recovered are dropped', () => {
  const limits = { messagesPerMinute: 60, burstLimit: 2, violationPenaltyMs: 1000 };
  const parked = new ParkedBuckets(limits, 100);
  for (let key = 0; key < 500; key++) {
    const bucket = parked.adopt(`k${key}`, 0);
    bucket.take(0);
    parked.park(`k${key}`, bucket, 0);
  }
  assert.equal(parked.size, 100);
  const late = parked.adopt('late', 10_000);
  late.take(10_000);
  parked.park('late', late, 10_000);
  assert.equal(parked.size, 1);
});
