// What limits that instances share must do, whatever they are made of: run against a factory that joins instances to one backend.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../reference-server/clock.ts';
import type { TokenBucket } from '../../reference-server/limits/bucket.ts';
import type { Limits } from '../../reference-server/limits/presets.ts';
import type { SharedLimits } from '../../reference-server/limits/shared.ts';

/** One backend, on which every instance has these limits. */
export interface LimitsWorld {
  join(limits: Limits): Promise<SharedLimits>;
  end(): Promise<void>;
}

const timeout = 20_000;

/** So slow that no token comes back while a test runs. */
export const slow: Limits = {
  name: 'test',
  messages: { messagesPerMinute: 1, burstLimit: 5, violationPenaltyMs: 30_000 },
  connectionsPerUser: 3,
  upgradesPerIp: { perMinute: 1, burst: 4 },
  statusPerIp: { perMinute: 1, burst: 2 },
};

/** How many messages a bucket has left, which are taken. */
export function drained(bucket: TokenBucket): number {
  let count = 0;
  while (count < 1000 && bucket.take(systemClock.nowMs()).accepted) count += 1;
  return count;
}

/** A connection that was let in, and its bucket. */
export async function entered(limits: SharedLimits, key: string): Promise<TokenBucket> {
  const answer = await limits.enter(key, true);
  assert.ok(answer.ok && answer.bucket, JSON.stringify(answer));
  return answer.bucket;
}

/** Leaves, and waits until everybody can know. */
export async function left(limits: SharedLimits, key: string, bucket?: TokenBucket): Promise<void> {
  limits.leave(key, bucket);
  // Asked after that, answered after that.
  await limits.pass('status', `after ${Math.random()}`);
}

