// Clients that cheat the heartbeat, or use it as a weapon.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { startServe } from '../fixtures/serve-process.ts';
import { Client } from '../reference-server/client.ts';
import { listening, unguarded } from '../reference-server/servers.ts';

const timeout = 30_000;
const fast = { intervalMs: 400, timeoutMs: 400 };
/** What a busy machine may add to a time that the server keeps. */
const busyMs = 1500;

async function metric(server: { httpUrl: string }, name: string): Promise<number> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? 0,
  );
}

/** Opens a WebSocket by hand: nothing answers pings on it, and nothing reads unless told to. */
async function openRaw(t: TestContext, url: string, token: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /);
  return socket;
}

/** A client's frame whose mask is zero. */
function frame(first: number, payload: string): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
}

/** Writes as fast as the peer takes it, until it hangs up or everything is written. */
async function flood(socket: Socket, bytes: Buffer, times: number): Promise<void> {
  for (let n = 0; n < times && !socket.destroyed; n++) {
    if (socket.write(bytes)) continue;
    await new Promise<void>((resolve) => {
      socket.once('drain', resolve).once('close', resolve);
    });
  }
}

test('HB-01 a client that never pongs is closed with 4408, and what it held is given back', {
  timeout,
}, async (t) => {
  const server = await listening(t, { heartbeat: fast });
  const dashboard = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'a' }));
  await dashboard.ack('DASHBOARD_CONNECT');
  const token = await server.mint({ sub: 'a', roles: ['agent'] });
  const silent = await Client.open(`${server.url}/ws`, token, { autoPong: false });
  const startedMs = performance.now();
  await silent.ack('AGENT_CONNECT', { agentId: 'silent' });
  // It talks, but that is no answer.
  const talk = setInterval(() => silent.send({ type: 'ECHO', payload: 1 }), 100);
  t.after(() => clearInterval(talk));
  assert.deepEqual(await silent.closed, { code: 4408, reason: 'HEARTBEAT_TIMEOUT' });
  const closedMs = performance.now() - startedMs;
  t.diagnostic(`closed after ${Math.round(closedMs)} ms of at most ${fast.intervalMs + fast.timeoutMs} ms`);
  assert.ok(closedMs < fast.intervalMs + fast.timeoutMs + 1000 + busyMs);
  const offline = await dashboard.take(
    (message) => message.type === 'AGENT_STATUS' && message.payload.status === 'offline',
    'the agent going offline',
  );
  assert.equal(offline.type, 'AGENT_STATUS');
  assert.equal(server.app.connections.open.size, 1);
  assert.equal(await metric(server, 'wsbench_heartbeat_timeouts_total'), 1);
  assert.equal((await dashboard.request('PING')).type, 'PONG');
});

test('HB-03 PONGs in advance, of old and of invented ids keep nobody alive, and are counted', {
  timeout,
}, async (t) => {
  const server = await listening(t, { heartbeat: fast });
  const honest = await Client.open(`${server.url}/ws`);
  const spoofer = await Client.open(`${server.url}/ws`, undefined, { autoPong: false });
  const first = await spoofer.next('PING');
  spoofer.send({ type: 'PONG', id: first.id });
  // From here on without looking at what comes: all that it may know is how ids have looked so far.
  const before = await metric(server, 'wsbench_unexpected_pongs_total');
  for (let n = 0; n < 1000; n++) {
    const id = (first.id ?? '').replace(/\d+/, String(2 + (n % 10)));
    if (n % 2 === 0) spoofer.send({ type: 'PONG', id });
    else spoofer.socket.pong(n % 3 === 0 ? '' : id);
  }
  assert.deepEqual(await spoofer.closed, { code: 4408, reason: 'HEARTBEAT_TIMEOUT' });
  assert.equal((await metric(server, 'wsbench_unexpected_pongs_total')) - before, 1000);
  assert.equal(honest.socket.readyState, honest.socket.OPEN);
  assert.equal((await honest.request('PING')).type, 'PONG');
});

