// Limits over several instances: nobody gets more by spreading what they do, nor while Redis is away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { mintToken } from '../../lib/token.ts';
import type { RedisBus } from '../../reference-server/bus/redis.ts';
import { systemClock } from '../../reference-server/clock.ts';
import { RateGate } from '../../reference-server/limits/gate.ts';
import { type Limits, limitsPresets } from '../../reference-server/limits/presets.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from '../reference-server/client.ts';
import { joinRedis } from '../reference-server/redis-buses.ts';
import { skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { unguarded } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';
import { excess, type Passed } from './windows.ts';

const secret = 'shared by all, and long enough for HS256';
const production = { environment: 'production', limits: 'production' } as const;
const options = { ...production, secret, heartbeat: noHeartbeat };
/** What happens when Redis is late is for other tests: on a busy machine it may be, a little. */
const patient = { limitDecisionMs: 450 };

test('RL-05 reconnecting to another instance brings no other burst', {
  timeout: 30_000,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const servers = [
    await unguarded(t, patient, { ...options, redis: { url: redis.url } }),
    await unguarded(t, patient, { ...options, redis: { url: redis.url } }),
  ];
  const token = await mintToken({ secret }, { sub: 'mallory' });
  const startedMs = performance.now();
  let accepted = 0;
  for (let n = 0; n < 12; n++) {
    const client = await Client.open(`${servers[n % 2]?.url}/ws`, token);
    for (let each = 0; each < 10; each++) client.send({ type: 'PING', id: `${each}` });
    // Who is refused too often is sent away.
    await Promise.race([client.settle(), client.closed]);
    accepted += client.inbox.filter(({ type }) => type === 'PONG').length;
    client.socket.close();
    await client.closed;
    // The instance has to see the end before another can be told.
    await sleep(50);
  }
  const allowed = 10 + ((performance.now() - startedMs) * 100) / 60_000;
  t.diagnostic(`${accepted} accepted of 120, ${allowed.toFixed(1)} allowed`);
  assert.ok(accepted >= 10 && accepted <= allowed * 1.05, `${accepted}`);
  const honest = await Client.open(`${servers[0]?.url}/ws`, await mintToken({ secret }, { sub: 'alice' }));
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('RL-06 the connections of one user are counted over all instances', {
  timeout: 30_000,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const shared = { redis: { url: redis.url }, trustedProxies: ['127.0.0.1'] };
  const servers = [
    await unguarded(t, patient, { ...options, ...shared }),
    await unguarded(t, patient, { ...options, ...shared }),
    await unguarded(t, patient, { ...options, ...shared }),
  ];
  const token = await mintToken({ secret }, { sub: 'mallory' });
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, n) => {
      const headers = { 'x-forwarded-for': `192.0.2.${n}` };
      return Client.open(`${servers[n % 3]?.url}/ws`, token, { headers }).catch((error: unknown) => error);
    }),
  );
  const clients = outcomes.filter((each): each is Client => each instanceof Client);
  const refused = outcomes.filter((each): each is Refused => each instanceof Refused);
  assert.deepEqual([clients.length, refused.length], [20, 80]);
  assert.ok(refused.every(({ status }) => status === 429));
  // By AUTH as little, on any of them; and who goes makes room.
  const nobody = await Client.open(`${servers[1]?.url}/ws`);
  assert.equal((await nobody.error('AUTH', { token })).code, 'LIMIT_EXCEEDED');
  await clients[0]?.close();
  const untilMs = performance.now() + 5000;
  for (;;) {
    const headers = { 'x-forwarded-for': '192.0.2.200' };
    const again = await Client.open(`${servers[2]?.url}/ws`, token, { headers }).catch(() => undefined);
    if (again) break;
    assert.ok(performance.now() < untilMs, 'no room after one has gone');
    await sleep(100);
  }
});

test('RL-13 clocks of instances that differ by an hour: budgets go by that of Redis', {
  timeout: 30_000,
  skip: skipRedis,
}, async (t) => {
  const limits: Limits = { ...limitsPresets.production, upgradesPerIp: { perMinute: 60, burst: 20 } };
  const redis = await startRedis(t);
  const buses: RedisBus[] = [];
  for (const offMs of [0, 3_600_000, -3_600_000]) {
    const clock = {
      ...systemClock,
      nowMs: () => systemClock.nowMs() + 10_000_000 + offMs,
      epochMs: () => Date.now() + offMs,
    };
    const options = { limits, decisionMs: 450, decidedAlone: () => {}, changed: () => {} };
    buses.push(await joinRedis(t, redis, { clock, limits: options }));
  }
  const passed: Passed[] = [];
  const startedMs = performance.now();
  for (let n = 0; performance.now() - startedMs < 2500; n++) {
    const fromMs = performance.now();
    const waitMs = await (buses[n % 3] as RedisBus).limits.pass('upgrades', 'k');
    assert.ok(waitMs <= 1000, `${waitMs}`);
    if (waitMs === 0) passed.push({ fromMs, untilMs: performance.now() });
    await sleep(5);
  }
  assert.ok(passed.length >= 21 && passed.length <= 24, `${passed.length}`);
  assert.ok(excess(passed, 20, 60) <= 0);
});

