// The pool against members in memory and a clock that moves when told to.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { ClientError, createPool } from '../../lib/client/index.ts';
import { homeOf } from '../../lib/client/pool-hash.ts';
import { PoolWorld, settled, tally } from './pool-world.ts';

const timeout = 60_000;
const keys = Array.from({ length: 300 }, (_, n) => `customer-${n}`);

test('connects `min`, adds up to `max` where that is not enough, and lets the idle go', {
  timeout,
}, async () => {
  const world = await PoolWorld.serving({ min: 1, max: 3, maxPerMember: 2, idleMs: 1000 });
  assert.deepEqual([world.pool.statistics.members, world.pool.statistics.serving], [1, 1]);
  const taken = world.leases(6);
  await world.wait(40);
  const leases = await taken;
  assert.deepEqual(tally(leases), { 0: 2, 1: 2, 2: 2 });
  for (const { release } of leases) release();
  await world.wait(1200);
  assert.equal(world.pool.statistics.members, 1);
  assert.equal(world.of('removed').length, 2);
  await world.close();
  assert.equal(world.clock.pending, 0);
});

test('takes the least loaded, and equals in turn', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 3, max: 3 });
  const first = await world.leases(6);
  assert.deepEqual(tally(first), { 0: 2, 1: 2, 2: 2 });
  for (const { member, release } of first) if (member === 1) release();
  assert.deepEqual(tally(await world.leases(2)), { 1: 2 });
  await world.close({ timeoutMs: 0 });
  assert.equal(world.clock.pending, 0);
});

test('a key keeps its member while it is healthy; when it is not, its keys alone move', {
  timeout,
}, async () => {
  const world = await PoolWorld.serving({ min: 4, max: 4 });
  const placed = async (): Promise<Map<string, number>> => {
    const places = new Map<string, number>();
    for (const key of keys) {
      const lease = await world.pool.acquire({ key });
      places.set(key, lease.member);
      lease.release();
    }
    return places;
  };
  const before = await placed();
  const shares = tally([...before.values()].map((member) => ({ member })) as never);
  for (const member of [0, 1, 2, 3]) assert.ok((shares[member] ?? 0) > 40, JSON.stringify(shares));
  assert.deepEqual(await placed(), before);
  world.server(2).door = 'shut';
  world.server(2).end();
  await world.wait(40);
  const without = await placed();
  for (const key of keys) {
    if (before.get(key) === 2) assert.notEqual(without.get(key), 2);
    else assert.equal(without.get(key), before.get(key));
  }
  world.server(2).door = 'open';
  await world.wait(40_000, 200);
  assert.deepEqual(await placed(), before);
  await world.close();
});

test('a key with leases stays where they are until the last is released', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 3, max: 3 });
  const key = keys.find((each) => homeOf(each, [0, 1, 2]) === 1) ?? '';
  world.server(1).end();
  await world.wait(20);
  const [away] = await world.leases(1, key);
  assert.ok(away && away.member !== 1);
  await world.wait(1000);
  assert.equal(world.pool.statistics.serving, 3);
  const [again] = await world.leases(1, key);
  assert.equal(again?.member, away.member);
  away.release();
  again.release();
  assert.equal((await world.pool.acquire({ key })).member, 1);
  await world.close({ timeoutMs: 0 });
});

test('CL-09 who waits is served first come, first served, and the late are told so', {
  timeout,
}, async () => {
  const world = await PoolWorld.serving({ min: 1, max: 1, maxPerMember: 1, maxWaiting: 4 });
  const [held] = await world.leases(1);
  const order: number[] = [];
  const controller = new AbortController();
  const wait = (n: number, options = {}): Promise<void> =>
    world.pool.acquire(options).then(
      ({ release }) => {
        order.push(n);
        release();
      },
      (error: ClientError) => {
        assert.ok(error instanceof ClientError);
        order.push(-n);
        throw error;
      },
    );
  const outcomes = Promise.allSettled([
    wait(1),
    wait(2, { timeoutMs: 100 }),
    wait(3, { signal: controller.signal }),
    wait(4),
    wait(5),
  ]);
  await settled();
  assert.deepEqual(order, [-5]);
  await world.wait(120);
  controller.abort(new Error('enough'));
  await settled();
  assert.deepEqual(order, [-5, -2, -3]);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  held?.release();
  held?.release();
  await settled();
  assert.deepEqual(order, [-5, -2, -3, 1, 4]);
  const codes = (await outcomes).map((each) => (each.status === 'rejected' ? each.reason.code : 'served'));
  assert.deepEqual(codes, ['served', 'POOL_TIMEOUT', 'ABORTED', 'served', 'OVERFLOW']);
  await assert.rejects(world.pool.acquire({ signal: controller.signal }), { code: 'ABORTED' });
  await assert.rejects(world.pool.acquire({ timeoutMs: Number.NaN }), { code: 'USAGE' });
  const { waiting, leases, timedOut, acquired } = world.pool.statistics;
  assert.deepEqual([waiting, leases, timedOut, acquired], [0, 0, 1, 3]);
  await world.close();
  assert.equal(world.clock.pending, 0);
});

