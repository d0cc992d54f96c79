// The client against the reference server.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ClientError, type ClientOptions, type Gap } from '../../lib/client/index.ts';
import { createServer, type ReferenceServer, type ServerOptions } from '../../reference-server/index.ts';
import { listening } from '../reference-server/servers.ts';
import { clientOf, next } from './clients.ts';

const timeout = 60_000;
const secret = 'a secret for tests, and for nothing else';

/** Options of a client whose tokens this server takes. */
function as(server: ReferenceServer, roles = ['dashboard', 'agent'], sub = 'alice'): ClientOptions {
  return { token: () => server.mint({ sub, roles }) };
}

/** A server at the same port as one that is gone. */
async function another(t: TestContext, port: number, options: ServerOptions = {}): Promise<ReferenceServer> {
  const server = await createServer({ limits: 'off', drainTimeoutMs: 1000, secret, port, ...options });
  t.after(() => server.close());
  await server.listen();
  return server;
}

for (const tokenIn of ['header', 'subprotocol', 'message'] as const) {
  test(`connects with a token in the ${tokenIn}, and talks`, { timeout }, async (t) => {
    const server = await listening(t);
    const client = clientOf(t, `${server.url}/ws`, { ...as(server), tokenIn });
    assert.equal(client.state, 'idle');
    const welcome = await client.connect();
    assert.equal(welcome.sub, 'alice');
    assert.equal(client.state, 'open');
    const echo = await client.request('ECHO', { any: ['thing', null] });
    assert.deepEqual([echo.type, echo.payload], ['ECHO', { any: ['thing', null] }]);
    assert.ok((await client.ping()) < 5000);
    const published = await client.publish('news', { n: 1 });
    assert.deepEqual([published.offset, published.receivers, published.duplicate], [1, 0, false]);
    await client.close();
    assert.equal(client.state, 'closed');
  });
}

test('a refused request says why, and whether anything happened', { timeout }, async (t) => {
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, as(server, ['agent']));
  await client.connect();
  const error = await client.command('nobody', 'build').catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ClientError);
  assert.deepEqual([error.code, error.serverCode, error.outcome], ['REFUSED', 'FORBIDDEN', 'none']);
});

test('an id has one effect, on whatever connection', { timeout }, async (t) => {
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, as(server));
  const first = await Promise.all([client.connect(), client.publish('news', 1, { id: 'one' })]);
  assert.equal(first[1].duplicate, false);
  const again = await client.publish('news', 1, { id: 'one' });
  assert.deepEqual([again.offset, again.duplicate], [1, true]);
});

test('a command comes back with its result, and without an agent with NOT_DELIVERED', {
  timeout,
}, async (t) => {
  const server = await listening(t);
  const agent = clientOf(t, `${server.url}/ws`, as(server));
  agent.on('push', ({ type, payload }) => {
    if (type !== 'COMMAND') return;
    const { commandId } = payload as { commandId: string };
    void agent.request('COMMAND_RESULT', { commandId, status: 'ok', result: 42 });
  });
  await agent.connect();
  await agent.request('AGENT_CONNECT', { agentId: 'builder-1' });
  const dashboard = clientOf(t, `${server.url}/ws`, as(server));
  await dashboard.connect();
  const done = await dashboard.command('builder-1', 'build', { args: { target: 'all' } });
  assert.deepEqual([done.status, done.result, done.agentId], ['ok', 42, 'builder-1']);
  await assert.rejects(dashboard.command('builder-2', 'build'), {
    code: 'REFUSED',
    serverCode: 'NOT_DELIVERED',
  });
});

test('deadlines and signals end a request, and nothing else', { timeout }, async (t) => {
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, as(server));
  // Before connect() nothing is sent, so nothing can have happened.
  await assert.rejects(client.request('ECHO', 1, { timeoutMs: 20 }), { code: 'TIMEOUT', outcome: 'none' });
  const controller = new AbortController();
  const aborted = client.request('ECHO', 1, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, { code: 'ABORTED' });
  await assert.rejects(client.connect({ signal: controller.signal }), { code: 'ABORTED' });
  await assert.rejects(client.request('ECHO', 1, { signal: controller.signal }), { code: 'ABORTED' });
  assert.deepEqual(client.queue, { pending: 0, waiting: 0, bytes: 0 });
  await client.connect();
  await assert.rejects(client.request('ECHO', 1, { id: '' }), { code: 'USAGE' });
  await assert.rejects(client.request('ECHO', 'x'.repeat(70_000)), { code: 'USAGE' });
  assert.equal((await client.request('ECHO', 2)).payload, 2);
});

test('a subscription gives messages to listeners and to a loop', { timeout }, async (t) => {
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, as(server));
  await client.connect();
  const news = await client.subscribe('news');
  await assert.rejects(client.subscribe('news'), { code: 'USAGE' });
  const heard: unknown[] = [];
  await client.publish('news', 1);
  news.on('message', ({ data }) => heard.push(data));
  await client.ping();
  assert.deepEqual(heard, [1]);
  const read: unknown[] = [];
  const loop = (async () => {
    for await (const item of news) read.push(item.type === 'message' ? item.data : item);
  })();
  await client.publish('news', 2);
  await client.publish('news', 3);
  assert.deepEqual(heard, [1, 2, 3]);
  await news.unsubscribe();
  await loop;
  assert.deepEqual(read, [2, 3]);
  assert.equal((await client.publish('news', 4)).receivers, 0);
  assert.deepEqual(client.channels, []);
});

