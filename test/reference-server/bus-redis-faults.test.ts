// Redis dies, comes back empty, stands still, or says what no instance said: what was acknowledged stays true.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../../reference-server/bus/bus.ts';
import type { RedisBus } from '../../reference-server/bus/redis.ts';
import { BusUnavailable } from '../../reference-server/bus/unavailable.ts';
import { isLong } from '../require.ts';
import { eventually, joinRedis, meddler } from './redis-buses.ts';
import { cable } from './redis-cable.ts';
import { checkAcknowledged, publishAll, Stream } from './redis-load.ts';
import { skipRedis, startRedis } from './redis-server.ts';

const timeout = 60_000;

for (const tls of [false, true]) {
  test(`Redis killed and restarted, empty${tls ? ', over TLS' : ''}: back soon, and no false word`, {
    timeout,
    skip: skipRedis,
  }, async (t: TestContext) => {
    const redis = await startRedis(t, { tls });
    const buses = [await joinRedis(t, redis), await joinRedis(t, redis), await joinRedis(t, redis)];
    const streams = buses.map(() => new Stream());
    const starts: Position[] = [];
    for (const [index, bus] of buses.entries()) {
      const stream = streams[index] as Stream;
      starts.push(await bus.subscribe('t', 'c', stream.message, undefined, stream.gap));
    }
    const load = publishAll(buses, 'c');
    for (let round = 0; round < 3; round++) {
      await sleep(300);
      await redis.kill();
      await sleep(200 + 150 * round);
      const before = streams.map(({ messages }) => messages.length);
      await redis.restart();
      const backMs = performance.now();
      await eventually(
        () => streams.every(({ messages }, index) => messages.length > (before[index] ?? 0) + 10),
        'messages',
      );
      const tookMs = performance.now() - backMs;
      t.diagnostic(`round ${round}: delivery at all three ${Math.round(tookMs)} ms after it listened`);
      assert.ok(tookMs < 1500, `${tookMs} ms`);
    }
    await load.stop();
    await sleep(100);
    const { epoch } = await (buses[0] as RedisBus).subscribe('t', 'c', () => {});
    for (const [index, stream] of streams.entries()) {
      stream.check(starts[index] as Position);
      assert.equal(stream.gaps.length, 3, JSON.stringify(stream.gaps));
      checkAcknowledged(load, stream, epoch);
    }
    assert.ok(load.refused.length > 0 && load.acknowledged.length > 100);
    const slowest = Math.max(...load.refused.map(({ tookMs }) => tookMs));
    t.diagnostic(`${load.acknowledged.length} acknowledged, ${load.refused.length} refused in ${slowest} ms`);
    assert.ok(slowest <= 500, `${slowest} ms`);
  });
}

test('Redis stands still for 3 s: no call waits longer than 500 ms, and nothing happens that was refused', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const buses = [await joinRedis(t, redis), await joinRedis(t, redis)];
  const [a, b] = buses as [RedisBus, RedisBus];
  const stream = new Stream();
  const start = await b.subscribe('t', 'c', stream.message, undefined, stream.gap);
  await a.connectAgent('t', 'here', { deliver: () => true, replaced: () => {} });
  const load = publishAll(buses, 'c');
  await sleep(200);
  redis.freeze();
  const frozenMs = performance.now();
  const calls: [string, () => Promise<unknown>][] = [
    ['subscribe', () => a.subscribe('t', 'd', () => {})],
    ['once', () => a.once('k', () => a.publish('t', 'c', 'once'))],
    ['agents', () => b.agents('t')],
    ['watch', () => b.watchAgents('t', () => {})],
    ['command', () => b.command('t', { commandId: '1', agentId: 'here', command: 'x' }, 1000, () => {})],
    ['connect', () => b.connectAgent('t', 'g', { deliver: () => true, replaced: () => {} })],
    ['revoked', () => a.revokedAtMs('x')],
    ['revoke', () => a.revoke('x')],
  ];
  for (const wait of [0, 600, 1200]) {
    await sleep(wait === 0 ? 0 : 600);
    await Promise.all(
      calls.map(async ([name, call]) => {
        const startedMs = performance.now();
        await assert.rejects(call(), BusUnavailable, name);
        const tookMs = performance.now() - startedMs;
        assert.ok(tookMs <= 500, `${name}: ${tookMs} ms`);
      }),
    );
  }
  // An agent whose socket is here needs no Redis.
  const local = await a.command('t', { commandId: '2', agentId: 'here', command: 'x' }, 1000, () => {});
  local.cancel();
  assert.equal(local.delivered, true);
  await sleep(Math.max(0, 3000 - (performance.now() - frozenMs)));
  redis.thaw();
  const thawedMs = performance.now();
  await eventually(() => load.acknowledged.some(({ atMs }) => atMs > thawedMs), 'an ACK');
  t.diagnostic(`acknowledged again after ${Math.round(performance.now() - thawedMs)} ms`);
  assert.ok(performance.now() - thawedMs < 1500);
  await sleep(500);
  await load.stop();
  await sleep(200);
  stream.check(start);
  assert.deepEqual(stream.gaps, []);
  checkAcknowledged(load, stream, start.epoch);
  const slowest = Math.max(...load.refused.map(({ tookMs }) => tookMs));
  assert.ok(slowest <= 500, `${slowest} ms`);
  // What was refused after Redis had stood still for a moment never ran, although Redis read it later.
  const refused = new Set(load.refused.map(({ n }) => n));
  const ran = stream.messages.filter(({ data }) => refused.has(data as number));
  t.diagnostic(`${load.refused.length} refused within ${Math.round(slowest)} ms, ${ran.length} of them ran`);
  assert.deepEqual(ran, []);
  assert.ok(!stream.messages.some(({ data }) => data === 'once'));
});

