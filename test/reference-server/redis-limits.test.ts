// Limits over Redis where something fails: late answers, instances that die, a Redis that forgets, one that is not there.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisBus } from '../../reference-server/bus/redis.ts';
import { systemClock } from '../../reference-server/clock.ts';
import { guards } from '../../reference-server/guards.ts';
import type { Limits } from '../../reference-server/limits/presets.ts';
import { drained, entered, left, slow } from './limits-contract.ts';
import { eventually, joinRedis, meddler } from './redis-buses.ts';
import { cable } from './redis-cable.ts';
import { type RedisServer, skipRedis, startRedis } from './redis-server.ts';
import { listening } from './servers.ts';

const timeout = 60_000;

interface Instance {
  bus: RedisBus;
  limits: RedisBus['limits'];
  /** Decisions made alone, and when that began and ended. */
  alone: { count: number; changes: boolean[] };
}

async function join(
  t: TestContext,
  redis: RedisServer,
  limits: Limits = slow,
  decisionMs = 450,
): Promise<Instance> {
  const alone = { count: 0, changes: [] as boolean[] };
  const bus = await joinRedis(t, redis, {
    bounds: { lifeMs: 1500 },
    limits: {
      ...{ limits, decisionMs },
      decidedAlone: () => void alone.count++,
      changed: (isAlone) => alone.changes.push(isAlone),
    },
  });
  return { bus, limits: bus.limits, alone };
}

test('the connections of an instance that died make room', { timeout, skip: skipRedis }, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const dying = await join(t, way.redis);
  const other = await join(t, redis);
  for (let n = 0; n < 3; n++) assert.ok((await dying.limits.enter('alice', false)).ok);
  assert.equal((await other.limits.enter('alice', false)).ok, false);
  way.block();
  const cutMs = performance.now();
  while (!(await other.limits.enter('alice', false)).ok) {
    assert.ok(performance.now() - cutMs < 10_000, 'never');
    await sleep(50);
  }
  t.diagnostic(`room ${Math.round(performance.now() - cutMs)} ms after it went, with a life of 1500 ms`);
  // It was not dead: its connections count again.
  way.mend();
  await eventually(() => dying.bus.state === 'up', 'the return');
  assert.equal((await other.limits.enter('alice', false)).ok, false);
});

test('a Redis that has forgotten everything is told who is there, and what was left meanwhile', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await join(t, redis), await join(t, redis)];
  assert.ok((await a.limits.enter('alice', false)).ok);
  const bucket = await entered(b.limits, 'alice');
  drained(bucket);
  await redis.kill();
  await eventually(() => a.bus.state === 'down' && b.bus.state === 'down', 'the end');
  b.limits.leave('alice', bucket);
  assert.ok((await b.limits.enter('bob', false)).ok);
  await redis.restart();
  await eventually(() => a.bus.state === 'up' && b.bus.state === 'up', 'the return');
  // Until all had time to say so, each decides alone; then alice has one connection, and a penalty waits for her.
  await eventually(
    () => a.alone.changes.at(-1) !== true && b.alone.changes.at(-1) === false,
    'together again',
  );
  const next = await a.limits.enter('alice', true);
  assert.ok(next.ok && next.bucket);
  assert.equal(drained(next.bucket), 0);
  assert.ok((await b.limits.enter('alice', false)).ok);
  assert.equal((await b.limits.enter('alice', false)).ok, false);
});

