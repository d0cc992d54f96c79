import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ReferenceServer, ServerOptions } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client } from './client.ts';
import { listening } from './servers.ts';

const timeout = 20_000;

async function start(t: TestContext, options: ServerOptions = {}): Promise<ReferenceServer> {
  return listening(t, { heartbeat: noHeartbeat, ...options });
}

const dashboard = async (server: ReferenceServer, sub = 'dash'): Promise<Client> =>
  Client.open(`${server.url}/ws/dashboard`, await server.mint({ sub, tenant: 't' }));
const agent = async (server: ReferenceServer, sub = 'agent'): Promise<Client> =>
  Client.open(`${server.url}/ws/agent`, await server.mint({ sub, tenant: 't', roles: ['agent'] }));

test('WELCOME says who and what', { timeout }, async (t) => {
  const server = await start(t, { limits: 'test' });
  const anonymous = (await (await Client.open(`${server.url}/ws`)).next('WELCOME')).payload;
  assert.equal(anonymous.sub, null);
  assert.deepEqual(anonymous.roles, []);
  assert.equal(anonymous.auth, 'ephemeral');
  assert.equal(anonymous.maxMessageBytes, 65_536);
  assert.deepEqual(anonymous.heartbeat, noHeartbeat);
  const limits = { name: 'test', messagesPerMinute: 1200, burstLimit: 20, violationPenaltyMs: 1000 };
  assert.deepEqual(anonymous.limits, limits);
  const known = (await (await dashboard(server)).next('WELCOME')).payload;
  assert.equal(known.sub, 'dash');
  assert.deepEqual(known.roles, ['dashboard']);
  assert.notEqual(known.connectionId, anonymous.connectionId);
});

test('the first message is handled even when it comes with the handshake', { timeout }, async (t) => {
  const server = await start(t);
  const client = await Client.open(`${server.url}/ws/dashboard`, await server.mint());
  assert.equal((await client.request('PING')).type, 'PONG');
});

test('PING is answered by PONG with its id, PONG by nothing', { timeout }, async (t) => {
  const server = await start(t);
  const client = await Client.open(`${server.url}/ws`);
  await client.next('WELCOME');
  client.send({ type: 'PONG', id: 'unasked' });
  client.send({ type: 'PING' });
  assert.equal((await client.next('PONG')).id, undefined);
  const pong = await client.request('PING', { any: 'thing' }, 'p');
  assert.equal(pong.type, 'PONG');
  assert.ok(Math.abs(pong.timestamp - Date.now()) < 60_000);
  assert.deepEqual(client.inbox, []);
});

