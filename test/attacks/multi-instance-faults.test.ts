// Instances of which one is cut off, dies or is late, and a Redis that is slow or cuts them off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../lib/token.ts';
import type { Position } from '../../reference-server/bus/bus.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client } from '../reference-server/client.ts';
import { eventually, joinRedis, meddler } from '../reference-server/redis-buses.ts';
import { cable } from '../reference-server/redis-cable.ts';
import { Stream } from '../reference-server/redis-load.ts';
import { skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { listening } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';
import { serving } from './serving.ts';

const timeout = 90_000;
const secret = 'shared by all, and long enough for HS256';
const roles: ('dashboard' | 'agent')[] = ['dashboard', 'agent'];

async function token(sub = 'alice'): Promise<string> {
  return mintToken({ secret }, { sub, roles, tenant: 'team' });
}

/** Asks until it is so, and returns how long that took. */
async function untilMs(limitMs: number, what: string, holds: () => Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < limitMs, `never: ${what}`);
    await sleep(20);
  }
  return performance.now() - startedMs;
}

test('MI-03 an instance without a way to Redis says so, and catches up once it has one', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const options = { secret, heartbeat: noHeartbeat };
  const a = await listening(t, { ...options, redis: { url: redis.url } });
  const b = await listening(t, { ...options, redis: { url: way.redis.url } });
  const dashboard = await Client.open(`${a.url}/ws`, await token());
  await dashboard.ack('DASHBOARD_CONNECT');
  const subscriber = await Client.open(`${b.url}/ws`, await token('bob'));
  await subscriber.ack('SUBSCRIBE', { channel: 'c' });
  const goes = await Client.open(`${b.url}/ws`, await token('goes'));
  await goes.ack('AGENT_CONNECT', { agentId: 'goes' });
  const stays = await Client.open(`${b.url}/ws`, await token('stays'));
  await stays.ack('AGENT_CONNECT', { agentId: 'stays' });
  way.block();
  const degradedMs = await untilMs(
    5000,
    'degraded',
    async () => (await fetch(`${b.httpUrl}/readyz`)).status === 503,
  );
  t.diagnostic(`not ready ${Math.round(degradedMs)} ms after the cut`);
  assert.ok(degradedMs <= 2000, `${degradedMs} ms`);
  const { code, retryAfterMs } = await subscriber.error('PUBLISH', { channel: 'c', data: 'no' });
  assert.deepEqual([code, retryAfterMs], ['NOT_DELIVERED', 1000]);
  const count = 100;
  for (let n = 1; n <= count; n++) await dashboard.ack('PUBLISH', { channel: 'c', data: n });
  await goes.close();
  await sleep(isLong ? 20_000 : 3000);
  way.mend();
  const healedMs = performance.now();
  const agents = async (): Promise<unknown> => {
    const asked = await Client.open(`${a.url}/ws`, await token());
    const { agents } = await asked.ack('DASHBOARD_CONNECT');
    await asked.close();
    return agents;
  };
  await untilMs(
    10_000,
    'presence',
    async () => JSON.stringify(await agents()) === '[{"agentId":"stays","status":"online"}]',
  );
  const tookMs = performance.now() - healedMs;
  t.diagnostic(`presence right ${Math.round(tookMs)} ms after the cut was mended`);
  assert.ok(tookMs <= 5000, `${tookMs} ms`);
  await dashboard.ack('PUBLISH', { channel: 'c', data: count + 1 });
  await subscriber.take((each) => each.type === 'MESSAGE' && each.payload.data === count + 1, 'the last');
  const seen = subscriber.inbox.flatMap((each) => (each.type === 'MESSAGE' ? [each.payload.data] : []));
  assert.deepEqual(
    seen,
    Array.from({ length: count }, (_, n) => n + 1),
  );
  assert.ok(!subscriber.inbox.some(({ type }) => type === 'GAP'));
});