export function limitsContract(name: string, create: () => Promise<LimitsWorld>): void {
  const on = (
    title: string,
    run: (a: SharedLimits, b: SharedLimits, world: LimitsWorld) => Promise<void>,
    limits: Limits = slow,
  ): void => {
    test(`${name}: ${title}`, { timeout }, async (t) => {
      const world = await create();
      t.after(() => world.end());
      await run(await world.join(limits), await world.join(limits), world);
    });
  };

  on('a burst passes over all instances together, then nothing, and says for how long', async (a, b) => {
    const waits: number[] = [];
    for (const each of [a, b, a, b, a, b]) waits.push(await each.pass('upgrades', '192.0.2.7'));
    assert.deepEqual(waits.slice(0, 4), [0, 0, 0, 0]);
    for (const waitMs of waits.slice(4)) assert.ok(waitMs > 50_000 && waitMs <= 60_000, `${waitMs}`);
  });

  on('of many at once exactly the burst passes', async (a, b) => {
    const waits = await Promise.all(
      Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? a : b).pass('upgrades', 'same')),
    );
    assert.equal(waits.filter((waitMs) => waitMs === 0).length, 4);
  });

  on('keys and rates are apart, whatever they are called', async (a, b) => {
    const keys = ['a', 'a:b', 'a*', '*', '{a}', '', 'a\n', 'ä', 'a b', 'A', '__proto__', 'constructor'];
    for (const key of keys) {
      for (const [gate, burst] of [
        ['upgrades', 4],
        ['status', 2],
      ] as const) {
        const waits: number[] = [];
        for (let n = 0; n <= burst; n++) waits.push(await (n % 2 ? a : b).pass(gate, key));
        assert.deepEqual(
          waits.map((waitMs) => waitMs === 0),
          waits.map((_, index) => index < burst),
          JSON.stringify([gate, key]),
        );
      }
    }
  });

  on(
    'who waits as long as it was told passes',
    async (a, b) => {
      assert.equal(await a.pass('upgrades', 'k'), 0);
      const waitMs = await b.pass('upgrades', 'k');
      assert.ok(waitMs > 0 && waitMs <= 200, `${waitMs}`);
      await sleep(waitMs + 1);
      assert.equal(await a.pass('upgrades', 'k'), 0);
    },
    { ...slow, upgradesPerIp: { perMinute: 300, burst: 1 } },
  );

  on(
    'there is room for so many connections of a key over all instances, and again when they leave',
    async (a, b) => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? a : b).enter('alice', false)),
      );
      const isIn = answers.map(({ ok }) => ok);
      assert.equal(isIn.filter((each) => each).length, 3);
      assert.deepEqual(
        answers.find(({ ok }) => !ok),
        { ok: false, why: 'full', retryMs: 1000 },
      );
      assert.equal((await a.enter('bob', false)).ok, true);
      for (const [n, each] of isIn.entries()) if (each) await left(n % 2 ? a : b, 'alice');
      const again = [
        await b.enter('alice', false),
        await b.enter('alice', false),
        await a.enter('alice', false),
      ];
      assert.deepEqual(
        again.map(({ ok }) => ok),
        [true, true, true],
      );
      assert.equal((await b.enter('alice', false)).ok, false);
    },
  );

  on('a bucket that was left on one instance is gone on with on another, once', async (a, b) => {
    const bucket = await entered(a, 'alice');
    for (let n = 0; n < 3; n++) assert.ok(bucket.take(systemClock.nowMs()).accepted);
    await left(a, 'alice', bucket);
    const next = await entered(b, 'alice');
    const other = await entered(a, 'alice');
    assert.deepEqual([drained(next), drained(other)], [2, 5]);
  });

  on('a penalty goes along, with its refusals, and the first refusal is told', async (a, b) => {
    const bucket = await entered(a, 'alice');
    for (let n = 0; n < 100; n++) bucket.take(systemClock.nowMs());
    await left(a, 'alice', bucket);
    const next = await entered(b, 'alice');
    const decision = next.take(systemClock.nowMs());
    assert.ok(!decision.accepted && decision.notify && !decision.close);
    assert.ok(decision.retryAfterMs > 20_000 && decision.retryAfterMs <= 30_000);
    for (let n = 0; n < 3; n++) next.take(systemClock.nowMs());
    const last = next.take(systemClock.nowMs());
    assert.ok(!last.accepted && last.close, 'refusals before the reconnect count');
  });

  on('of several that wait the strictest is handed out first; n connections have n budgets', async (a, b) => {
    const buckets = [await entered(a, 'alice'), await entered(b, 'alice'), await entered(a, 'alice')];
    for (const [index, spent] of [1, 6, 3].entries()) {
      for (let n = 0; n < spent; n++) buckets[index]?.take(systemClock.nowMs());
    }
    for (const [index, bucket] of buckets.entries()) await left(index === 1 ? b : a, 'alice', bucket);
    const next = [await entered(b, 'alice'), await entered(a, 'alice'), await entered(b, 'alice')];
    assert.deepEqual(next.map(drained), [0, 2, 4]);
  });

  on(
    'what has recovered is not kept',
    async (a, b) => {
      const bucket = await entered(a, 'alice');
      bucket.take(systemClock.nowMs());
      await left(a, 'alice', bucket);
      await sleep(30);
      assert.equal(drained(await entered(b, 'alice')), 5);
    },
    { ...slow, messages: { messagesPerMinute: 6000, burstLimit: 5, violationPenaltyMs: 10_000 } },
  );

  on('a charge that is not paid back goes along', async (a, b) => {
    const bucket = await entered(a, 'alice');
    for (let n = 0; n < 7; n++) bucket.charge(systemClock.nowMs());
    await left(a, 'alice', bucket);
    const { fullInMs } = (await entered(b, 'alice')).rest(systemClock.nowMs());
    assert.ok(fullInMs > 6.9 * 60_000 && fullInMs <= 7 * 60_000 + 10, `${fullInMs}`);
  });

  on(
    'without limits nobody is asked',
    async (a) => {
      assert.equal(a.pass('upgrades', 'k'), 0);
      assert.equal(a.pass('status', 'k'), 0);
      assert.deepEqual(a.enter('k', true), { ok: true, bucket: undefined });
      a.leave('k');
    },
    {
      ...slow,
      messages: null,
      connectionsPerUser: Number.POSITIVE_INFINITY,
      upgradesPerIp: null,
      statusPerIp: null,
    },
  );
}