/** A client that answered every PING so far and then reads nothing any more, while others fill its channel. */
async function zombie(t: TestContext, server: ReferenceServer): Promise<() => boolean> {
  const token = await server.mint({ sub: 'one' });
  const slow = await Client.open(`${server.url}/ws`, token);
  const writer = await Client.open(`${server.url}/ws`, token);
  await slow.ack('SUBSCRIBE', { channel: 'c' });
  const [connection] = server.app.connections.open;
  assert.ok(connection);
  slow.socket.pause();
  t.after(() => slow.socket.terminate());
  for (let n = 0; n < 300 && connection.isOpen; n++) {
    await writer.ack('PUBLISH', { channel: 'c', data: 'x'.repeat(60_000) });
  }
  assert.equal((await writer.request('PING')).type, 'PONG');
  return () => connection.isOpen;
}

test('HB-04 a zombie whose heartbeat is fine, but that reads nothing, is closed with 1008', {
  timeout,
}, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const isOpen = await zombie(t, server);
  while (isOpen() || server.app.connections.open.size > 1) await new Promise((go) => setTimeout(go, 50));
  assert.equal(await metric(server, 'wsbench_heartbeat_timeouts_total'), 0);
});

test('HB-04 without maxBufferedBytes: it stays, and everything is kept for it', { timeout }, async (t) => {
  const server = await unguarded(
    t,
    { maxBufferedBytes: Number.POSITIVE_INFINITY },
    { heartbeat: noHeartbeat },
  );
  const isOpen = await zombie(t, server);
  assert.ok(isOpen());
  const kept = [...server.app.connections.open].map(({ socket }) => socket.bufferedAmount);
  assert.ok(Math.max(...kept) > 4 * 1024 ** 2, `${kept} bytes`);
});

test('HB-05 200,000 ping frames of a peer that does not read: closed, and no memory', {
  timeout,
}, async (t) => {
  const server = await startServe(t, { flags: ['--limits', 'development'] });
  const honest = await Client.open(`${server.url}/ws`, server.token);
  const attacker = await openRaw(t, server.url, server.token);
  await honest.settle();
  const before = server.rssBytes();
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x89, 'p'.repeat(125))));
  attacker.pause();
  await flood(attacker, pings, 200);
  attacker.resume();
  if (!attacker.closed) await new Promise((resolve) => attacker.once('close', resolve));
  const grownMib = (server.rssBytes() - before) / 1024 ** 2;
  t.diagnostic(`${grownMib.toFixed(1)} MiB more`);
  // 1006: cut off by the bound of waiting pongs, before that of pings a second says 1008. It would not read either.
  const closes = await Promise.all(
    [1006, 1008].map((code) => server.metric(`wsbench_closes_total{code="${code}"}`)),
  );
  assert.deepEqual(closes.sort(), [0, 1]);
  assert.equal((await honest.request('PING')).type, 'PONG');
  // The bar is 4 MiB for what waits; the rest is what V8 takes for 26 MB that were read, and gives back.
  assert.ok(grownMib < 4 + 16, `${grownMib} MiB`);
});

/** Sends a server pings that nobody reads the answers to; the most bytes of pongs that waited at a time. */
async function unreadPongs(t: TestContext, server: ReferenceServer): Promise<number> {
  const attacker = await openRaw(t, server.url, await server.mint());
  const [connection] = server.app.connections.open;
  assert.ok(connection);
  let most = 0;
  connection.socket.on('ping', () => {
    // Once this ping has its pong.
    queueMicrotask(() => {
      most = Math.max(most, connection.socket.bufferedAmount);
    });
  });
  attacker.pause();
  // At first slowly enough that the kernel takes the pongs.
  for (let n = 0; n < 100; n++) {
    attacker.write(frame(0x89, 'p'.repeat(125)));
    if (n % 8 === 0) await new Promise((go) => setImmediate(go));
  }
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x89, 'p'.repeat(125))));
  await flood(attacker, pings, 200);
  const honest = await Client.open(`${server.url}/ws`);
  assert.equal((await honest.request('PING')).type, 'PONG');
  return most;
}