test('what was missed while the connection was down is delivered', { timeout }, async (t) => {
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, { ...as(server), reconnect: { minMs: 2000, maxMs: 2000 } });
  const other = clientOf(t, `${server.url}/ws`, as(server));
  const [{ connectionId }] = await Promise.all([client.connect(), other.connect()]);
  const news = await client.subscribe('news');
  const heard: unknown[] = [];
  news.on('message', ({ data }) => heard.push(data));
  await other.publish('news', 1);
  await client.ping();
  const gone = next(client, 'disconnected');
  const back = next(client, 'open');
  for (const { id, socket } of server.app.connections.open) if (id === connectionId) socket.terminate();
  await gone;
  await Promise.all([other.publish('news', 2), other.publish('news', 3)]);
  await back;
  await client.ping();
  assert.deepEqual(heard, [1, 2, 3]);
});

test('a gap is told when the log is another one', { timeout }, async (t) => {
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, as(server));
  await client.connect();
  const gaps: Gap[] = [];
  client.on('gap', (gap) => gaps.push(gap));
  const news = await client.subscribe('news', { since: { epoch: 'of another time', offset: 7 } });
  const first = await news[Symbol.asyncIterator]().next();
  assert.deepEqual([first.value?.type, first.value], ['gap', gaps[0]]);
  assert.deepEqual(
    [gaps.length, gaps[0]?.reason, gaps[0]?.after],
    [1, 'server', { epoch: 'of another time', offset: 7 }],
  );
  await client.publish('news', 1);
  assert.equal(news.position?.offset, 1);
});

test('a drained server is left within its window, and nothing is lost on the way', { timeout }, async (t) => {
  const server = await listening(t, { secret });
  const port = Number(new URL(server.httpUrl).port);
  const client = clientOf(t, `${server.url}/ws`, as(server));
  await client.connect();
  await client.subscribe('news');
  const attempts: number[] = [];
  client.on('attempt', ({ attempt }) => attempts.push(attempt));
  const drained = next(client, 'drain');
  const reopened = next(client, 'open');
  const closing = server.close();
  const { minMs, maxMs, delayMs } = await drained;
  assert.ok(delayMs >= minMs && delayMs <= maxMs, `${delayMs}`);
  assert.equal(client.state, 'draining');
  const waiting = client.publish('news', 'while nobody was there');
  await closing;
  const after = await another(t, port);
  await reopened;
  assert.equal((await waiting).receivers, 1);
  assert.ok(after.url);
});

test('a token is replaced before it ends, on the same connection', { timeout }, async (t) => {
  const server = await listening(t);
  const reasons: string[] = [];
  const client = clientOf(t, `${server.url}/ws`, {
    token: ({ reason }) => {
      reasons.push(reason);
      return server.mint({ sub: 'alice', expiresInS: reason === 'connect' ? 3 : 3600 });
    },
  });
  let ends = 0;
  client.on('disconnected', () => {
    ends += 1;
  });
  await client.connect();
  await new Promise((resolve) => setTimeout(resolve, 4000));
  await client.ping();
  assert.deepEqual([reasons, ends], [['connect', 'refresh'], 0]);
});

test('a revoked token is replaced once; the second refusal is the end', { timeout }, async (t) => {
  const server = await listening(t);
  const fixed = await server.mint({ sub: 'alice', expiresInS: 3600 });
  const reasons: string[] = [];
  const client = clientOf(t, `${server.url}/ws`, {
    token: ({ reason }) => {
      reasons.push(reason);
      return fixed;
    },
  });
  await client.connect();
  const closed = next(client, 'closed');
  await server.revoke('alice');
  const { error } = await closed;
  assert.deepEqual([reasons, error?.code, error?.httpStatus], [['connect', 'refused'], 'TOKEN', 401]);
  await assert.rejects(client.connect(), { code: 'TOKEN' });
  await assert.rejects(client.publish('news', 1), { code: 'TOKEN' });
});

test('keeps to the announced rate, so that it is never penalised', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test' });
  const client = clientOf(t, `${server.url}/ws`, as(server));
  let refusals = 0;
  client.on('limited', () => {
    refusals += 1;
  });
  await client.connect();
  // The burst is 20, the rate 20 a second.
  await Promise.all(Array.from({ length: 60 }, (_, n) => client.request('ECHO', n)));
  assert.equal(refusals, 0);
});

test('without pacing it runs into the limit, waits as told, and loses nothing', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test' });
  const client = clientOf(t, `${server.url}/ws`, { ...as(server), pace: false });
  let refusals = 0;
  client.on('limited', () => {
    refusals += 1;
  });
  await client.connect();
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => client.request('ECHO', n)));
  assert.deepEqual(
    answers.map(({ payload }) => payload),
    Array.from({ length: 30 }, (_, n) => n),
  );
  assert.ok(refusals >= 1);
});
