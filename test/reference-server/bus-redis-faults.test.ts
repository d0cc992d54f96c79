// Redis dies, comes back empty, stands still, or says what no instance said: what was acknowledged stays true.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BusMessage, Position, Published } from '../../reference-server/bus/bus.ts';
import type { RedisBus } from '../../reference-server/bus/redis.ts';
import { BusUnavailable } from '../../reference-server/bus/unavailable.ts';
import { joinRedis, meddler } from './redis-buses.ts';
import { skipRedis, startRedis } from './redis-server.ts';

const timeout = 60_000;

/** What one subscriber saw, in the order in which it saw it. */
class Stream {
  readonly seen: (BusMessage | { gap: Position })[] = [];
  readonly message = (message: BusMessage): void => void this.seen.push(message);
  readonly gap = (gap: Position): void => void this.seen.push({ gap });

  get messages(): BusMessage[] {
    return this.seen.filter((each) => 'offset' in each);
  }

  get gaps(): Position[] {
    return this.seen.flatMap((each) => ('gap' in each ? [each.gap] : []));
  }

  /** Nothing twice, nothing out of order, nothing missing but where a gap was told. */
  check(start: Position): void {
    let at = start;
    for (const each of this.seen) {
      if ('gap' in each) {
        at = each.gap;
        continue;
      }
      assert.deepEqual([each.epoch, each.offset], [at.epoch, at.offset + 1], JSON.stringify(at));
      at = each;
    }
  }
}

interface Load {
  /** Publishes that were acknowledged, and when. */
  acknowledged: { n: number; published: Published; atMs: number }[];
  refused: { n: number; tookMs: number; atMs: number }[];
  stop(): Promise<void>;
}

/** Publishes every 5 ms, by turns on each bus, without waiting for the one before. */
function publishAll(buses: readonly RedisBus[], channel: string): Load {
  const load: Load = {
    acknowledged: [],
    refused: [],
    stop: async () => {
      running = false;
      await loop;
      await Promise.all(pending);
    },
  };
  const pending = new Set<Promise<void>>();
  let running = true;
  const one = async (n: number): Promise<void> => {
    const startedMs = performance.now();
    try {
      const published = await (buses[n % buses.length] as RedisBus).publish('t', channel, n);
      load.acknowledged.push({ n, published, atMs: performance.now() });
    } catch (error) {
      assert.ok(error instanceof BusUnavailable, String(error));
      const atMs = performance.now();
      load.refused.push({ n, tookMs: atMs - startedMs, atMs });
    }
  };
  const loop = (async () => {
    for (let n = 0; running; n++) {
      const each = one(n).finally(() => pending.delete(each));
      pending.add(each);
      await sleep(5);
    }
  })();
  return load;
}

/** Every publish that was acknowledged is in the stream, or a gap was told between its epoch and the one that came after. */
function checkAcknowledged(load: Load, stream: Stream, lastEpoch: string): void {
  const seen = new Map(stream.messages.map((each) => [`${each.epoch} ${each.offset}`, each.data]));
  for (const { n, published } of load.acknowledged) {
    const data = seen.get(`${published.epoch} ${published.offset}`);
    if (data !== undefined) assert.equal(data, n);
    else assert.notEqual(published.epoch, lastEpoch, `acknowledged, but lost without a gap: ${n}`);
  }
}

async function eventually(holds: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!holds()) {
    assert.ok(performance.now() < untilMs, `never: ${what}`);
    await sleep(5);
  }
}

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

test('messages that no instance sent are dropped and counted', { timeout, skip: skipRedis }, async (t) => {
  const redis = await startRedis(t);
  const dropped: string[] = [];
  const a = await joinRedis(t, redis);
  const b = await joinRedis(t, redis, { dropped: (why) => dropped.push(why) });
  const stream = new Stream();
  const changes: unknown[] = [];
  const revoked: string[] = [];
  const start = await b.subscribe('t', 'c', stream.message, undefined, stream.gap);
  await b.watchAgents('t', (agent) => changes.push(agent));
  await b.watchRevocations((sub) => revoked.push(sub));
  await a.publish('t', 'c', 'first');
  const client = meddler(t, redis);
  const names = (await client.pubsub('CHANNELS', 'wsbench:0:*')) as string[];
  const channel = names.find((name) => name.includes(':channel:')) ?? '';
  assert.ok(names.length >= 5, names.join());
  const good = { v: 1, p: 'wsbench:0' };
  const { epoch } = start;
  const other = '11111111-1111-4111-8111-111111111111';
  // biome-ignore format: a table
  const everywhere: [text: string, why: string][] = [
    ['hello',                                                     'malformed'],
    ['null',                                                      'malformed'],
    ['[]',                                                        'malformed'],
    ['{"v":1,"p":"wsbench:0"}',                                   'malformed'],
    [`{"v":1,"p":"wsbench:0","d":${'['.repeat(20_000)}${']'.repeat(20_000)},"e":"${epoch}","o":2}`, 'malformed'],
    [JSON.stringify({ ...good, d: 'x'.repeat(1024 ** 2), e: epoch, o: 2 }), 'malformed'],
    [JSON.stringify({ ...good, v: 2, e: epoch, o: 2, d: 'newer' }), 'version'],
    [JSON.stringify({ ...good, p: 'wsbench:1', e: epoch, o: 2, d: 'other' }), 'prefix'],
    [JSON.stringify({ type: 'MESSAGE', payload: {} }),            'malformed'],
  ];
  for (const name of names) {
    for (const [text, why] of everywhere) {
      dropped.length = 0;
      // Instance a has an inbox of its own, which b does not hear.
      if ((await client.publish(name, text)) === 0) continue;
      await sleep(10);
      if (dropped.length > 0) assert.deepEqual(dropped, [why], `${name} ${text.slice(0, 60)}`);
      else assert.match(name, /:inbox:/);
    }
  }
  // Well made, but the log knows nothing of them.
  for (const [forged, why] of [
    [{ ...good, e: epoch, o: 50, d: 'future' }, 'unlogged'],
    [{ ...good, e: other, o: 1, d: 'another log' }, 'unlogged'],
  ] as const) {
    dropped.length = 0;
    await client.publish(channel, JSON.stringify(forged));
    await eventually(() => dropped.length > 0, 'the drop');
    assert.deepEqual(dropped, [why]);
  }
  dropped.length = 0;
  await client.publish(channel, JSON.stringify({ ...good, e: epoch, o: 1, d: 'again' }));
  await a.publish('t', 'c', 'second');
  await eventually(() => stream.messages.length === 2, 'the second message');
  assert.deepEqual(
    stream.seen.map((each) => 'data' in each && each.data),
    ['first', 'second'],
  );
  assert.deepEqual([changes, revoked], [[], []]);
  // It still works.
  await a.connectAgent('t', 'g', { deliver: () => true, replaced: () => {} });
  await a.revoke('alice');
  await eventually(() => changes.length === 1 && revoked.length === 1, 'the true ones');
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