test('CL-09 10,000 that give up leave no listener and no timer', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 1, max: 1, maxPerMember: 1, maxWaiting: 20_000 });
  const [held] = await world.leases(1);
  const controller = new AbortController();
  const { signal } = controller;
  const before = world.clock.pending;
  const late = Array.from({ length: 1000 }, () => world.pool.acquire({ timeoutMs: 50, signal }));
  const rest = Array.from({ length: 9000 }, () => world.pool.acquire({ signal }));
  const outcomes = Promise.allSettled([...late, ...rest]);
  world.clock.advance(60);
  controller.abort();
  const codes = (await outcomes).map((each) => (each.status === 'rejected' ? each.reason.code : 'served'));
  assert.deepEqual([...new Set(codes.slice(0, 1000))], ['POOL_TIMEOUT']);
  assert.deepEqual([...new Set(codes.slice(1000))], ['ABORTED']);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.deepEqual([world.clock.pending, world.pool.statistics.waiting], [before, 0]);
  held?.release();
  await world.close();
  assert.equal(world.clock.pending, 0);
});

test('a key whose member is full does not hold up those behind it', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 2, max: 2, maxPerMember: 1 });
  const key = keys.find((each) => homeOf(each, [0, 1]) === 0) ?? '';
  const [held] = await world.leases(1, key);
  let isServed = false;
  const keyed = world.pool.acquire({ key }).then((lease) => {
    isServed = true;
    return lease;
  });
  const other = await world.pool.acquire();
  assert.deepEqual([held?.member, other.member, isServed], [0, 1, false]);
  other.release();
  await settled();
  assert.equal(isServed, false, 'it belongs to member 0');
  held?.release();
  assert.equal((await keyed).member, 0);
  await world.close({ timeoutMs: 0 });
});

test('CL-08 a member that flaps is out for a growing time, and the others take its load', {
  timeout,
}, async (t) => {
  const world = await PoolWorld.serving({ min: 4, max: 4, circuit: { minMs: 1000, maxMs: 8000 } });
  const before = await world.leases(40);
  assert.deepEqual(tally(before), { 0: 10, 1: 10, 2: 10, 3: 10 });
  // Its connection ends whenever it has served for half a second.
  for (let round = 0; round < 6; round += 1) {
    world.server(0).end();
    await world.wait(20_000, 100);
  }
  const outs = world.of('ejected', 0).map(({ outMs }) => outMs);
  assert.deepEqual(outs, [1000, 2000, 4000, 8000, 8000]);
  assert.deepEqual(world.of('ejected').length, 5, 'no other was ejected');
  assert.equal(world.of('returned', 0).length, 5);
  // Every return came when the time was over and a PING was answered, not sooner.
  world.of('ejected', 0).forEach(({ atMs, outMs = 0 }, n) => {
    const back = world.of('returned', 0)[n]?.atMs ?? 0;
    t.diagnostic(`out for ${outMs} ms, back after ${back - atMs} ms`);
    assert.ok(back - atMs >= outMs);
  });
  await world.close({ timeoutMs: 0 });
  assert.equal(world.clock.pending, 0);
});

test('CL-08 while it is out it gets nothing, and when it is back it is not flooded', {
  timeout,
}, async () => {
  const world = await PoolWorld.serving({ min: 4, max: 4, client: { reconnect: { minMs: 10, maxMs: 10 } } });
  const held = await world.leases(40);
  for (const { member, release } of held) if (member === 0) release();
  for (const _ of [1, 2]) {
    world.server(0).end();
    await world.wait(60);
  }
  // It is connected, and out.
  assert.deepEqual([world.pool.statistics.out, world.pool.statistics.serving], [1, 3]);
  const during = await world.leases(9);
  assert.deepEqual(tally(during), { 1: 3, 2: 3, 3: 3 });
  for (const { release } of during) release();
  await world.wait(1000);
  assert.equal(world.pool.statistics.serving, 4);
  // The others have 10 each and it has none: by load alone, the next ten would be its.
  const after = tally(await world.leases(10));
  assert.ok((after[0] ?? 0) <= 4, JSON.stringify(after));
  await world.close({ timeoutMs: 0 });
});

