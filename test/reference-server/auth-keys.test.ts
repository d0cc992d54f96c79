// JW-21 to JW-23 through a real server: floods of unknown keys, outages of the key set, rotation under open connections.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { generateSigningKey, mintToken } from '../../lib/token.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { keyServer, outages } from '../fixtures/key-server.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from './client.ts';
import { FakeClock } from './fake-clock.ts';
import { b64, claims } from './forgery.ts';
import { listening } from './servers.ts';

const timeout = 60_000;
const [one, two] = await Promise.all([generateSigningKey(), generateSigningKey()]);
const bothKeys = { keys: [...one.jwks.keys, ...two.jwks.keys] };
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const rejection = async (opening: Promise<Client>): Promise<Refused> => {
  const outcome = await opening.catch((error: unknown) => error);
  assert.ok(outcome instanceof Refused, String(outcome));
  return outcome;
};

test('JW-21: 10,000 tokens of unknown keys make one fetch per cool-down, and none gets in', {
  timeout,
}, async (t) => {
  const keys = await keyServer(t, one.jwks);
  const server = await listening(t, { jwks: keys.url });
  const startMs = performance.now();
  const signature = Buffer.alloc(64, 1).toString('base64url');
  for (let n = 0; n < 10_000; n++) {
    const header = b64({ alg: n % 2 === 0 ? 'ES256' : 'RS256', kid: randomUUID() });
    const verdict = await server.app.authenticate(`${header}.${b64(claims)}.${signature}`);
    assert.equal(!verdict.ok && verdict.reason, 'TOKEN_INVALID');
  }
  const tookMs = performance.now() - startMs;
  assert.ok(keys.hits <= 1 + tookMs / 4000, `${keys.hits} fetches in ${tookMs} ms`);
  await (await Client.open(`${server.url}/ws`, await mintToken({ jwk: one.jwk }))).close();
  t.diagnostic(`10,000 tokens in ${Math.round(tookMs)} ms: ${keys.hits} fetches`);
});

// Side by side: they only wait.
describe('JW-22', { concurrency: true }, () => {
  for (const mode of outages) {
    test(`JW-22, ${mode}: known keys go on, tokens of others get 503 within 2 s`, { timeout }, async (t) => {
      const keys = await keyServer(t, one.jwks);
      const log: LogEntry[] = [];
      const server = await listening(t, {
        jwks: keys.url,
        jwksFetch: { cooldownMs: 200, maxAgeMs: 600 },
        logger: (entry) => log.push(entry),
      });
      const known = await mintToken({ jwk: one.jwk });
      const unknown = await mintToken({ jwk: two.jwk });
      const early = await Client.open(`${server.url}/ws`, known);
      keys.mode = mode;
      keys.set = bothKeys;
      await sleep(700);
      await (await Client.open(`${server.url}/ws/dashboard`, known)).close();
      const startMs = performance.now();
      const refused = await rejection(Client.open(`${server.url}/ws`, unknown));
      const tookMs = performance.now() - startMs;
      assert.equal(refused.status, 503);
      assert.ok(tookMs < 2000, `${tookMs} ms`);
      assert.ok(Number(refused.headers['retry-after']) >= 1);
      assert.deepEqual(JSON.parse(refused.body), {
        error: 'AUTH_UNAVAILABLE',
        message: 'the signing keys could not be fetched',
      });
      const late = await Client.open(`${server.url}/ws`);
      const error = await late.error('AUTH', { token: unknown });
      assert.equal(error.code, 'AUTH_UNAVAILABLE');
      assert.ok(Number(error.retryAfterMs) >= 0);
      assert.equal((await late.request('PING')).type, 'PONG');
      assert.equal((await early.request('PING')).type, 'PONG');
      assert.equal(keys.elsewhere.hits, 0);
      // One line an outage, not one a token.
      assert.equal(log.filter(({ level }) => level === 'warn').length, 1, JSON.stringify(log));
      keys.mode = 'ok';
      await sleep(300);
      await late.ack('AUTH', { token: unknown });
      t.diagnostic(`${mode}: 503 in ${Math.round(tookMs)} ms`);
    });
  }
});