test('MI-04 an instance is killed: its agents go offline for all others', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const env = { JWT_SECRET: secret, REDIS_URL: redis.url };
  const dying = await serving(t, ['--limits', 'off'], env);
  const other = await listening(t, { secret, heartbeat: noHeartbeat, redis: { url: redis.url } });
  const dashboard = await Client.open(`${other.url}/ws`, await token());
  await dashboard.ack('DASHBOARD_CONNECT');
  const agent = await Client.open(dying.url, await token('bob'));
  await agent.ack('AGENT_CONNECT', { agentId: 'g' });
  assert.equal((await dashboard.next('AGENT_STATUS')).payload.status, 'online');
  // Told by a kill, not by a word: nothing of the process has a chance to say goodbye.
  dying.child.kill('SIGKILL');
  const killedMs = performance.now();
  const isOffline = async (): Promise<boolean> =>
    dashboard.inbox.some((each) => each.type === 'AGENT_STATUS' && each.payload.status === 'offline');
  await untilMs(15_000, 'offline', isOffline);
  t.diagnostic(`offline ${Math.round(performance.now() - killedMs)} ms after the kill`);
  assert.equal((await dashboard.error('COMMAND', { agentId: 'g', command: 'x' })).code, 'NOT_DELIVERED');
});

test('MI-08 a slow Redis: what is local is not slow, and nobody waits longer than was promised', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const server = await listening(t, { secret, heartbeat: noHeartbeat, redis: { url: way.redis.url } });
  const client = await Client.open(`${server.url}/ws`, await token());
  await client.ack('AGENT_CONNECT', { agentId: 'here' });
  // Scripts that Redis does not know yet take a second call.
  await client.ack('PUBLISH', { channel: 'c', data: 'first' });
  way.slow(() => 150 + Math.random() * 100);
  const took = async (run: () => Promise<unknown>): Promise<number> => {
    const startedMs = performance.now();
    await run();
    return performance.now() - startedMs;
  };
  const acks: number[] = [];
  const locals: number[] = [];
  for (let n = 0; n < 8; n++) {
    acks.push(await took(() => client.ack('PUBLISH', { channel: 'c', data: n })));
    locals.push(await took(() => client.request('ECHO', n)));
  }
  t.diagnostic(`ACK ${Math.round(Math.max(...acks))} ms, echo ${Math.round(Math.max(...locals))} ms at most`);
  // A PUBLISH that may be repeated takes three calls: nobody else has done it, it is done, and it was done.
  assert.ok(Math.max(...acks) <= 3 * 250 + 150 && Math.min(...acks) >= 400, acks.join());
  assert.ok(Math.max(...locals) <= 140, locals.join());
  way.slow(() => 900);
  for (let n = 0; n < 4; n++) {
    const refusedMs = await took(async () => {
      const { code } = await client.error('PUBLISH', { channel: 'c', data: 'too late' });
      assert.equal(code, 'NOT_DELIVERED');
    });
    assert.ok(refusedMs <= 500, `${refusedMs} ms`);
    // A command to an agent whose socket is here needs no Redis.
    client.send({ type: 'COMMAND', payload: { agentId: 'here', command: 'x' } });
    assert.equal((await client.next('COMMAND')).payload.agentId, 'here');
  }
});

test('MI-10 Redis cuts a subscriber off that does not read: it hears of the gap, and goes on by offset', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t, { args: ['--client-output-buffer-limit', 'pubsub 1mb 1mb 1'] });
  const way = await cable(t, redis);
  const a = await joinRedis(t, redis);
  const b = await joinRedis(t, way.redis);
  const stream = new Stream();
  const start: Position = await b.subscribe('t', 'c', stream.message, undefined, stream.gap);
  const client = meddler(t, redis);
  const subscribers = async (): Promise<number> =>
    String(await client.client('LIST', 'TYPE', 'PUBSUB'))
      .trim()
      .split('\n').length;
  assert.equal(await subscribers(), 2);
  const release = way.holdAnswers();
  const pad = 'x'.repeat(60_000);
  let n = 0;
  while ((await subscribers()) === 2) {
    assert.ok(n < 2000, 'never cut off');
    await Promise.all(Array.from({ length: 20 }, () => a.publish('t', 'c', { n: ++n, pad })));
  }
  release();
  await eventually(() => b.state === 'up' && stream.gaps.length > 0, 'the gap');
  for (let each = 0; each < 10; each++) await a.publish('t', 'c', { n: ++n });
  await eventually(() => stream.messages.at(-1)?.offset === n, 'the last');
  t.diagnostic(
    `cut off after ${n} messages of 60 KB: ${stream.messages.length} came, ${stream.gaps.length} gap told`,
  );
  stream.check(start);
  const { epoch, offset } = stream.messages.at(-1) ?? start;
  assert.deepEqual([epoch, offset], [start.epoch, n]);
  // Whoever comes back by offset gets the rest, and nothing twice.
  const since = { epoch, offset: n - 5 };
  const back = await b.subscribe('t', 'c', () => {}, since);
  assert.deepEqual([back.recovered, back.missed.length], [true, 5]);
});