test('where all are out, those that are connected serve all the same', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 2, max: 2, client: { reconnect: { minMs: 10, maxMs: 10 } } });
  for (const _ of [1, 2]) {
    for (const member of [0, 1]) world.server(member).end();
    await world.wait(60);
  }
  assert.deepEqual([world.pool.statistics.out, world.pool.statistics.serving], [2, 0]);
  assert.deepEqual(tally(await world.leases(4)), { 0: 2, 1: 2 });
  await world.close({ timeoutMs: 0 });
});

test('a member whose requests time out is out although its connection is open', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 2, max: 2, circuit: { maxTimeouts: 3 } });
  const late = new ClientError('TIMEOUT', 'late');
  for (let n = 0; n < 3; n += 1) {
    await assert.rejects(
      world.pool.use(() => Promise.reject(late), { key: 'the same' }),
      { code: 'TIMEOUT' },
    );
  }
  const [{ member = -1 } = {}] = world.events.filter(({ name }) => name === 'ejected');
  assert.ok(member >= 0);
  const other = await world.pool.acquire({ key: 'the same' });
  assert.equal(other.member, 1 - member);
  other.release();
  // The first to ask it whether it is back hears nothing; then it is.
  for (const peer of world.server(member).peers) peer.isHole = true;
  await world.wait(6100, 100);
  assert.deepEqual(
    world.of('ejected', member).map(({ outMs }) => outMs),
    [1000, 2000],
  );
  for (const peer of world.server(member).peers) peer.isHole = false;
  await world.wait(2200, 100);
  assert.equal(world.pool.statistics.out, 0);
  await world.close();
  assert.equal(world.clock.pending, 0);
});

test('a server that goes away in order is no failure of its members', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 2, max: 2 });
  for (let n = 0; n < 5; n += 1) {
    for (const member of [0, 1]) world.server(member).drain(100, 500);
    await world.wait(700);
    // One that announced its end and then broke off had its reasons.
    for (const member of [0, 1]) world.server(member).promise(100, 500);
    await world.wait(20);
    for (const member of [0, 1]) world.server(member).end(1006);
    await world.wait(700);
  }
  assert.deepEqual([world.pool.statistics.ejections, world.pool.statistics.serving], [0, 2]);
  await world.close();
});

test('members that fail together come back spread over their window', { timeout }, async (t) => {
  const world = await PoolWorld.serving({ min: 20, max: 20 });
  const backMs: number[] = [];
  for (const [member, server] of world.servers) {
    server.end();
    void member;
  }
  const startMs = world.clock.nowMs();
  let before = [...world.servers.values()].reduce((sum, { connects }) => sum + connects, 0);
  for (let atMs = 0; atMs < 600; atMs += 5) {
    await world.wait(5, 5);
    const connects = [...world.servers.values()].reduce((sum, each) => sum + each.connects, 0);
    for (; before < connects; before += 1) backMs.push(world.clock.nowMs() - startMs);
  }
  t.diagnostic(`20 members back after ${backMs.join(' ')} ms of a window of 500`);
  assert.equal(backMs.length, 20);
  // Even would be one in 25 ms; independent chance would put two of them within 2 ms, and leave a gap of 90.
  for (const [at, ms] of backMs.entries()) {
    const gapMs = ms - (backMs[at - 1] ?? 0);
    assert.ok(gapMs >= 10 && gapMs <= 50, `${gapMs} ms between two`);
  }
  await world.close();
});

test('a member that may not come back is replaced; when none may, the pool says why', {
  timeout,
}, async () => {
  const world = await PoolWorld.serving({ min: 1, max: 2 });
  world.server(0).end(4409, 'REPLACED');
  await world.wait(60);
  assert.deepEqual([world.pool.statistics.members, world.pool.statistics.serving], [1, 1]);
  assert.equal((await world.pool.acquire({ key: 'any' })).member, 1);
  world.server(1).end(4403, 'FORBIDDEN');
  await world.wait(60);
  await assert.rejects(world.pool.acquire(), { code: 'STOPPED', closeCode: 4403 });
  await assert.rejects(world.pool.connect(), { code: 'STOPPED', closeCode: 4403 });
  assert.deepEqual([world.of('closed').length, world.clock.pending], [1, 0]);
});

