// Two servers on one Redis, as clients see them: one protocol, whichever they are connected to, and honest words when Redis is away.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type LogEntry, type ReferenceServer } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from './client.ts';
import { type RedisServer, skipRedis, startRedis } from './redis-server.ts';
import { listening } from './servers.ts';

const timeout = 60_000;
const secret = 'shared by both, and long enough for HS256';

async function serve(
  t: TestContext,
  redis: RedisServer,
  required: boolean,
  log: LogEntry[] = [],
): Promise<ReferenceServer> {
  const caFile = redis.url.startsWith('rediss') ? { caFile: redis.caFile } : {};
  return listening(t, {
    ...{ secret, heartbeat: noHeartbeat },
    redis: { url: redis.url, required, ...caFile },
    logger: (entry) => log.push(entry),
  });
}

async function metric(server: ReferenceServer, line: string): Promise<number> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  const value = text.split('\n').find((each) => each.startsWith(`${line} `));
  assert.ok(value, `${line} in\n${text}`);
  return Number(value.split(' ').at(-1));
}

async function readiness(server: ReferenceServer): Promise<[number, Record<string, unknown>]> {
  const answer = await fetch(`${server.httpUrl}/readyz`);
  return [answer.status, (await answer.json()) as Record<string, unknown>];
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 400, `never: ${what}`);
    await sleep(10);
  }
}

const claims = (sub: string) => ({ sub, roles: ['dashboard', 'agent'] as const, tenant: 'team' });

async function open(server: ReferenceServer, sub: string): Promise<Client> {
  const { roles, ...rest } = claims(sub);
  return Client.open(`${server.url}/ws`, await server.mint({ ...rest, roles: [...roles] }));
}

for (const tls of [false, true]) {
  test(`a dashboard on one server, an agent on the other${tls ? ', over TLS' : ''}`, {
    timeout,
    skip: skipRedis,
  }, async (t) => {
    const redis = await startRedis(t, { tls, password: 'p#/?:@ 100%' });
    const one = await serve(t, redis, true);
    const two = await serve(t, redis, true);
    assert.deepEqual(await readiness(one), [200, { status: 'ready', redis: 'up' }]);
    const dashboard = await open(one, 'dora');
    const agent = await open(two, 'bob');
    assert.deepEqual((await dashboard.ack('DASHBOARD_CONNECT')).agents, []);
    await agent.ack('AGENT_CONNECT', { agentId: 'builder-1' });
    assert.deepEqual((await dashboard.next('AGENT_STATUS')).payload, {
      agentId: 'builder-1',
      status: 'online',
    });
    await agent.ack('AGENT_STATUS', { status: 'busy', detail: 'compiling' });
    assert.equal((await dashboard.next('AGENT_STATUS')).payload.detail, 'compiling');
    const { commandId } = await dashboard.ack(
      'COMMAND',
      { agentId: 'builder-1', command: 'build', args: [1] },
      'c1',
    );
    const command = await agent.next('COMMAND');
    assert.deepEqual(command.payload, { commandId, agentId: 'builder-1', command: 'build', args: [1] });
    await agent.ack('COMMAND_RESULT', { commandId, status: 'ok', result: { made: true } });
    assert.deepEqual((await dashboard.next('COMMAND_RESULT')).payload, {
      ...{ commandId, agentId: 'builder-1', status: 'ok', result: { made: true } },
    });
    const missing = await dashboard.error('COMMAND', { agentId: 'builder-2', command: 'build' });
    assert.equal(missing.code, 'NOT_DELIVERED');
    // The same id on the other server: the stored answer, and no second effect.
    const again = await open(two, 'dora');
    const repeated = await again.ack('COMMAND', { agentId: 'builder-1', command: 'build' }, 'c1');
    assert.deepEqual([repeated.commandId, repeated.duplicate], [commandId, true]);

    const { epoch } = await agent.ack('SUBSCRIBE', { channel: 'news' });
    const published = await dashboard.ack('PUBLISH', { channel: 'news', data: 1 }, 'm1');
    assert.deepEqual([published.epoch, published.offset, published.receivers], [epoch, 1, 1]);
    const twice = await again.ack('PUBLISH', { channel: 'news', data: 1 }, 'm1');
    assert.deepEqual([twice.offset, twice.duplicate], [1, true]);
    assert.equal((await agent.next('MESSAGE')).payload.offset, 1);
    await again.ack('SUBSCRIBE', { channel: 'news', since: { epoch, offset: 0 } });
    assert.equal((await again.next('MESSAGE')).payload.data, 1);
    await agent.settle();
    assert.ok(!agent.inbox.some(({ type }) => type === 'MESSAGE' || type === 'COMMAND'));

    await one.revoke('bob');
    assert.deepEqual(await agent.closed, { code: 4401, reason: 'TOKEN_REVOKED' });
    assert.equal((await dashboard.next('AGENT_STATUS')).payload.status, 'offline');
  });
}

