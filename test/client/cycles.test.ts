// Thousands of reconnects leave nothing behind: no timer, no listener, no socket.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Client } from '../../lib/client/client.ts';
import { createClient } from '../../lib/client/index.ts';
import { resolveOptions } from '../../lib/client/options.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { listening } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';
import { next } from './clients.ts';
import { ModelServer, tokenOf } from './model-server.ts';

const timeout = 170_000;

test('10,000 cycles with a subscription and a request in each', { timeout }, async (t) => {
  const clock = new FakeClock();
  const server = new ModelServer(clock);
  let ids = 0;
  let tokens = 0;
  const watchers = new Set<() => void>();
  const client = new Client(
    'ws://model.example/',
    resolveOptions(
      {
        token: () => {
          tokens += 1;
          return tokenOf('alice', clock.epochMs() + 600_000);
        },
      },
      true,
    ),
    {
      transport: server.transport,
      clock,
      chance: () => 0.5,
      newId: () => `id-${ids++}`,
      connectivity: {
        isOnline: () => true,
        watch: (changed) => {
          watchers.add(changed);
          return () => watchers.delete(changed);
        },
      },
    },
  );
  const controller = new AbortController();
  let opens = 0;
  let answers = 0;
  client.on('open', () => {
    opens += 1;
  });
  const turn = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const opening = client.connect({ signal: controller.signal });
  const subscribing = client.subscribe('news', { signal: controller.signal });
  const wasOpen = async (): Promise<void> => {
    await turn(10);
    for (let n = 0; client.state !== 'open' && n < 100; n++) await turn(1000);
    await turn(40_000);
    await turn(100);
  };
  await wasOpen();
  await Promise.all([opening, subscribing]);
  const baseline = clock.pending;
  const most = { timers: 0, listeners: 0 };
  for (let n = 0; n < 10_000; n++) {
    client.publish('news', n, { signal: controller.signal }).then(() => {
      answers += 1;
    });
    // Half of them end before the answer, half after it.
    if (n % 2 === 0) await turn(20);
    server.end([1006, 1001, 1011, 1012, 4408][n % 5]);
    await wasOpen();
    most.timers = Math.max(most.timers, clock.pending);
    most.listeners = Math.max(most.listeners, getEventListeners(controller.signal, 'abort').length);
  }
  t.diagnostic(
    `${opens} connections, ${tokens} tokens, ${baseline} timers before and ${most.timers} at most after a cycle`,
  );
  assert.deepEqual([opens, answers, server.peers.size], [10_001, 10_000, 1]);
  assert.ok(most.timers <= baseline, `${most.timers} timers, ${baseline} at first`);
  assert.deepEqual([most.listeners, watchers.size], [0, 1]);
  assert.deepEqual(client.queue, { pending: 0, waiting: 0, bytes: 0 });
  void client.close();
  await turn(100);
  await turn(100);
  assert.deepEqual([clock.pending, server.peers.size, watchers.size], [0, 0, 0]);
});

test('real sockets: cycles against the reference server', { timeout }, async (t) => {
  const cycles = isLong ? 2000 : 300;
  const server = await listening(t);
  const before = resources();
  const token = await server.mint({ sub: 'alice', roles: ['dashboard'] });
  const client = createClient(`${server.url}/ws`, { token, reconnect: { minMs: 1, maxMs: 1 } });
  await client.connect();
  await client.subscribe('news');
  const heard: unknown[] = [];
  for (let n = 0; n < cycles; n++) {
    const open = next(client, 'open');
    for (const { socket } of server.app.connections.open) socket.terminate();
    await open;
    heard.push((await client.publish('news', n)).receivers);
  }
  assert.deepEqual(new Set(heard), new Set([1]));
  await client.close();
  // The server's own ends close a little later.
  for (let n = 0; resources().sockets > before.sockets && n < 200; n++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const left = resources();
  t.diagnostic(`${cycles} cycles; before ${JSON.stringify(before)}, after ${JSON.stringify(left)}`);
  assert.ok(left.sockets <= before.sockets, `${left.sockets} sockets are left`);
  // The server's periodic timers come and go.
  assert.ok(left.timers <= before.timers + 2, `${left.timers} timers are left`);
});

function resources(): { sockets: number; timers: number } {
  const all = process.getActiveResourcesInfo();
  return {
    sockets: all.filter((name) => name === 'TCPSocketWrap').length,
    timers: all.filter((name) => name === 'Timeout').length,
  };
}