test('who waits for a pool that may not come back is told at once', { timeout }, async () => {
  const world = new PoolWorld({ min: 2, max: 2 });
  world.door = { httpStatus: 403 };
  const outcomes = Promise.allSettled([
    world.pool.acquire(),
    world.pool.connect(),
    world.pool.acquire({ key: 'x' }),
  ]);
  await world.wait(40);
  for (const each of await outcomes) {
    assert.equal(each.status === 'rejected' && each.reason.code, 'STOPPED');
    assert.equal(each.status === 'rejected' && each.reason.httpStatus, 403);
  }
  assert.equal(world.clock.pending, 0);
});

test('close() tells who waits, lets leases end, and leaves nothing', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 1, max: 1, maxPerMember: 1 });
  const [held] = await world.leases(1);
  const waiting = assert.rejects(world.pool.acquire(), { code: 'CLOSED' });
  let isClosed = false;
  const closed = world.pool.close().then(() => {
    isClosed = true;
  });
  await waiting;
  await assert.rejects(world.pool.acquire(), { code: 'CLOSED' });
  await world.wait(1000);
  assert.equal(isClosed, false);
  const echo = held?.client.request('PING');
  await world.wait(40);
  assert.equal((await echo)?.type, 'PONG');
  held?.release();
  await world.wait(100);
  await closed;
  assert.equal(world.pool.close() instanceof Promise, true);
  assert.deepEqual([world.clock.pending, world.of('closed').length], [0, 1]);
});

test('close() waits for a lease as long as it was told, and not longer', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 1, max: 1 });
  const [held] = await world.leases(1);
  const closed = world.pool.close({ timeoutMs: 300 });
  const late = assert.rejects(held?.client.request('SUBSCRIBE', { channel: 7 }) ?? Promise.resolve(), {
    code: 'CLOSED',
  });
  for (const peer of world.server(0).peers) peer.isHole = true;
  await world.wait(400);
  await closed;
  await late;
  held?.release();
  assert.equal(world.clock.pending, 0);
});

for (const when of ['made', 'asked', 'connecting', 'waiting'] as const) {
  test(`close() of a pool that is ${when} settles everything`, { timeout }, async () => {
    const world = new PoolWorld({ min: 2, max: 4 });
    const asked: Promise<unknown>[] = [];
    if (when === 'waiting') world.door = 'shut';
    if (when !== 'made')
      asked.push(
        world.pool.acquire(),
        world.pool.connect(),
        world.pool.use(() => 1),
      );
    if (when === 'connecting') await world.wait(7, 7);
    if (when === 'waiting') await world.wait(200);
    const outcomes = Promise.allSettled(asked);
    const closed = world.pool.close();
    await world.wait(100);
    await closed;
    for (const each of await outcomes) {
      if (each.status === 'rejected') assert.equal(each.reason.code, 'CLOSED');
    }
    assert.equal(world.clock.pending, 0);
  });
}

test('statistics come as events', { timeout }, async () => {
  const world = await PoolWorld.serving({ min: 1, max: 1, maxPerMember: 1, statisticsMs: 500 });
  const [held] = await world.leases(1);
  const waited = world.pool.acquire();
  await world.wait(300);
  held?.release();
  (await waited).release();
  const events: unknown[] = [];
  world.pool.on('statistics', (event) => events.push(event));
  await world.wait(1000);
  const common = {
    members: 1,
    serving: 1,
    out: 0,
    leases: 0,
    waiting: 0,
    acquired: 2,
    timedOut: 0,
    ejections: 0,
  };
  assert.deepEqual(events, [
    { ...common, longestWaitMs: 300 },
    { ...common, longestWaitMs: 0 },
  ]);
  await world.close();
});

test('mistakes are told when the pool is made', () => {
  const make =
    (options: object, url = 'ws://127.0.0.1/') =>
    () =>
      createPool(url, options);
  assert.throws(make({ max: 0 }), { code: 'USAGE' });
  assert.throws(make({ min: 5, max: 4 }), { code: 'USAGE' });
  assert.throws(make({ max: 1.5 }), { code: 'USAGE' });
  assert.throws(make({ circuit: { minMs: -1 } }), { code: 'USAGE' });
  assert.throws(make({ client: { timeoutMs: 0 } }), { code: 'USAGE' });
  assert.throws(make({}, 'http://127.0.0.1/'), { code: 'USAGE' });
});
