import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from './client.ts';
import { listening } from './servers.ts';

const timeout = 30_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a burst is accepted, then one RATE_LIMITED, then silence, then life goes on', {
  timeout,
}, async (t) => {
  const server = await listening(t, { limits: 'test', heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  for (let n = 0; n < 60; n++) client.send({ type: 'PING', id: `${n}` });
  const error = await client.next('ERROR');
  assert.deepEqual([error.payload.code, error.payload.for], ['RATE_LIMITED', 'PING']);
  assert.ok((error.payload.retryAfterMs ?? 0) > 0 && (error.payload.retryAfterMs ?? 0) <= 1000);
  await client.settle();
  const pongs = client.inbox.filter(({ type }) => type === 'PONG').length;
  // 20 at once, and a few more for the milliseconds that the burst took.
  assert.ok(pongs >= 20 && pongs < 30, `${pongs} were accepted`);
  assert.equal(client.inbox.filter(({ type }) => type === 'ERROR').length, 0);
  await sleep(error.payload.retryAfterMs ?? 0);
  assert.equal((await client.request('PING')).type, 'PONG');
});

test('a refusal does not overtake the answers to what was accepted before it', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test', heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  await client.next('WELCOME');
  for (let n = 0; n < 30; n++) {
    client.send({ type: 'PUBLISH', id: `${n}`, payload: { channel: 'order', data: n } });
  }
  const error = await client.next('ERROR');
  const ids = client.inbox.map(({ id }) => Number(id));
  assert.ok(ids.length >= 20, `${ids.length} answers came first`);
  assert.deepEqual([...ids, Number(error.id)], [...Array.from(ids.keys()), ids.length]);
});

test('refusals are summed up once a second; too many close with 4429', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'development', heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  for (let n = 0; n < 60; n++) client.send({ type: 'PING', id: `${n}` });
  await client.next('ERROR');
  await sleep(1100);
  client.send('not even JSON');
  const second = await client.next('ERROR');
  assert.equal(second.payload.code, 'RATE_LIMITED');
  assert.ok((second.payload.suppressed ?? 0) > 0);
  for (let n = 0; n < 600; n++) client.send({ type: 'PING', id: `x${n}` });
  assert.deepEqual(await client.closed, { code: 4429, reason: 'RATE_LIMITED' });
});

test('every message costs one, valid or not', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test', heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  for (let n = 0; n < 40; n++) client.send(n % 2 ? 'garbage' : '{"type":"NOPE"}');
  await client.take((m) => m.type === 'ERROR' && m.payload.code === 'RATE_LIMITED', 'RATE_LIMITED');
});

test('reconnecting gains nothing, and says so at once', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'development', heartbeat: noHeartbeat });
  const flood = async (client: Client): Promise<number> => {
    for (let n = 0; n < 70; n++) client.send({ type: 'PING', id: `${n}` });
    await client.settle();
    return client.inbox.filter(({ type }) => type === 'PONG').length;
  };
  for (const token of [await server.mint({ sub: 'alice' }), undefined]) {
    const first = await Client.open(`${server.url}/ws`, token);
    assert.ok((await flood(first)) >= 50);
    await first.close();
    const second = await Client.open(`${server.url}/ws`, token);
    assert.equal(await flood(second), 0);
    assert.equal((await second.next('ERROR')).payload.code, 'RATE_LIMITED');
    await second.close();
  }
  const other = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'bob' }));
  assert.ok((await flood(other)) >= 50);
});

