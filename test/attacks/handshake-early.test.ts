// What comes behind an upgrade: nothing at all, or messages that did not wait for the answer.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { generateSigningKey, mintToken } from '../../lib/token.ts';
import { guards } from '../../reference-server/guards.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { calm, eventually, exchange, frame, isServed, upgradeRequest, WireClient } from './wire-client.ts';

const timeout = 60_000;

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
  const options = { ...production, heartbeat: noHeartbeat, clock };
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