test('ECHO gives any payload back as it came', { timeout }, async (t) => {
  const server = await start(t);
  const client = await Client.open(`${server.url}/ws`);
  for (const payload of [null, 0, '', 'é\u0000\u2028', [], [[1]], { a: { b: null } }, false]) {
    const echo = await client.request('ECHO', payload);
    assert.equal(echo.type, 'ECHO');
    assert.deepEqual(echo.payload, payload);
  }
  assert.ok(!Object.hasOwn(await client.request('ECHO'), 'payload'));
  client.send('{"type":"ECHO","id":"proto","payload":{"__proto__":{"polluted":1},"constructor":2}}');
  const echo = await client.next('ECHO');
  assert.deepEqual(Object.keys(echo.payload as object), ['__proto__', 'constructor']);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

test('answers come in the order of the questions, slow ones included', { timeout }, async (t) => {
  const server = await start(t);
  const client = await Client.open(`${server.url}/ws`);
  const token = await server.mint();
  client.send({ type: 'AUTH', id: '0', payload: { token } });
  for (let n = 1; n <= 200; n++) {
    const payload = { channel: 'c', data: n };
    client.send(n % 2 ? { type: 'PUBLISH', id: `${n}`, payload } : { type: 'ECHO', id: `${n}`, payload: n });
  }
  await client.take(({ id }) => id === '200');
  const ids = client.inbox.flatMap(({ type, id }) =>
    type === 'PING' || id === undefined ? [] : [Number(id)],
  );
  assert.deepEqual(
    ids,
    Array.from({ length: 200 }, (_, n) => n),
  );
});

test('a dashboard sees agents come, change and go', { timeout }, async (t) => {
  const server = await start(t);
  const watcher = await dashboard(server);
  const first = await watcher.ack('DASHBOARD_CONNECT');
  assert.deepEqual(first.agents, []);
  const worker = await agent(server);
  await worker.ack('AGENT_CONNECT', { agentId: 'g1' });
  assert.deepEqual((await watcher.next('AGENT_STATUS')).payload, { agentId: 'g1', status: 'online' });
  const status = await worker.ack('AGENT_STATUS', { status: 'busy', detail: 'at work' });
  assert.deepEqual(status, { for: 'AGENT_STATUS', agentId: 'g1', status: 'busy' });
  const busy = (await watcher.next('AGENT_STATUS')).payload;
  assert.deepEqual(busy, { agentId: 'g1', status: 'busy', detail: 'at work' });
  const late = await (await dashboard(server, 'other')).ack('DASHBOARD_CONNECT');
  assert.deepEqual(late.agents, [{ agentId: 'g1', status: 'busy' }]);
  const stranger = await Client.open(`${server.url}/ws`, await server.mint({ tenant: 'elsewhere' }));
  assert.deepEqual((await stranger.ack('DASHBOARD_CONNECT')).agents, []);
  await worker.close();
  assert.deepEqual((await watcher.next('AGENT_STATUS')).payload, { agentId: 'g1', status: 'offline' });
  assert.equal((await watcher.ack('DASHBOARD_CONNECT')).sessionId, first.sessionId);
});

test('a command reaches its agent, and its result the dashboard', { timeout }, async (t) => {
  const server = await start(t);
  const [boss, worker] = [await dashboard(server), await agent(server)];
  await worker.ack('AGENT_CONNECT', { agentId: 'g1' });
  const { commandId, agentId } = await boss.ack('COMMAND', { agentId: 'g1', command: 'go', args: { n: 1 } });
  assert.equal(agentId, 'g1');
  const received = (await worker.next('COMMAND')).payload;
  assert.deepEqual(received, { commandId, agentId: 'g1', command: 'go', args: { n: 1 } });
  const result = { commandId, status: 'ok', result: [1, 2] };
  assert.deepEqual(await worker.ack('COMMAND_RESULT', result), { for: 'COMMAND_RESULT', commandId });
  assert.deepEqual((await boss.next('COMMAND_RESULT')).payload, { ...result, agentId: 'g1' });
  assert.equal((await worker.error('COMMAND_RESULT', result)).code, 'NOT_DELIVERED');
});

test('a command to nobody is NOT_DELIVERED, and may be tried again under its id', { timeout }, async (t) => {
  const server = await start(t);
  const [boss, worker] = [await dashboard(server), await agent(server)];
  const order = { agentId: 'g1', command: 'go' };
  const error = await boss.error('COMMAND', order, 'same');
  assert.deepEqual([error.code, error.for], ['NOT_DELIVERED', 'COMMAND']);
  await worker.ack('AGENT_CONNECT', { agentId: 'g1' });
  assert.equal((await boss.ack('COMMAND', order, 'same')).duplicate, undefined);
});

test('a command without an answer times out', { timeout }, async (t) => {
  const server = await start(t, { commandTimeoutMs: 50 });
  const [boss, worker] = [await dashboard(server), await agent(server)];
  await worker.ack('AGENT_CONNECT', { agentId: 'g1' });
  const { commandId } = await boss.ack('COMMAND', { agentId: 'g1', command: 'sleep' });
  const { payload } = await boss.next('COMMAND_RESULT');
  assert.deepEqual(payload, { commandId, agentId: 'g1', status: 'timeout' });
  assert.equal((await worker.error('COMMAND_RESULT', { commandId, status: 'ok' })).code, 'NOT_DELIVERED');
});

test('an agent’s id belongs to the newest connection: the old one is closed with 4409', {
  timeout,
}, async (t) => {
  const server = await start(t);
  const [old, young] = [await agent(server), await agent(server)];
  await old.ack('AGENT_CONNECT', { agentId: 'g1' });
  await young.ack('AGENT_CONNECT', { agentId: 'g1' });
  assert.deepEqual(await old.closed, { code: 4409, reason: 'REPLACED' });
  assert.equal((await young.error('AGENT_CONNECT', { agentId: 'g2' })).code, 'INVALID_MESSAGE');
  const before = await agent(server, 'third');
  assert.equal((await before.error('AGENT_STATUS', { status: 'idle' })).code, 'INVALID_MESSAGE');
});

test('what is published reaches every subscriber of the tenant, in order', { timeout }, async (t) => {
  const server = await start(t);
  const clients = [await dashboard(server, 'a'), await dashboard(server, 'b')];
  const stranger = await Client.open(`${server.url}/ws`, await server.mint({ tenant: 'elsewhere' }));
  await stranger.ack('SUBSCRIBE', { channel: 'news' });
  for (const client of clients) await client.ack('SUBSCRIBE', { channel: 'news' });
  const publisher = await dashboard(server, 'c');
  for (let n = 1; n <= 10; n++) {
    const ack = await publisher.ack('PUBLISH', { channel: 'news', data: { n } });
    assert.deepEqual([ack.offset, ack.receivers], [n, 2]);
  }
  for (const client of clients) {
    for (let n = 1; n <= 10; n++) {
      const { payload } = await client.next('MESSAGE');
      assert.deepEqual([payload.channel, payload.offset, payload.data], ['news', n, { n }]);
    }
  }
  await clients[0]?.ack('UNSUBSCRIBE', { channel: 'news' });
  assert.equal((await publisher.ack('PUBLISH', { channel: 'news', data: 1 })).receivers, 1);
  await stranger.settle();
  assert.deepEqual(
    stranger.inbox.map(({ type }) => type),
    ['WELCOME'],
  );
});

test('a subscriber that comes back gets what it missed, after its ACK and before anything newer', {
  timeout,
}, async (t) => {
  const server = await start(t);
  const [reader, writer] = [await dashboard(server, 'r'), await dashboard(server, 'w')];
  const { epoch } = await reader.ack('SUBSCRIBE', { channel: 'c' });
  await reader.close();
  for (let n = 1; n <= 3; n++) await writer.ack('PUBLISH', { channel: 'c', data: n });
  const back = await dashboard(server, 'r');
  await back.next('WELCOME');
  back.send({ type: 'SUBSCRIBE', id: 's', payload: { channel: 'c', since: { epoch, offset: 1 } } });
  back.send({ type: 'PUBLISH', id: 'p', payload: { channel: 'c', data: 4 } });
  await back.take(({ id }) => id === 'p');
  const seen = back.inbox.map((message) =>
    message.type === 'MESSAGE' ? message.payload.offset : message.type,
  );
  assert.deepEqual(seen, ['ACK', 2, 3, 4]);
});

test('a subscriber that missed too much is told by GAP', { timeout }, async (t) => {
  const server = await start(t);
  const client = await dashboard(server);
  const fresh = await client.ack('SUBSCRIBE', { channel: 'c' });
  assert.equal(fresh.recovered, false);
  const since = { epoch: 'of another time', offset: 3 };
  const ack = await client.ack('SUBSCRIBE', { channel: 'c', since });
  assert.equal(ack.recovered, false);
  assert.deepEqual((await client.next('GAP')).payload, { channel: 'c', epoch: fresh.epoch, offset: 0 });
  const current = await client.ack('SUBSCRIBE', { channel: 'c', since: { epoch: ack.epoch, offset: 0 } });
  assert.equal(current.recovered, true);
  await client.ack('PUBLISH', { channel: 'c', data: 'once' });
  await client.settle();
  assert.deepEqual(
    client.inbox.map(({ type }) => type),
    ['WELCOME', 'MESSAGE'],
  );
});

test('a repeated id gets the stored answer, marked, and has no second effect', { timeout }, async (t) => {
  const server = await start(t);
  const client = await dashboard(server);
  await client.ack('SUBSCRIBE', { channel: 'c' }, 'sub');
  const publication = { channel: 'c', data: 'once' };
  const first = await client.ack('PUBLISH', publication, 'p1');
  assert.deepEqual(await client.ack('PUBLISH', publication, 'p1'), { ...first, duplicate: true });
  // Across connections of the same sub, but not for another sub.
  const again = await dashboard(server);
  assert.deepEqual(await again.ack('PUBLISH', publication, 'p1'), { ...first, duplicate: true });
  const other = await dashboard(server, 'other');
  assert.equal((await other.ack('PUBLISH', publication, 'p1')).offset, 2);
  // What changes only this connection is remembered for this connection only.
  assert.equal((await client.ack('SUBSCRIBE', { channel: 'c' }, 'sub')).duplicate, true);
  assert.equal((await again.ack('SUBSCRIBE', { channel: 'c' }, 'sub')).duplicate, undefined);
  await client.settle();
  assert.equal(client.inbox.filter(({ type }) => type === 'MESSAGE').length, 2);
});

test('a duplicate COMMAND is not delivered twice', { timeout }, async (t) => {
  const server = await start(t);
  const [boss, worker] = [await dashboard(server), await agent(server)];
  await worker.ack('AGENT_CONNECT', { agentId: 'g1' });
  const order = { agentId: 'g1', command: 'go' };
  for (let n = 0; n < 3; n++) boss.send({ type: 'COMMAND', id: 'c', payload: order });
  const acks = [await boss.next('ACK'), await boss.next('ACK'), await boss.next('ACK')];
  assert.equal(acks.filter(({ payload }) => payload.duplicate).length, 2);
  await worker.settle();
  assert.equal(worker.inbox.filter(({ type }) => type === 'COMMAND').length, 1);
});

test('a connection may hold 100 subscriptions', { timeout }, async (t) => {
  const server = await start(t);
  const client = await dashboard(server);
  for (let n = 0; n < 100; n++) await client.ack('SUBSCRIBE', { channel: `c${n}` });
  assert.equal((await client.error('SUBSCRIBE', { channel: 'c100' })).code, 'LIMIT_EXCEEDED');
  await client.ack('SUBSCRIBE', { channel: 'c7' });
});

test('roles decide who may do what', { timeout }, async (t) => {
  const server = await start(t);
  const [boss, worker] = [await dashboard(server), await agent(server)];
  assert.equal((await boss.error('AGENT_CONNECT', { agentId: 'g1' })).code, 'FORBIDDEN');
  assert.equal((await worker.error('DASHBOARD_CONNECT')).code, 'FORBIDDEN');
  assert.equal((await worker.error('COMMAND', { agentId: 'g1', command: 'x' })).code, 'FORBIDDEN');
  await worker.ack('PUBLISH', { channel: 'c', data: 1 });
  const nobody = await Client.open(`${server.url}/ws`, await server.mint({ role: 'anon' }));
  assert.equal((await nobody.request('PING')).type, 'PONG');
  assert.equal((await nobody.error('PUBLISH', { channel: 'c', data: 1 })).code, 'FORBIDDEN');
});
