import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { createServer } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from './client.ts';
import { listening } from './servers.ts';

const timeout = 60_000;

test('close says DRAIN and 1001 to every client, and is idempotent', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const typed = await Client.open(`${server.url}/ws`);
  const raw = await Client.open(`${server.url}/ws/echo`);
  const closing = server.close();
  assert.equal(server.close(), closing);
  const { minMs, maxMs } = (await typed.next('DRAIN')).payload;
  assert.ok(minMs >= 0 && minMs < maxMs);
  for (const client of [typed, raw])
    assert.deepEqual(await client.closed, { code: 1001, reason: 'GOING_AWAY' });
  assert.deepEqual(raw.inbox, []);
  await closing;
  await server.close();
});

test('app.close() alone drains as well', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`);
  await server.app.close();
  assert.equal((await client.closed).code, 1001);
});

test('while it drains: not ready, no new upgrades, and those who stay are cut off', {
  timeout,
}, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat, drainTimeoutMs: 600 });
  const { url, httpUrl } = server;
  const stubborn = await Client.open(`${url}/ws`);
  stubborn.socket.pause();
  const startedMs = Date.now();
  const closing = server.close();
  const ready = await fetch(`${httpUrl}/readyz`);
  assert.equal(ready.status, 503);
  assert.equal((await fetch(`${httpUrl}/healthz`)).status, 200);
  const refused = await Client.open(`${url}/ws`).catch((error: unknown) => error);
  assert.ok(refused instanceof Refused);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers['retry-after']) >= 1);
  await closing;
  const tookMs = Date.now() - startedMs;
  assert.ok(tookMs >= 500 && tookMs < 5000, `${tookMs} ms`);
  await assert.rejects(fetch(`${httpUrl}/healthz`));
  stubborn.socket.terminate();
});

test('what a connection holds elsewhere and cannot give back does not hold up the close', {
  timeout,
}, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat, drainTimeoutMs: 600 });
  const client = await Client.open(`${server.url}/ws`);
  for (const connection of server.app.connections.open) {
    connection.subscriptions.set('held', () => new Promise(() => {}));
  }
  const startedMs = performance.now();
  await server.close();
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= 500 && tookMs < 5000, `${tookMs} ms`);
  assert.equal((await client.closed).code, 1001);
});

test('connections that never became WebSockets do not hold up the close', { timeout }, async (t) => {
  const server = await listening(t);
  const { hostname, port } = new URL(server.httpUrl);
  const idle = connect(Number(port), hostname);
  const half = connect(Number(port), hostname, () => half.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgr'));
  for (const socket of [idle, half]) socket.on('error', () => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  const startedMs = Date.now();
  await server.close();
  assert.ok(Date.now() - startedMs < 3000);
});

test('1,000 connections come and go, and leave nothing behind', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const [token, agentToken] = [
    await server.mint({ sub: 'd', tenant: 't' }),
    await server.mint({ sub: 'a', tenant: 't', roles: ['agent'] }),
  ];
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const visit = async (index: number): Promise<void> => {
    const client = await Client.open(`${server.url}/ws`, index % 2 ? token : agentToken);
    if (index % 2) {
      await client.ack('DASHBOARD_CONNECT', undefined, `d${index}`);
      await client.ack('SUBSCRIBE', { channel: `c${index % 10}` }, `s${index}`);
    } else {
      await client.ack('AGENT_CONNECT', { agentId: `g${index}` }, `a${index}`);
    }
    if (index % 3 === 0) client.socket.terminate();
    else client.socket.close(1000);
    await client.closed;
  };
  for (let batch = 0; batch < 20; batch++) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => visit(batch * 50 + n)));
  }
  const client = await Client.open(`${server.url}/ws`, token);
  const deadline = Date.now() + 5000;
  while (server.app.connections.open.size > 1 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(server.app.connections.open.size, 1);
  assert.deepEqual((await client.ack('DASHBOARD_CONNECT')).agents, []);
  for (let channel = 0; channel < 10; channel++) {
    assert.equal((await client.ack('PUBLISH', { channel: `c${channel}`, data: 1 })).receivers, 0);
  }
  await client.close();
  await server.close();
  assert.ok(timers() <= before + 2, `${timers()} timers, ${before} before`);
});

test('a process that only made and closed servers exits by itself', { timeout }, async () => {
  const index = new URL('../../reference-server/index.js', import.meta.url).href;
  const program = `
    const { createServer } = await import(${JSON.stringify(index)});
    await (await createServer()).close();
    const server = await createServer({ environment: 'development' });
    await server.listen();
    await server.mint();
    await server.close();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const guard = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(guard);
  assert.deepEqual([code, output], [0, '']);
});

test('a taken port is one line of SERVER_START; urls exist once it listens', { timeout }, async (t) => {
  const server = await listening(t);
  const other = await createServer({ port: Number(new URL(server.url).port) });
  t.after(() => other.close());
  assert.throws(() => other.url, { code: 'USAGE' });
  await assert.rejects(other.listen(), {
    code: 'SERVER_START',
    message: /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/,
  });
});

test('messages sent while it closes are not answered, and nothing throws', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const token = await server.mint();
  const sockets = Array.from({ length: 20 }, () => new WebSocket(`${server.url}/ws`));
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.once('open', () => {
      socket.send(JSON.stringify({ type: 'AUTH', id: '1', payload: { token } }));
      for (let n = 0; n < 50; n++) {
        socket.send(JSON.stringify({ type: 'SUBSCRIBE', id: `s${n}`, payload: { channel: `c${n}` } }));
      }
    });
  }
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  await new Promise((resolve) => sockets[0]?.once('open', resolve));
  await server.close();
  await Promise.all(closed);
});