test('JW-23: a rotated key is accepted within 5 s; a withdrawn one takes its connections with it', {
  timeout,
}, async (t) => {
  const keys = await keyServer(t, one.jwks);
  const maxAgeMs = 6000;
  const server = await listening(t, { jwks: keys.url, jwksFetch: { maxAgeMs } });
  const before = await mintToken({ jwk: one.jwk });
  const after = await mintToken({ jwk: two.jwk });
  const old = await Promise.all(Array.from({ length: 200 }, () => Client.open(`${server.url}/ws`, before)));
  // The worst moment: right after a fetch that did not have it yet.
  keys.set = bothKeys;
  const rotatedMs = performance.now();
  let client: Client | undefined;
  while (!client) {
    client = await Client.open(`${server.url}/ws`, after).catch((error: unknown) => {
      assert.ok(error instanceof Refused && error.status === 401, String(error));
      return undefined;
    });
    if (!client) await sleep(100);
  }
  const acceptedMs = performance.now() - rotatedMs;
  assert.ok(acceptedMs <= 5000, `accepted after ${acceptedMs} ms`);
  assert.ok(keys.hits <= 3, `${keys.hits} fetches`);
  await (await Client.open(`${server.url}/ws`, before)).close();
  keys.set = two.jwks;
  const withdrawnMs = performance.now();
  const ends = await Promise.all(old.map(({ closed }) => closed));
  const closedMs = performance.now() - withdrawnMs;
  for (const end of ends) assert.deepEqual(end, { code: 4401, reason: 'TOKEN_REVOKED' });
  assert.ok(closedMs <= maxAgeMs + 5000, `closed after ${closedMs} ms`);
  assert.equal((await rejection(Client.open(`${server.url}/ws`, before))).status, 401);
  assert.equal((await client.request('PING')).type, 'PONG');
  t.diagnostic(
    `accepted after ${Math.round(acceptedMs)} ms; 200 connections of the old key closed after ${Math.round(closedMs)} ms`,
  );
});

test('keys are fetched for no token that none could make good', { timeout }, async (t) => {
  const keys = await keyServer(t, one.jwks);
  const server = await listening(t, { jwks: keys.url });
  const rest = `${b64(claims)}.AAAA`;
  for (const header of [
    { alg: 'none' },
    { alg: 'HS256', kid: 'x' },
    { alg: 'ES384', kid: 'x' },
    { alg: 'ES256', kid: 7 },
    {},
  ]) {
    assert.equal((await server.app.authenticate(`${b64(header)}.${rest}`)).ok, false);
  }
  assert.equal(keys.hits, 0);
});

test('JW-23: while connections are open by them, keys are fetched every 30 s, and never for nobody', {
  timeout,
}, async (t) => {
  const bare = one.jwks.keys.map(({ kid: _kid, ...key }) => key);
  const keys = await keyServer(t, { keys: bare });
  const clock = new FakeClock();
  const server = await listening(t, {
    jwks: keys.url,
    clock,
    heartbeat: noHeartbeat,
  });
  const nowS = Math.floor(clock.epochMs() / 1000);
  const times = { iat: nowS, exp: nowS + 3600 };
  const { kid: _kid, ...namelessKey } = one.jwk;
  // Neither the token nor the published key has a name.
  const nameless = await mintToken({ jwk: namelessKey }, { claims: times });
  const tick = async (hits: number): Promise<void> => {
    clock.advance(30_000);
    for (let waited = 0; keys.hits < hits && waited < 100; waited++) await sleep(20);
    await sleep(50);
    assert.equal(keys.hits, hits);
  };
  await tick(0);
  const client = await Client.open(`${server.url}/ws`, nameless);
  assert.equal(keys.hits, 1);
  await tick(2);
  await tick(3);
  keys.set = two.jwks;
  await tick(4);
  assert.deepEqual(await client.closed, { code: 4401, reason: 'TOKEN_REVOKED' });
  await tick(4);
});

test('a token that is revoked between its verdict and the upgrade opens nothing for long', {
  timeout,
}, async (t) => {
  const server = await listening(t, {});
  const token = await server.mint({ sub: 'alice' });
  // The last question before the upgrade: the token has been found good, and nobody can see the connection yet.
  const { enter } = server.app.limits;
  server.app.limits.enter = (request, key) => {
    void server.revoke('alice');
    return enter(request, key);
  };
  const client = await Client.open(`${server.url}/ws`, token);
  assert.deepEqual(await client.closed, { code: 4401, reason: 'TOKEN_REVOKED' });
  const late = await Client.open(`${server.url}/ws`);
  assert.equal((await late.error('AUTH', { token })).code, 'UNAUTHENTICATED');
});