test('without Redis: required is not ready and admits nobody by token, optional goes on; both tell no lies', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const log: LogEntry[] = [];
  const strict = await serve(t, redis, true, log);
  const lenient = await serve(t, redis, false);
  const a = await open(strict, 'alice');
  const b = await open(lenient, 'bob');
  const subscribed = await b.ack('SUBSCRIBE', { channel: 'c' });
  await a.ack('PUBLISH', { channel: 'c', data: 1 });
  await b.next('MESSAGE');
  await redis.kill();
  await until(async () => (await readiness(strict))[0] === 503, 'not ready');
  assert.deepEqual((await readiness(strict))[1].redis, 'down');
  await until(async () => (await readiness(lenient))[1].status === 'degraded', 'degraded');
  assert.deepEqual(await readiness(lenient), [200, { status: 'degraded', redis: 'down' }]);
  for (const client of [a, b]) {
    const startedMs = performance.now();
    for (const [type, payload] of [
      ['PUBLISH', { channel: 'c', data: 2 }],
      ['SUBSCRIBE', { channel: 'd' }],
      ['AGENT_CONNECT', { agentId: 'g' }],
      ['DASHBOARD_CONNECT', {}],
      ['COMMAND', { agentId: 'g', command: 'x' }],
    ] as const) {
      const { code, retryAfterMs } = await client.error(type, payload);
      assert.deepEqual([type, code, retryAfterMs], [type, 'NOT_DELIVERED', 1000]);
    }
    assert.ok(performance.now() - startedMs < 500);
    assert.deepEqual((await client.request('ECHO', 'still here')).payload, 'still here');
  }
  await b.ack('UNSUBSCRIBE', { channel: 'none' });
  const refused = await open(strict, 'carol').catch((error: unknown) => error);
  assert.ok(refused instanceof Refused);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
  assert.match(refused.body, /AUTH_UNAVAILABLE/);
  const anonymous = await Client.open(`${strict.url}/ws`);
  const token = await strict.mint({ sub: 'carol' });
  assert.equal((await anonymous.error('AUTH', { token })).code, 'AUTH_UNAVAILABLE');
  const early = await lenient.mint({ sub: 'carol' });
  await (await Client.open(`${lenient.url}/ws`, early)).close();
  // What this server knows it goes by, and tells the others later.
  await assert.rejects(lenient.revoke('carol'), { name: 'BusUnavailable' });
  const known = await Client.open(`${lenient.url}/ws`, early).catch((error: unknown) => error);
  assert.ok(known instanceof Refused && known.status === 401, String(known));

  await redis.restart();
  await until(async () => (await readiness(strict))[0] === 200, 'ready again');
  await until(async () => (await readiness(lenient))[1].status === 'ready', 'ready again');
  const gap = (await b.next('GAP')).payload;
  assert.notEqual(gap.epoch, subscribed.epoch);
  const acknowledged = await a.ack('PUBLISH', { channel: 'c', data: 3 });
  assert.deepEqual([acknowledged.epoch, acknowledged.offset], [gap.epoch, gap.offset + 1]);
  assert.equal((await b.next('MESSAGE')).payload.data, 3);
  const everywhere = await Client.open(`${strict.url}/ws`, early).catch((error: unknown) => error);
  assert.ok(everywhere instanceof Refused && everywhere.status === 401, String(everywhere));
  assert.equal(await metric(strict, 'wsbench_bus_up'), 1);
  assert.ok((await metric(strict, 'wsbench_bus_outages_total')) >= 1);
  assert.equal(await metric(strict, 'wsbench_bus_dropped_total{reason="malformed"}'), 0);
  const words = log.map(({ message }) => message);
  assert.ok(words.some((word) => word.startsWith('Redis is down: redis://127.0.0.1')));
  assert.ok(words.length < 12, words.join('\n'));
});

test('a start without Redis: refused where it is required, degraded where not, and whole once it comes', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t, { password: 'a very secret word' });
  await redis.kill();
  const failure = await createServer({ secret, redis: { url: redis.url } }).catch((error: unknown) => error);
  assert.ok(failure instanceof Error);
  assert.equal((failure as { code?: string }).code, 'SERVER_START');
  assert.match(
    failure.message,
    /^cannot reach Redis at redis:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*--redis optional/,
  );
  const server = await serve(t, redis, false);
  assert.deepEqual(await readiness(server), [200, { status: 'degraded', redis: 'down' }]);
  await redis.restart();
  await until(async () => (await readiness(server))[1].status === 'ready', 'ready');
  const client = await open(server, 'alice');
  assert.equal((await client.ack('PUBLISH', { channel: 'c', data: 1 })).offset, 1);
});

test('a wrong password and a certificate of somebody else are said, and no secret with them', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t, { tls: true, password: 'the right one' });
  const said: string[] = [];
  for (const [options, says] of [
    [{ url: redis.url.replace('right', 'wrong'), caFile: redis.caFile }, /WRONGPASS/],
    [{ url: redis.url.replace(/\/\/.*@/, '//'), caFile: redis.caFile }, /NOAUTH/],
    [{ url: redis.url }, /certificate/],
    [{ url: redis.url.replace('127.0.0.1', 'localhost'), caFile: redis.caFile }, /altnames/],
    [{ url: redis.url.replace('rediss', 'redis') }, /Redis/],
  ] as const) {
    const server = await createServer({
      ...{ secret, drainTimeoutMs: 100 },
      redis: { ...options, required: false },
      logger: ({ message }) => said.push(message),
    });
    await server.close();
    assert.match(said.join('\n'), says);
    assert.doesNotMatch(said.join('\n'), /the%20|right one|wrong one/);
    said.length = 0;
  }
});