test('an answer that comes too late loses nothing: its bucket waits for the next', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const a = await join(t, way.redis, slow, guards.limitDecisionMs);
  const b = await join(t, redis);
  const bucket = await entered(b.limits, 'alice');
  drained(bucket);
  await left(b.limits, 'alice', bucket);
  const release = way.holdAnswers();
  setTimeout(release, 400);
  const startedMs = performance.now();
  const answer = await a.limits.enter('alice', true);
  const tookMs = performance.now() - startedMs;
  t.diagnostic(`decided alone after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs >= 45 && tookMs < 390 && a.alone.count === 1, `${tookMs} ms, ${a.alone.count}`);
  if (answer.ok) a.limits.leave('alice', answer.bucket);
  await eventually(() => a.alone.changes.at(-1) === false, 'together again');
  const buckets = [await entered(b.limits, 'alice'), await entered(b.limits, 'alice')];
  assert.ok(
    buckets.some((each) => drained(each) === 0),
    'the penalty was not lost',
  );
});

test('while Redis is away each instance admits its share of what has become free since, and pays for it after', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const limits: Limits = { ...slow, upgradesPerIp: { perMinute: 600, burst: 10 } };
  const redis = await startRedis(t);
  const [a, b] = [await join(t, redis, limits), await join(t, redis, limits)];
  await eventually(() => a.bus.state === 'up', 'up');
  // The second is known to the first a beat later.
  await sleep(1200);
  for (let n = 0; n < 10; n++) assert.equal(await a.limits.pass('upgrades', 'k'), 0);
  await redis.kill();
  await eventually(() => a.bus.state === 'down' && b.bus.state === 'down', 'the end');
  const lostMs = performance.now();
  let passed = 0;
  while (performance.now() - lostMs < 2000) {
    for (const { limits: each } of [a, b]) {
      const startedMs = performance.now();
      const waitMs = each.pass('upgrades', 'k');
      assert.equal(typeof waitMs, 'number', 'nobody is asked');
      assert.ok(performance.now() - startedMs < 50);
      if (waitMs === 0) passed += 1;
    }
    await sleep(10);
  }
  const tookMs = performance.now() - lostMs;
  t.diagnostic(`${passed} passed at two instances in ${Math.round(tookMs)} ms, at 10 a second over all`);
  // A second that no beat has told of may have become free before; nothing of the burst of 10.
  assert.ok(passed <= Math.ceil((tookMs + 1500) / 100), `${passed}`);
  assert.ok(passed >= 10, `${passed}`);
  assert.deepEqual([a.alone.changes, b.alone.changes], [[true], [true]]);
});

test('connections alone: a share of the room, and of nobody who is not counted', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const limits: Limits = { ...slow, connectionsPerUser: 6 };
  const redis = await startRedis(t);
  const [a, b] = [await join(t, redis, limits), await join(t, redis, limits)];
  await sleep(1200);
  await redis.kill();
  await eventually(() => a.bus.state === 'down' && b.bus.state === 'down', 'the end');
  for (const { limits: each } of [a, b]) {
    const answers = await Promise.all(Array.from({ length: 6 }, () => each.enter('alice', false)));
    assert.equal(answers.filter(({ ok }) => ok).length, 3);
  }
  // A bucket is paid for in advance; what was left here is found here.
  const answer = await a.limits.enter('bob', true);
  assert.ok(!answer.ok && answer.why === 'rate' && answer.retryMs > 1000, JSON.stringify(answer));
});

test('where there never was a Redis, an instance has all of every limit', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  await redis.kill();
  const server = await listening(t, {
    ...{ limits: 'test', secret: 'long enough for HS256, as it has 32 bytes' },
    redis: { url: redis.url, required: false },
  });
  const statuses: number[] = [];
  for (let n = 0; n < 6; n++) statuses.push((await fetch(`${server.httpUrl}/api/status`)).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429]);
});

test('a Redis whose clock was set back locks nobody out', { timeout, skip: skipRedis }, async (t) => {
  const limits: Limits = {
    ...slow,
    upgradesPerIp: { perMinute: 6000, burst: 2 },
    messages: { messagesPerMinute: 6000, burstLimit: 2, violationPenaltyMs: 50 },
  };
  const redis = await startRedis(t);
  const a = await join(t, redis, limits);
  await a.limits.pass('upgrades', 'k');
  const bucket = await entered(a.limits, 'alice');
  drained(bucket);
  await left(a.limits, 'alice', bucket);
  const client = meddler(t, redis);
  for (const key of await client.keys('*')) {
    // As they look after the clock went back by an hour.
    if (key.includes(':gate:')) await client.set(key, `${Date.now() + 3_600_000}`, 'PX', 3_600_000);
    if (key.includes(':parked:')) {
      await client.del(key);
      await client.rpush(key, `${Date.now() + 3_600_000} ${Date.now() + 3_600_000} 0`);
    }
  }
  const waitMs = await a.limits.pass('upgrades', 'k');
  assert.ok(waitMs <= 2 * 2 * 10, `${waitMs}`);
  const next = await entered(a.limits, 'alice');
  const { fullInMs, penaltyMs } = next.rest(systemClock.nowMs());
  assert.ok(fullInMs <= 40 && penaltyMs <= 50, JSON.stringify({ fullInMs, penaltyMs }));
});
