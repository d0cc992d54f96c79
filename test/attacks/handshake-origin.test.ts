// Pages of other sites: browsers send a user's cookie with any handshake, whoever's page asks for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateSigningKey, mintToken } from '../../lib/token.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { keyServer } from '../fixtures/key-server.ts';
import { Client } from '../reference-server/client.ts';
import { listening } from '../reference-server/servers.ts';
import { calm, exchange, upgradeRequest, WireClient } from './wire-client.ts';

const timeout = 30_000;

const good = 'https://app.example.com';
const foreign = [
  ['https://evil.example'],
  ['null'],
  ['https://app.example.evil.com'],
  ['https://appXexample.com'],
  ['https://evil.app.example.com'],
  ['https://evilapp.example.com'],
  ['HTTPS://APP.EXAMPLE.COM'],
  ['https://app.example.com:8443'],
  ['http://app.example.com'],
  ['https://app.example.com.'],
  ['https://app.example.com/'],
  ['https://app.example.com@evil.example'],
  [`${good} https://evil.example`],
  [`${good}, https://evil.example`],
  [good, 'https://evil.example'],
  ['https://evil.example', good],
  [''],
  ['https://evil.example\x9b31mpwned'],
];

test('HS-13 a page of another Origin is refused with 403, its token is not looked at, and it is logged', {
  timeout,
}, async (t) => {
  const key = await generateSigningKey();
  const keys = await keyServer(t, key.jwks);
  const log: LogEntry[] = [];
  const server = await listening(t, {
    jwks: keys.url,
    allowedOrigins: [good],
    logger: (entry) => log.push(entry),
  });
  const token = await mintToken({ jwk: key.jwk });
  const withOrigins = (origins: readonly string[]): string =>
    upgradeRequest('/ws', [...origins.map((origin) => `Origin: ${origin}`), `Cookie: token=${token}`]);
  for (const origins of foreign) {
    const answer = await exchange(server, Buffer.from(withOrigins(origins), 'latin1'));
    assert.match(answer, /^HTTP\/1\.1 403 /, origins.join(' and '));
  }
  assert.equal(keys.hits, 0, 'somebody asked for the keys: a token was being checked');
  const audit = log.filter(({ message }) => message.startsWith('ORIGIN_REJECTED'));
  assert.equal(audit.length, foreign.length);
  assert.equal(audit[0]?.message, 'ORIGIN_REJECTED: https://evil.example');
  for (const { message } of audit) {
    assert.match(message, /^[ -~]{1,150}$/);
    assert.ok(!message.includes(token));
  }
  const honest = new WireClient(server);
  honest.write(withOrigins([good]));
  assert.match(await honest.head(), /^HTTP\/1\.1 101 /);
  await honest.until(() => honest.messages.length > 0, 'WELCOME');
  assert.equal(keys.hits, 1);
  honest.destroy();
  // What is no browser sends no Origin, and no cookie of a user.
  await (await Client.open(`${server.url}/ws`, token)).close();
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  assert.match(metrics, new RegExp(`^wsbench_origins_rejected_total ${foreign.length}$`, 'm'));
});

test('HS-13 without allowedOrigins: any page may connect, but a cookie is no credential', {
  timeout,
}, async (t) => {
  const server = await listening(t, calm);
  const token = await server.mint({ sub: 'alice' });
  const client = new WireClient(server);
  client.write(upgradeRequest('/ws', ['Origin: https://evil.example', `Cookie: token=${token}`]));
  assert.match(await client.head(), /^HTTP\/1\.1 101 /);
  await client.until(() => client.messages.length > 0, 'WELCOME');
  assert.match(client.messages[0] ?? '', /"sub":null/);
  client.destroy();
});
