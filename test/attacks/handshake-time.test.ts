// Handshakes that take their time, that are followed by silence, and that do not wait for their answer.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { generateSigningKey, mintToken } from '../../lib/token.ts';
import { guards } from '../../reference-server/guards.ts';
import { startGuardedServer } from '../fixtures/server-process.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';
import {
  calm,
  eventually,
  exchange,
  frame,
  isServed,
  type Target,
  upgradeRequest,
  WireClient,
} from './wire-client.ts';

const timeout = 60_000;

/** Node looks for late requests once a second. */
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
  assert.ok(guards.headersTimeoutMs + checkMs <= 10_000);
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
  assert.ok(tookMs < boundMs + checkMs + noiseMs, `${tookMs} ms`);
  for (const { text } of slow) assert.match(text, /^HTTP\/1\.1 408 /);
  assert.ok(median < 200, `others waited for ${median} ms`);
  await isServed(server);
});

const shortMs = 300;
// Longer than the bound and Node's interval together.
const slowly = (text: string): number => 2500 / text.length;
const body = '"0123456789"';
const slowBody = `POST /nope HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;

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

const production = { environment: 'production', secret: 'correct horse battery staple, twice over' } as const;

test('HS-16 in production a connection that says nothing is closed with 4408, and nothing of it stays', {
  timeout,
}, async (t) => {
  assert.ok(guards.authTimeoutMs <= 10_000);
  const clock = new FakeClock();
  const server = await listening(t, { ...production, clock });
  const idle = clock.pending;
  const silent = await WireClient.open(server);
  await silent.until(() => silent.messages.length > 0, 'WELCOME');
  const iat = clock.epochMs() / 1000;
  const token = await server.mint({ claims: { iat, exp: iat + 3600 } });
  const honest = await WireClient.open(server, '/ws', [`Authorization: Bearer ${token}`]);
  await honest.until(() => honest.messages.length > 0, 'WELCOME');
  clock.advance(guards.authTimeoutMs - 1);
  assert.equal(server.app.connections.open.size, 2);
  clock.advance(1);
  // It does not answer the close frame either.
  await silent.until(() => silent.frames.some(({ opcode }) => opcode === 8), 'close frame');
  clock.advance(1000);
  assert.deepEqual(await silent.ended, { code: 4408, reason: 'AUTH_TIMEOUT', closes: 1 });
  await eventually(() => server.app.connections.open.size === 1, 'its state is given back');
  honest.write(frame(1, '{"type":"PING","id":"p"}'));
  await honest.until(() => honest.messages.some((text) => text.includes('"PONG"')), 'PONG');
  honest.destroy();
  await eventually(() => clock.pending === idle, 'every timer is given back');
});

test('HS-16 without authTimeoutMs: it stays', { timeout }, async (t) => {
  const clock = new FakeClock();
  const heartbeat = { intervalMs: 2 ** 31, timeoutMs: 2 ** 31 };
  const options = { ...production, heartbeat, clock };
  const server = await unguarded(t, { authTimeoutMs: 2 ** 31 }, options);
  const silent = await WireClient.open(server);
  clock.advance(60_000);
  silent.write(frame(1, '{"type":"PING","id":"late"}'));
  await silent.until(() => silent.messages.some((text) => text.includes('"late"')), 'answer after a minute');
  silent.destroy();
});

/** A server whose token check takes 500 ms, and a token for it. */
async function slowlyChecking(t: TestContext) {
  const key = await generateSigningKey();
  const publisher = createServer((_request, response) => {
    setTimeout(() => response.end(JSON.stringify(key.jwks)), 500);
  });
  publisher.listen(0, '127.0.0.1');
  t.after(() => publisher.close());
  await new Promise((resolve) => publisher.once('listening', resolve));
  const jwks = new URL(`http://127.0.0.1:${(publisher.address() as AddressInfo).port}/jwks.json`);
  const server = await listening(t, { jwks, ...calm });
  return { server, token: await mintToken({ jwk: key.jwk }, { sub: 'early' }) };
}