test('an error of Redis is a refusal, and never an ACK', { timeout, skip: skipRedis }, async (t) => {
  const redis = await startRedis(t, { args: ['--maxmemory-policy', 'noeviction'] });
  const a = await joinRedis(t, redis);
  const client = meddler(t, redis);
  assert.equal((await a.publish('t', 'c', 0)).offset, 1);
  await client.config('SET', 'maxmemory', '1');
  await assert.rejects(
    a.publish('t', 'c', 1),
    (error) => error instanceof BusUnavailable && error.why === 'refused',
  );
  await client.config('SET', 'maxmemory', '0');
  assert.equal((await a.publish('t', 'c', 2)).offset, 2);
  await client.script('FLUSH');
  assert.equal((await a.publish('t', 'c', 3)).offset, 3);
});

test('a log that was persisted is not gone on with: its end may be missing', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const a = await joinRedis(t, redis);
  const stream = new Stream();
  const start = await a.subscribe('t', 'c', stream.message, undefined, stream.gap);
  await a.publish('t', 'c', 1);
  await a.once('k', async () => 'answer');
  await redis.kill();
  await eventually(() => a.state === 'down', 'the end');
  await redis.restart();
  await eventually(() => a.state === 'up', 'the return');
  const { epoch, offset } = await a.publish('t', 'c', 2);
  await eventually(() => stream.messages.length === 2, 'both');
  stream.check(start);
  assert.deepEqual([stream.gaps.length, offset], [1, 1]);
  assert.notEqual(epoch, start.epoch);
  assert.equal((await a.subscribe('t', 'c', () => {}, start)).recovered, false);
  assert.deepEqual(await a.once('k', async () => 'another'), { answer: 'answer', duplicate: true });
});

test('whatever fails, at whatever time: nothing acknowledged is lost without a word', {
  timeout: 300_000,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const cables = [await cable(t, redis), await cable(t, redis), await cable(t, redis)];
  const buses: RedisBus[] = [];
  for (const way of cables) buses.push(await joinRedis(t, way.redis));
  const streams = buses.map(() => new Stream());
  const starts: Position[] = [];
  for (const [index, bus] of buses.entries()) {
    const stream = streams[index] as Stream;
    starts.push(await bus.subscribe('t', 'c', stream.message, undefined, stream.gap));
  }
  const load = publishAll(buses, 'c');
  const seed = Number(process.env.WSBENCH_TEST_SEED ?? 9);
  // A linear congruential generator: chance that can be had again.
  let state = seed;
  const chance = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const kinds = ['cut', 'block', 'freeze', 'kill'] as const;
  const rounds = isLong ? 120 : 12;
  for (let round = 0; round < rounds; round++) {
    const kind = kinds[chance(4)] ?? 'cut';
    const way = cables[chance(3)] as (typeof cables)[number];
    const forMs = 50 + chance(900);
    if (kind === 'cut') way.cut();
    else if (kind === 'block') way.block();
    else if (kind === 'freeze') redis.freeze();
    else await redis.kill();
    await sleep(forMs);
    if (kind === 'freeze') redis.thaw();
    else if (kind === 'kill') await redis.restart();
    else way.mend();
    await sleep(chance(400));
  }
  await eventually(() => buses.every((bus) => bus.state === 'up'), 'all up');
  await sleep(500);
  await load.stop();
  await sleep(300);
  const { epoch } = await (buses[0] as RedisBus).subscribe('t', 'c', () => {});
  for (const [index, stream] of streams.entries()) {
    stream.check(starts[index] as Position);
    checkAcknowledged(load, stream, epoch);
  }
  const slowest = Math.max(...load.refused.map(({ tookMs }) => tookMs));
  t.diagnostic(
    `seed ${seed}, ${rounds} faults: ${load.acknowledged.length} acknowledged, ${load.refused.length} refused`,
  );
  assert.ok(slowest <= 550, `${slowest} ms`);
});
