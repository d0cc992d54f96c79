// Handshakes that take their time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { guards } from '../../reference-server/guards.ts';
import { startGuardedServer } from '../fixtures/server-process.ts';
import { unguarded } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';
import { calm, eventually, frame, isServed, type Target, upgradeRequest, WireClient } from './wire-client.ts';

const timeout = 60_000;

/** Node looks for late bodies once a second. */
const checkMs = 1000;
/** For the machine, not for the server. */
const noiseMs = 3000;

/** Writes one byte every `everyMs` until everything is written or the server ends it. */
function dribble(target: Target, text: string, everyMs: number): WireClient {
  const client = new WireClient(target);
  let at = 0;
  const timer = setInterval(() => {
    client.write(text[at++] ?? '');
    if (at === text.length) clearInterval(timer);
  }, everyMs);
  void client.ended.then(() => clearInterval(timer));
  return client;
}

const boundMs = isLong ? guards.headersTimeoutMs : 1500;

test('HS-15 a thousand slow handshakes are ended with 408, and nobody else waits', { timeout }, async (t) => {
  assert.ok(guards.headersTimeoutMs <= 10_000);
  const server = await startGuardedServer(t, { without: { headersTimeoutMs: boundMs } });
  await isServed(server);
  const startedMs = performance.now();
  const slow = Array.from({ length: 1000 }, () => dribble(server, upgradeRequest(), boundMs / 2));
  const waits: number[] = [];
  for (let round = 0; round < 50; round++) {
    const fromMs = performance.now();
    await (await WireClient.open(server)).destroy();
    waits.push(performance.now() - fromMs);
  }
  assert.ok(
    slow.every(({ socket }) => socket.readable),
    'they were ended before anybody else came',
  );
  await Promise.all(slow.map(({ ended }) => ended));
  const tookMs = performance.now() - startedMs;
  waits.sort((a, b) => a - b);
  const [median = Number.NaN] = waits.slice(25);
  t.diagnostic(
    `bound ${boundMs} ms: ended after ${Math.round(tookMs)} ms; others: median ${median.toFixed(1)} ms, at most ${waits.at(-1)?.toFixed(1)} ms`,
  );
  assert.ok(tookMs < (isLong ? 10_000 : boundMs + noiseMs), `${tookMs} ms`);
  for (const { text } of slow) assert.match(text, /^HTTP\/1\.1 408 /);
  assert.ok(median < 200, `others waited for ${median} ms`);
  await isServed(server);
});

const shortMs = 300;
// Longer than the bound and Node's interval together.
const slowly = (text: string): number => 2500 / text.length;
const body = '"0123456789"';
const slowBody = `POST /nope HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;

test('HS-15 the time counts from the connection: a first byte that comes late gains nothing', {
  timeout,
}, async (t) => {
  const server = await unguarded(t, { headersTimeoutMs: 600 }, calm);
  const tookMs: number[] = [];
  for (const firstAfterMs of [0, 450]) {
    const client = new WireClient(server);
    const startedMs = performance.now();
    const timer = setTimeout(() => client.write('G'), firstAfterMs);
    await client.ended;
    clearTimeout(timer);
    assert.match(client.text, /^HTTP\/1\.1 408 /);
    tookMs.push(performance.now() - startedMs);
  }
  t.diagnostic(`ended after ${tookMs.map(Math.round).join(' and ')} ms`);
  assert.ok(tookMs.every((took) => took >= 550));
  assert.ok(Math.min(...tookMs) < 600 + noiseMs);
  // Whoever spoke in time is left alone from then on.
  const honest = await WireClient.open(server);
  await new Promise((resolve) => setTimeout(resolve, 800));
  honest.write(frame(1, '{"type":"PING","id":"still"}'));
  await honest.until(() => honest.messages.some((text) => text.includes('"still"')), 'PONG');
  honest.destroy();
});

test('HS-15 a peer that was refused and keeps its end open is cut off', { timeout }, async (t) => {
  const server = await unguarded(t, { closeTimeoutMs: 300, headersTimeoutMs: 300 }, calm);
  const { hostname, port } = new URL(server.url);
  const refusals = ['', 'hello\r\n\r\n', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', upgradeRequest('/%zz')];
  for (const bytes of [
    ...refusals,
    upgradeRequest('/nope'),
    upgradeRequest('/ws', ['Sec-WebSocket-Protocol: a b']),
  ]) {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(bytes);
    socket.resume();
    const sockets = (): Promise<number> =>
      new Promise((resolve) => server.app.server.getConnections((_error, count) => resolve(count)));
    await once(socket, 'end').catch(() => {});
    await eventually(async () => (await sockets()) === 0, `let go of after ${JSON.stringify(bytes)}`, 5000);
    socket.destroy();
  }
  await isServed(server);
});

test('HS-15 a slow body is ended with 408', { timeout }, async (t) => {
  const server = await unguarded(t, { headersTimeoutMs: shortMs, requestTimeoutMs: shortMs }, calm);
  const client = new WireClient(server);
  client.write(slowBody);
  await client.ended;
  assert.match(client.text, /^HTTP\/1\.1 408 /);
  await isServed(server);
});

test('HS-15 without headersTimeoutMs: a slow handshake holds its connection for as long as it likes', {
  timeout,
}, async (t) => {
  const server = await unguarded(t, { headersTimeoutMs: 0, requestTimeoutMs: 0 }, calm);
  const client = dribble(server, upgradeRequest(), slowly(upgradeRequest()));
  assert.match(await client.head(), /^HTTP\/1\.1 101 /);
  client.destroy();
});

test('HS-15 without requestTimeoutMs: a slow body holds its connection for as long as it likes', {
  timeout,
}, async (t) => {
  const server = await unguarded(t, { headersTimeoutMs: shortMs, requestTimeoutMs: 0 }, calm);
  const client = new WireClient(server);
  client.write(slowBody);
  await new Promise((resolve) => setTimeout(resolve, shortMs + checkMs + 500));
  client.write(body);
  assert.match(await client.head(), /^HTTP\/1\.1 404 /);
  client.destroy();
});