const ping = (id: string): Buffer => frame(1, JSON.stringify({ type: 'PING', id }));

test('HS-17 what comes with the upgrade is handled once the token is checked, all of it and in order', {
  timeout,
}, async (t) => {
  const { server, token } = await slowlyChecking(t);
  const startedMs = performance.now();
  const client = new WireClient(server);
  const request = upgradeRequest('/ws', [`Authorization: Bearer ${token}`]);
  client.write(Buffer.concat([Buffer.from(request), ping('1'), ping('2').subarray(0, 9)]));
  setTimeout(() => client.write(ping('2').subarray(9)), 50);
  setTimeout(() => client.write(ping('3')), 150);
  await client.until(() => client.messages.length === 4, 'three answers');
  assert.ok(performance.now() - startedMs > 450, 'the check took no time');
  const [welcome, ...answers] = client.messages.map(
    (text) => JSON.parse(text) as { type: string; id?: string; payload: { sub?: string } },
  );
  assert.equal(welcome?.type, 'WELCOME');
  assert.equal(welcome.payload.sub, 'early');
  assert.deepEqual(
    answers.map(({ type, id }) => [type, id]),
    [
      ['PONG', '1'],
      ['PONG', '2'],
      ['PONG', '3'],
    ],
  );
  client.destroy();
  // The catalogue's own frame: a text that is no JSON is answered, too.
  const text = new WireClient(server);
  text.write(Buffer.concat([Buffer.from(request), frame(1, 'hi')]));
  await text.until(() => text.messages.some((message) => message.includes('INVALID_JSON')), 'ERROR');
  text.destroy();
});

test('HS-17 what comes with an upgrade that is refused is never handled', { timeout }, async (t) => {
  const { server, token } = await slowlyChecking(t);
  const forged = `${token.slice(0, -8)}AAAAAAAA`;
  const request = upgradeRequest('/ws', [`Authorization: Bearer ${forged}`]);
  const answer = await exchange(server, Buffer.concat([Buffer.from(request), ping('1'), ping('2')]));
  assert.match(answer, /^HTTP\/1\.1 401 /);
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  assert.doesNotMatch(metrics, /^wsbench_messages_received_total\{/m);
  await isServed(server);
});

for (const limits of ['off', 'test'] as const) {
  test(`HS-21 a storm of 2,000 connections, limits ${limits}: each gets an answer`, {
    timeout,
  }, async (t) => {
    const server = await startGuardedServer(t, { server: { limits } });
    await server.figures();
    const startedMs = performance.now();
    const clients = Array.from({ length: 2000 }, () => new WireClient(server));
    for (const client of clients) client.write(upgradeRequest('/ws/echo'));
    const heads = await Promise.all(clients.map((client) => client.head()));
    const tookMs = performance.now() - startedMs;
    const { loopP99Ms, loopMaxMs } = await server.figures();
    const refused = heads.filter((head) => /^HTTP\/1\.1 429 .*\r\n[\s\S]*^retry-after: \d+\r$/im.test(head));
    const taken = heads.filter((head) => head.startsWith('HTTP/1.1 101 '));
    t.diagnostic(
      `${taken.length} taken, ${refused.length} refused in ${Math.round(tookMs)} ms; loop delay p99 ${loopP99Ms.toFixed(1)} ms, at most ${loopMaxMs.toFixed(1)} ms`,
    );
    assert.equal(taken.length + refused.length, 2000);
    if (limits === 'off') assert.equal(taken.length, 2000);
    else assert.ok(taken.length >= 20 && taken.length < 2000, `${taken.length} were taken`);
    const metrics = await (await fetch(`${server.url.replace('ws', 'http')}/metrics`)).text();
    const counted = Number(/^wsbench_upgrades_refused_total\{status="429"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    assert.equal(counted, refused.length);
    // Ten times as much on a machine that does other things at the same time.
    assert.ok(loopP99Ms < (isLong ? 200 : 2000), `loop delay p99 ${loopP99Ms} ms`);
    for (const client of clients) client.destroy();
    if (limits === 'off') await isServed(server);
  });
}
