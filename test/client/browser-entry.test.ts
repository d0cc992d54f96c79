// The entry for browsers, over a WebSocket of the standard's kind: Node's own from 22 on, that of `ws` before.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { createClient } from '../../lib/client/browser.ts';
import type { Client, ClientOptions } from '../../lib/client/index.ts';
import { listening } from '../reference-server/servers.ts';
import { next } from './clients.ts';

const timeout = 60_000;

/** What a page has, and Node may not; `navigator` and events only when they are asked for. */
function page(t: TestContext, extra: Record<string, unknown> = {}): void {
  const scope: Record<string, unknown> = {
    WebSocket: (globalThis as { WebSocket?: unknown }).WebSocket ?? WebSocket,
    ...extra,
  };
  for (const [name, value] of Object.entries(scope)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => {
      if (before) Object.defineProperty(globalThis, name, before);
      else Reflect.deleteProperty(globalThis, name);
    });
  }
}

function clientOf(t: TestContext, url: string, options: ClientOptions = {}): Client {
  const client = createClient(url, {
    ...options,
    reconnect: { minMs: 20, maxMs: 200, ...options.reconnect },
  });
  t.after(() => client.close());
  return client;
}

for (const tokenIn of ['subprotocol', 'message'] as const) {
  test(`connects with a token in the ${tokenIn}, comes back, and closes`, { timeout }, async (t) => {
    page(t);
    const server = await listening(t);
    const client = clientOf(t, `${server.url}/ws`, {
      token: () => server.mint({ sub: 'alice', roles: ['dashboard'] }),
      tokenIn,
    });
    assert.equal((await client.connect()).sub, 'alice');
    const news = await client.subscribe('news');
    const heard: unknown[] = [];
    news.on('message', ({ data }) => heard.push(data));
    const open = next(client, 'open');
    for (const { socket } of server.app.connections.open) socket.terminate();
    await client.publish('news', 1);
    await open;
    await client.ping();
    assert.deepEqual(heard, [1]);
    await client.close();
    assert.equal(client.state, 'closed');
  });
}

test('a refused handshake asks the provider again, as nobody says why', { timeout }, async (t) => {
  page(t);
  const server = await listening(t);
  const bad = `${await server.mint({ sub: 'alice' })}x`;
  let calls = 0;
  const client = clientOf(t, `${server.url}/ws`, {
    token: () => (calls++ === 0 ? bad : server.mint({ sub: 'alice' })),
  });
  await client.connect();
  assert.equal(calls, 2);
});

test('a binary message is refused with what a page may close with', { timeout }, async (t) => {
  page(t);
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`);
  await client.connect();
  const [connection] = server.app.connections.open;
  assert.ok(connection);
  const closed = new Promise((resolve) => connection.socket.once('close', resolve));
  const ended = next(client, 'disconnected');
  connection.socket.send(Buffer.from('bytes'));
  assert.equal(await closed, 4003);
  assert.deepEqual([(await ended).code, (await ended).by, (await ended).again], [1003, 'client', true]);
});

test('offline it waits for the network, and online it comes back soon', { timeout }, async (t) => {
  const listeners = new Map<string, Set<() => void>>();
  const navigator = { onLine: true };
  page(t, {
    navigator,
    addEventListener: (type: string, listener: () => void) =>
      listeners.set(type, (listeners.get(type) ?? new Set()).add(listener)),
    removeEventListener: (type: string, listener: () => void) => listeners.get(type)?.delete(listener),
  });
  const set = (onLine: boolean): void => {
    navigator.onLine = onLine;
    for (const listener of listeners.get(onLine ? 'online' : 'offline') ?? []) listener();
  };
  const server = await listening(t);
  const client = clientOf(t, `${server.url}/ws`, { reconnect: { minMs: 20, maxMs: 3_600_000 } });
  await client.connect();
  const waiting = next(client, 'waiting');
  set(false);
  for (const { socket } of server.app.connections.open) socket.terminate();
  assert.deepEqual(await waiting, { delayMs: 3_600_000, why: 'offline' });
  const open = next(client, 'open');
  set(true);
  await open;
  await client.close();
  assert.deepEqual(
    [...listeners.values()].map(({ size }) => size),
    [0, 0],
  );
});

test('without a WebSocket, and with what a page cannot do, it says so', (t) => {
  page(t, { WebSocket: undefined });
  assert.throws(() => createClient('ws://127.0.0.1/'), { code: 'USAGE' });
  page(t);
  assert.throws(() => createClient('ws://127.0.0.1/', { token: 'x', tokenIn: 'header' }), { code: 'USAGE' });
  assert.throws(() => createClient('http://127.0.0.1/'), { code: 'USAGE' });
  assert.throws(() => createClient('nonsense'), { code: 'USAGE' });
  assert.throws(() => createClient('ws://127.0.0.1/', { timeoutMs: 0 }), { code: 'USAGE' });
  assert.throws(() => createClient('ws://127.0.0.1/', { reconnect: { minMs: Number.NaN } }), {
    code: 'USAGE',
  });
});