test('HB-05 where messages are not limited, 16 pongs wait at most', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const most = await unreadPongs(t, server);
  t.diagnostic(`${most} bytes waited`);
  assert.ok(most <= 16 * 127, `${most} bytes`);
  assert.equal(await metric(server, 'wsbench_closes_total{code="1006"}'), 1);
});

test('HB-05 without maxPendingAutoPongs: pongs pile up', { timeout }, async (t) => {
  const server = await unguarded(
    t,
    { maxPendingAutoPongs: Number.POSITIVE_INFINITY },
    { heartbeat: noHeartbeat },
  );
  const most = await unreadPongs(t, server);
  t.diagnostic(`${most} bytes waited`);
  assert.ok(most > 4 * 1024 ** 2, `${most} bytes`);
});

/** Sends control frames in small groups, waiting until each was taken, as long as the connection is open. */
async function sendGroups(client: Client, kind: 'ping' | 'pong', groups: number): Promise<number> {
  let sent = 0;
  for (let n = 0; n < groups && client.socket.readyState === client.socket.OPEN; n++) {
    for (let k = 0; k < 9; k++) client.socket[kind]();
    client.socket.ping('last');
    sent += 10;
    await new Promise<void>((resolve) => {
      client.socket.on('pong', (data) => data.toString() === 'last' && resolve());
      void client.closed.then(() => resolve());
    });
    client.socket.removeAllListeners('pong');
  }
  return sent;
}

for (const kind of ['ping', 'pong'] as const) {
  test(`HB-05 a flood of ${kind} frames by one who reads: 1008, and a hundred at once are none`, {
    timeout,
  }, async (t) => {
    const server = await listening(t, { heartbeat: noHeartbeat, limits: 'development' });
    const honest = await Client.open(`${server.url}/ws`);
    const client = await Client.open(`${server.url}/ws`);
    const startedMs = performance.now();
    const sent = await sendGroups(client, kind, 1000);
    assert.deepEqual(await client.closed, { code: 1008, reason: 'PING_FLOOD' });
    const allowed = 100 + ((performance.now() - startedMs) / 1000) * 10;
    assert.ok(sent > 100 && sent <= allowed + 20, `${sent} were taken, ${allowed} are allowed`);
    await sendGroups(honest, kind, 9);
    assert.equal((await honest.request('PING')).type, 'PONG');
  });

  test(`HB-05 without maxControlFramesPerSecond: a flood of ${kind} frames goes on`, {
    timeout,
  }, async (t) => {
    const without = { maxControlFramesPerSecond: Number.POSITIVE_INFINITY };
    const server = await unguarded(t, without, { heartbeat: noHeartbeat, limits: 'development' });
    const client = await Client.open(`${server.url}/ws`);
    assert.equal(await sendGroups(client, kind, 100), 1000);
    assert.equal((await client.request('PING')).type, 'PONG');
  });
}

test('HB-06 1,000 PINGs cost what any message costs: RATE_LIMITED, then 4429', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat, limits: 'development' });
  const honest = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'honest' }));
  const attacker = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'attacker' }));
  for (let n = 0; n < 1000; n++) attacker.send({ type: 'PING', id: `p${n}` });
  assert.deepEqual(await attacker.closed, { code: 4429, reason: 'RATE_LIMITED' });
  const answers = attacker.inbox.filter(({ type }) => type === 'PONG').length;
  // A burst of 50, and what 1000 a minute give in the time that it took.
  assert.ok(answers >= 50 && answers < 50 + 20, `${answers} were answered`);
  const errors = attacker.inbox.filter(({ type }) => type === 'ERROR');
  assert.ok(errors.length > 0 && errors.length < 5, `${errors.length} errors`);
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('HB-06 without limits all of them are answered', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const attacker = await Client.open(`${server.url}/ws`);
  for (let n = 0; n < 1000; n++) attacker.send({ type: 'PING', id: `p${n}` });
  await attacker.take(({ id }) => id === 'p999', 'the last answer');
  assert.equal(attacker.inbox.filter(({ type }) => type === 'PONG').length, 999);
});