test('RL-15 ten thousand interleavings in memory agree with a bucket that is counted exactly', () => {
  const steps = fc.array(
    fc.record({ gap: fc.oneof(fc.constant(0), fc.nat(30), fc.nat(500)), key: fc.nat(2) }),
    { minLength: 1, maxLength: 25 },
  );
  const rates = fc.record({
    perMinute: fc.constantFrom(60, 300, 1200, 6000),
    burst: fc.integer({ min: 1, max: 8 }),
  });
  // A table takes long to make: one for each rate, and time enough between two runs for all to be forgotten.
  const gates = new Map<string, RateGate>();
  let startMs = 0;
  fc.assert(
    fc.property(rates, steps, (rate, all) => {
      const name = JSON.stringify(rate);
      const gate = gates.get(name) ?? new RateGate(rate);
      gates.set(name, gate);
      // In 1/60,000 of a token, so that everything is a whole number.
      const levels = new Map<number, { level: number; atMs: number }>();
      startMs += 1_000_000;
      let nowMs = startMs;
      for (const { gap, key } of all) {
        nowMs += gap;
        const most = rate.burst * 60_000;
        const { level, atMs } = levels.get(key) ?? { level: most, atMs: nowMs };
        const filled = Math.min(most, level + (nowMs - atMs) * rate.perMinute);
        const passes = filled >= 60_000;
        levels.set(key, { level: passes ? filled - 60_000 : filled, atMs: nowMs });
        const waitMs = gate.take(`${key}`, nowMs);
        assert.equal(waitMs, passes ? 0 : Math.ceil((60_000 - filled) / rate.perMinute));
      }
    }),
    { numRuns: 10_000 },
  );
});

test('RL-15 ten thousand races over three instances: never more than the budget', {
  timeout: 120_000,
  skip: skipRedis,
}, async (t) => {
  const rate = { perMinute: 600, burst: 4 };
  const limits: Limits = { ...limitsPresets.production, upgradesPerIp: rate, connectionsPerUser: 3 };
  const redis = await startRedis(t);
  const options = { limits, decisionMs: 450, decidedAlone: () => void alone++, changed: () => {} };
  let alone = 0;
  const buses = [
    await joinRedis(t, redis, { limits: options }),
    await joinRedis(t, redis, { limits: options }),
    await joinRedis(t, redis, { limits: options }),
  ];
  const seed = Number(process.env.WSBENCH_TEST_SEED ?? 15);
  let state = seed;
  const chance = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  let worst = -1;
  let fewest = Number.POSITIVE_INFINITY;
  /** Eight tries on chance instances; between some of them, others come first. */
  const race = async (n: number): Promise<void> => {
    const passed: Passed[] = [];
    const one = async (bus: RedisBus): Promise<void> => {
      const fromMs = performance.now();
      if ((await bus.limits.pass('upgrades', `race ${n}`)) === 0) {
        passed.push({ fromMs, untilMs: performance.now() });
      }
    };
    const tries: Promise<void>[] = [];
    for (let each = 0; each < 8; each++) {
      tries.push(one(buses[chance(3)] as RedisBus));
      if (chance(3) === 0) await tries[chance(tries.length)];
    }
    await Promise.all(tries);
    worst = Math.max(worst, excess(passed, rate.burst, rate.perMinute));
    fewest = Math.min(fewest, passed.length);
  };
  const races = isLong ? 100_000 : 10_000;
  for (let from = 0; from < races; from += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => race(from + n)));
  }
  t.diagnostic(`seed ${seed}, ${races} races: at worst ${(worst * 100).toFixed(1)} % over the budget`);
  assert.equal(alone, 0, 'decisions that Redis did not make');
  assert.ok(worst <= 0, `${worst}`);
  assert.ok(fewest >= rate.burst, 'the burst is had in every race');
  // Connections, too: whoever comes and goes, never more than three at a time.
  for (let n = 0; n < 300; n++) {
    let inside = 0;
    let most = 0;
    const visit = async (bus: RedisBus): Promise<void> => {
      const entered = await bus.limits.enter(`visit ${n}`, false);
      if (!entered.ok) return;
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
      bus.limits.leave(`visit ${n}`);
    };
    await Promise.all(Array.from({ length: 8 }, () => visit(buses[chance(3)] as RedisBus)));
    assert.ok(most <= 3);
  }
});