test('AUTH after an anonymous burst does not refill the bucket', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'development', heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`);
  for (let n = 0; n < 48; n++) client.send({ type: 'PING', id: `${n}` });
  await client.ack('AUTH', { token: await server.mint() });
  for (let n = 0; n < 20; n++) client.send({ type: 'PING', id: `x${n}` });
  await client.take((m) => m.type === 'ERROR' && m.payload.code === 'RATE_LIMITED', 'RATE_LIMITED');
});

test('AUTH takes over what the subject left behind', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'development', heartbeat: noHeartbeat });
  const token = await server.mint({ sub: 'alice' });
  const first = await Client.open(`${server.url}/ws`, token);
  for (let n = 0; n < 60; n++) first.send({ type: 'PING', id: `${n}` });
  await first.next('ERROR');
  await first.close();
  const second = await Client.open(`${server.url}/ws`);
  await second.ack('AUTH', { token });
  assert.equal((await second.error('PING')).code, 'RATE_LIMITED');
});

test('with limits off nothing is refused, and it is said loudly', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'off' });
  assert.match(server.warnings.join('\n'), /limits are OFF/);
  const client = await Client.open(`${server.url}/ws`);
  const { limits } = (await client.next('WELCOME')).payload;
  assert.deepEqual(limits, {
    name: 'off',
    messagesPerMinute: null,
    burstLimit: null,
    violationPenaltyMs: null,
  });
  for (let n = 0; n < 2000; n++) client.send({ type: 'ECHO', id: `${n}`, payload: n });
  await client.take(({ id }) => id === '1999');
  assert.ok(!client.inbox.some(({ type }) => type === 'ERROR'));
});

test('a user may hold so many connections: 429 before the upgrade', { timeout }, async (t) => {
  const server = await listening(t, {
    environment: 'production',
    limits: 'production',
    secret: 'a secret that has thirty-two byte',
  });
  const token = await server.mint({ sub: 'alice' });
  const clients: Client[] = [];
  for (let n = 0; n < 20; n++) clients.push(await Client.open(`${server.url}/ws`, token));
  const refused = await Client.open(`${server.url}/ws`, token).catch((error: unknown) => error);
  assert.ok(refused instanceof Refused);
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers['retry-after']) >= 1);
});

test('the count of a user follows AUTH, and connections that end make room', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test', heartbeat: noHeartbeat });
  const token = await server.mint({ sub: 'alice' });
  const clients: Client[] = [];
  const open = async (as?: string): Promise<Client> => {
    for (;;) {
      const outcome = await Client.open(`${server.url}/ws`, as).catch((error: unknown) => error);
      if (outcome instanceof Client) return outcome;
      const isUpgradeRate = outcome instanceof Refused && outcome.body.includes('RATE_LIMITED');
      if (!isUpgradeRate) throw outcome;
      await sleep(60);
    }
  };
  const anonymous = await open();
  for (let n = 0; n < 50; n++) clients.push(await open(token));
  await assert.rejects(open(token), /LIMIT_EXCEEDED/);
  const refused = await anonymous.error('AUTH', { token });
  assert.equal(refused.code, 'LIMIT_EXCEEDED');
  assert.equal((await anonymous.closed).code, 1013);
  await clients.pop()?.close();
  await (await open(token)).close();
});

test('upgrades of an IP are limited before its token is looked at', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test' });
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, () =>
      Client.open(`${server.url}/ws`, 'garbage').catch((error: unknown) => error),
    ),
  );
  const refusals = outcomes.filter((outcome): outcome is Refused => outcome instanceof Refused);
  const limited = refusals.filter(({ status }) => status === 429);
  assert.equal(refusals.length, 40);
  assert.ok(limited.length >= 10 && limited.length <= 20, `${limited.length} were limited`);
  for (const { headers, body } of limited) {
    assert.ok(Number(headers['retry-after']) >= 1);
    assert.equal(headers.connection, 'close');
    assert.equal((JSON.parse(body) as { error: string }).error, 'RATE_LIMITED');
  }
});

test('/api/status is limited per IP', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test' });
  const statuses: number[] = [];
  for (let n = 0; n < 8; n++) {
    const response = await fetch(`${server.httpUrl}/api/status`);
    statuses.push(response.status);
    if (response.status === 429) assert.ok(Number(response.headers.get('retry-after')) >= 1);
    await response.arrayBuffer();
  }
  assert.deepEqual(statuses.slice(0, 5), [200, 200, 200, 200, 200]);
  assert.ok(statuses.includes(429));
  assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
});
