// Key sets that are published wrong, or by somebody who means no good: which tokens they make good, and what they cost.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type FetchOutcome, KeySet } from '../../lib/token/key-set.ts';
import {
  createVerifier,
  generateSigningKey,
  type JWK,
  mintToken,
  type VerifyFailure,
} from '../../lib/token.ts';
import { keyServer } from '../fixtures/key-server.ts';

const timeout = 30_000;
const [ec, other, rsa, okp] = await Promise.all([
  generateSigningKey('ES256'),
  generateSigningKey('ES256'),
  generateSigningKey('RS256'),
  generateSigningKey('EdDSA'),
]);
const kid = String(ec.jwk.kid);
const [ecKey = {}] = ec.jwks.keys;
const [otherKey = {}] = other.jwks.keys;
const [rsaKey = {}] = rsa.jwks.keys;
const [okpKey = {}] = okp.jwks.keys;
const { kid: _kid, ...nameless } = ec.jwk;
const { kid: _publicKid, ...namelessKey } = ecKey;

// 1,024 bits: RFC 7518 §3.3 wants 2,048.
const shortPair = generateKeyPairSync('rsa', { modulusLength: 1024 });
const shortKey = { ...shortPair.publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' };
/** Our own minting refuses such a key. */
const shortRsa = (): string => {
  const nowS = Math.floor(Date.now() / 1000);
  const parts = [
    { alg: 'RS256', kid: 'short' },
    { sub: 's', role: 'authenticated', iat: nowS, exp: nowS + 600 },
  ];
  const signing = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signing}.${sign('sha256', Buffer.from(signing), shortPair.privateKey).toString('base64url')}`;
};

// biome-ignore format: a table
const sets: [what: string, keys: unknown[], signer: JWK | (() => string), verdict: VerifyFailure | 'ok'][] = [
  ['the right key',                               [ecKey], ec.jwk, 'ok'],
  ['the right key beside what nobody knows',      [{ kty: 'AKP', kid }, null, ecKey], ec.jwk, 'ok'],
  ['the private key, published',                  [ec.jwk], ec.jwk, 'signature'],
  ['the private key beside the public one',       [ec.jwk, ecKey], ec.jwk, 'ok'],
  ['one kid for two keys of a kind',              [ecKey, { ...otherKey, kid }], ec.jwk, 'signature'],
  ['one kid for keys of two kinds',               [{ ...rsaKey, kid }, ecKey], ec.jwk, 'ok'],
  ['one kid for keys of two kinds, the other',    [{ ...rsaKey, kid }, ecKey], { ...rsa.jwk, kid }, 'ok'],
  ['another key under the kid',                   [{ ...otherKey, kid }], ec.jwk, 'signature'],
  ['a kid that differs in case',                  [{ ...ecKey, kid: 'Key' }], { ...ec.jwk, kid: 'key' }, 'signature'],
  ['no kid in the token, one key',                [ecKey], nameless, 'ok'],
  ['no kid in the token, one key of its kind',    [rsaKey, okpKey, ecKey], nameless, 'ok'],
  ['no kid in the token, two keys of its kind',   [ecKey, otherKey], nameless, 'signature'],
  ['no kid in the set',                           [namelessKey], ec.jwk, 'signature'],
  ['no kid anywhere',                             [namelessKey], nameless, 'ok'],
  ['a key for encryption',                        [{ ...ecKey, use: 'enc' }], ec.jwk, 'signature'],
  ['a key that may do anything but verify',       [{ ...ecKey, key_ops: ['sign', 'deriveKey'] }], ec.jwk, 'signature'],
  ['a key that may verify',                       [{ ...ecKey, key_ops: ['verify'] }], ec.jwk, 'ok'],
  ['a key for another algorithm',                 [{ ...ecKey, alg: 'ES384' }], ec.jwk, 'signature'],
  ['a key that names no algorithm',               [{ ...ecKey, alg: undefined }], ec.jwk, 'ok'],
  ['an RSA key that is too short',                [shortKey], shortRsa, 'malformed'],
  ['a point that is on no curve',                 [{ ...ecKey, y: ecKey.x }], ec.jwk, 'malformed'],
  ['nothing',                                     [], ec.jwk, 'signature'],
];

for (const [what, keys, signer, verdict] of sets) {
  test(`a set with ${what}: ${verdict}`, { timeout }, async (t) => {
    const server = await keyServer(t, { keys });
    const token = typeof signer === 'function' ? signer() : await mintToken({ jwk: signer });
    const judged = await createVerifier({ jwks: server.url })(token);
    assert.equal(judged.ok ? 'ok' : judged.why, verdict, judged.ok ? '' : judged.message);
    if (judged.ok) assert.match(judged.keyId ?? '', /^\["(EC|RSA)"/);
  });
}

/** An endpoint that answers as it likes. */
async function endpoint(t: TestContext, answer: (response: ServerResponse) => void): Promise<URL> {
  const server = createServer((_request, response) => {
    response.on('error', () => {});
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`);
}

const json = { 'content-type': 'application/json' };
const bomb = gzipSync(Buffer.alloc(200 * 1024 ** 2, ' '), { level: 9 });

// biome-ignore format: a table
const costly: [what: string, answer: (response: ServerResponse) => void, why: RegExp][] = [
  ['200 MiB in 200 KiB of gzip', (response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(bomb), /more than 1 MiB/],
  ['without an end',             (response) => { response.writeHead(200, json); pour(response); }, /more than 1 MiB/],
  ['a byte at a time',           (response) => { response.writeHead(200, json); drip(response); }, /no answer in time/],
  ['with endless headers',       (response) => response.socket?.end(`HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(100)}\r\n`), /./],
  ['cut off',                    (response) => { response.writeHead(200, { ...json, 'content-length': 1000 }).write('{"keys":['); setTimeout(() => response.destroy(), 50); }, /./],
  ['nested deeply',              (response) => response.writeHead(200, json).end(`{"keys":${'['.repeat(400_000)}`), /not JSON|stack/],
];

function pour(response: ServerResponse): void {
  if (!response.destroyed) response.write(Buffer.alloc(65_536, ' '), () => setImmediate(pour, response));
}

function drip(response: ServerResponse): void {
  if (!response.destroyed) response.write(' ', () => setTimeout(drip, 20, response));
}

for (const [what, answer, why] of costly) {
  test(`a set ${what} costs neither time nor memory`, { timeout }, async (t) => {
    const outcomes: FetchOutcome[] = [];
    const url = await endpoint(t, answer);
    const set = new KeySet(url, { timeoutMs: 1500, onFetch: (outcome) => outcomes.push(outcome) });
    const before = process.memoryUsage.rss();
    const startMs = performance.now();
    assert.equal((await set.keysFor(kid)).ok, false);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 2000, `${tookMs} ms`);
    const [outcome] = outcomes;
    assert.match(outcome && !outcome.ok ? outcome.why : 'fetched', why);
    const grownMiB = (process.memoryUsage.rss() - before) / 1024 ** 2;
    assert.ok(grownMiB < 100, `${grownMiB} MiB`);
    t.diagnostic(`${JSON.stringify(outcome)} in ${Math.round(tookMs)} ms, ${Math.round(grownMiB)} MiB`);
  });
}
