// Faults of networks, servers and token providers, over real sockets.
import assert from 'node:assert/strict';
import { createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import type { ClientError, TokenSource } from '../../lib/client/index.ts';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { startFaultProxy } from '../fixtures/fault-proxy.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { listening } from '../reference-server/servers.ts';
import { clientOf, next } from './clients.ts';

const timeout = 60_000;
const beats = { intervalMs: 200, timeoutMs: 200 };

function tokenFor(server: ReferenceServer): TokenSource {
  return () => server.mint({ sub: 'alice', roles: ['dashboard'] });
}

/** Answers every handshake with this status line and these headers. */
async function refuser(t: TestContext, answer: string): Promise<{ url: string; times: number[] }> {
  const times: number[] = [];
  const server = createTcpServer((socket) => {
    times.push(performance.now());
    socket.on('error', () => {});
    socket.end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return { url: `ws://127.0.0.1:${address.port}/`, times };
}

test('a black hole is noticed by its deadline, and what was sent into it is sent again', {
  timeout,
}, async (t) => {
  const server = await listening(t);
  const port = Number(new URL(server.httpUrl).port);
  // The first connection goes silent in both directions once it is open.
  const proxy = await startFaultProxy(port, (n) =>
    n === 0
      ? { up: { after: { bytes: 1200, what: 'stall' } }, down: { after: { bytes: 1200, what: 'stall' } } }
      : {},
  );
  t.after(() => proxy.close());
  const client = clientOf(t, `ws://127.0.0.1:${proxy.port}/ws`, {
    token: tokenFor(server),
    heartbeat: beats,
  });
  await client.connect();
  const lost = next(client, 'disconnected');
  const startMs = performance.now();
  const published = client.publish('news', 'x'.repeat(2000));
  const { code, detail } = await lost;
  const tookMs = performance.now() - startMs;
  t.diagnostic(`noticed after ${tookMs.toFixed()} ms; interval + timeout are 400 ms`);
  assert.deepEqual([code, detail], [1006, 'no sign of life']);
  assert.equal((await published).duplicate, false);
  assert.equal(proxy.connections, 2);
});

test('an effect whose ACK was lost happens once', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const client = clientOf(t, `${server.url}/ws`, { token: tokenFor(server) });
  await client.connect();
  // The server handles it, and the connection ends before the answer is out.
  const [connection] = server.app.connections.open;
  assert.ok(connection);
  connection.socket.send = () => connection.socket.terminate();
  const { offset, duplicate } = await client.publish('news', 1);
  assert.deepEqual([offset, duplicate], [1, true]);
  assert.equal((await client.publish('news', 2)).offset, 2);
});

test('Retry-After of a refused handshake is kept to', { timeout }, async (t) => {
  const { url, times } = await refuser(
    t,
    'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n',
  );
  const client = clientOf(t, url);
  client.connect().catch(() => {});
  const { delayMs, why } = await next(client, 'waiting');
  assert.equal(why, 'retry-after');
  assert.ok(delayMs >= 1000 && delayMs <= 2000, `${delayMs}`);
  await next(client, 'attempt', ({ attempt }) => attempt === 2);
  await next(client, 'disconnected');
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990);
});

for (const [what, answer, code] of [
  ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', 'STOPPED'],
  ['401', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n', 'TOKEN'],
  [
    'a redirect',
    'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n',
    'ATTEMPTS',
  ],
  ['nothing of HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'ATTEMPTS'],
] as const) {
  test(`${what} instead of a handshake ends in ${code}`, { timeout }, async (t) => {
    const { url, times } = await refuser(t, answer);
    const client = clientOf(t, url, {
      token: 'a fixed one'.replaceAll(' ', '-'),
      reconnect: { maxAttempts: 3 },
    });
    const waiting = client.publish('news', 1);
    const [connected, published] = await Promise.allSettled([client.connect(), waiting]);
    for (const outcome of [connected, published]) {
      assert.equal(outcome.status, 'rejected');
      assert.equal((outcome.reason as ClientError).code, code);
    }
    assert.equal(times.length, code === 'ATTEMPTS' ? 3 : 1);
    assert.equal(client.state, 'closed');
  });
}

test('a server that never says WELCOME is left after the deadline', { timeout }, async (t) => {
  const mute = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => mute.close());
  await new Promise((resolve) => mute.once('listening', resolve));
  const { port } = mute.address() as { port: number };
  const client = clientOf(t, `ws://127.0.0.1:${port}/`, {
    connectTimeoutMs: 100,
    protocols: [],
    reconnect: { maxAttempts: 2 },
  });
  await assert.rejects(client.connect(), { code: 'ATTEMPTS', message: /no WELCOME/ });
});

test('a provider that hangs, throws or returns what is expired: back-off, an event, and no connect', {
  timeout,
}, async (t) => {
  const server = await listening(t);
  const expired = await server.mint({ sub: 'alice', expiresInS: -60 });
  const behaviours = [
    () => new Promise<string>(() => {}),
    () => Promise.reject(new Error('the provider is out of order')),
    () => {
      throw new Error('at once');
    },
    () => expired,
    () => '',
    () => 'two words',
    () => server.mint({ sub: 'alice', roles: ['dashboard'] }),
  ];
  let calls = 0;
  const aborted: boolean[] = [];
  const client = clientOf(t, `${server.url}/ws`, {
    token: ({ signal }) => {
      const n = calls++;
      signal.addEventListener('abort', () => aborted.push(n === 0));
      return (behaviours[n] ?? behaviours[6] ?? (() => ''))();
    },
    tokenTimeoutMs: 100,
  });
  const errors: string[] = [];
  client.on('tokenError', ({ error }) => errors.push(`${error.code}: ${error.message}`));
  let connects = 0;
  client.on('state', ({ to }) => {
    if (to === 'connecting') connects += 1;
  });
  const welcome = await client.connect();
  assert.equal(welcome.sub, 'alice');
  assert.deepEqual(errors, [
    'TOKEN: the token provider took more than 100 ms',
    'TOKEN: the token provider failed',
    'TOKEN: the token provider failed',
    'TOKEN: the token has expired',
    'TOKEN: the token provider returned no token',
    'TOKEN: the token provider returned no token',
  ]);
  assert.deepEqual([connects, aborted], [1, [true]]);
});

test('a fixed token that has expired is the end at once', { timeout }, async (t) => {
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, {
    token: await server.mint({ sub: 'alice', expiresInS: -60 }),
  });
  await assert.rejects(client.connect(), { code: 'TOKEN', message: /expired/ });
});

test('an error of this client never shows a token', { timeout }, async (t) => {
  const server = await listening(t);
  const token = await server.mint({ sub: 'alice' });
  const seen: unknown[] = [];
  const client = clientOf(t, `${server.url}/ws`, { token: () => `${token}x`, tokenIn: 'message' });
  for (const type of ['disconnected', 'tokenError', 'closed', 'waiting'] as const)
    client.on(type, (event) => seen.push(event));
  const error = await client.connect().catch((thrown: unknown) => thrown);
  const text = JSON.stringify([seen, String(error), (error as Error).stack]);
  assert.match(text, /TOKEN/);
  assert.ok(!text.includes(token.slice(-40)), text);
});

test('the queue is bounded, by count and by size, and says what it dropped', { timeout }, async (t) => {
  const server = await listening(t);
  const token = tokenFor(server);
  const full = clientOf(t, `${server.url}/ws`, { token, queue: { maxMessages: 3 } });
  const kept = [1, 2, 3].map((n) => full.request('ECHO', n));
  await assert.rejects(full.request('ECHO', 4), { code: 'OVERFLOW', outcome: 'none' });
  await full.connect();
  assert.deepEqual(
    (await Promise.all(kept)).map(({ payload }) => payload),
    [1, 2, 3],
  );

  const dropping = clientOf(t, `${server.url}/ws`, {
    token,
    queue: { maxBytes: 300, overflow: 'drop-oldest' },
  });
  const all = Promise.allSettled(
    ['a', 'b', 'c', 'd'].map((letter) => dropping.request('ECHO', letter.repeat(60))),
  );
  await assert.rejects(dropping.request('ECHO', 'x'.repeat(400)), { code: 'OVERFLOW' });
  await dropping.connect();
  const outcomes = await all;
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'answered')),
    ['OVERFLOW', 'OVERFLOW', 'answered', 'answered'],
  );
});

test('what waits too long to be sent expires', { timeout }, async (t) => {
  const client = clientOf(t, 'ws://127.0.0.1:1/', { queue: { maxAgeMs: 50 } });
  client.connect().catch(() => {});
  await assert.rejects(client.publish('news', 1), { code: 'EXPIRED', outcome: 'none' });
});
