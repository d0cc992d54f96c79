import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createVerifier,
  generateSigningKey,
  mintToken,
  type SigningKey,
  type TokenOptions,
  unsignedToken,
  type VerifierOptions,
  type VerifyFailure,
} from '../../lib/token.ts';

const secret = 'a secret of at least thirty-two bytes';
const key = await generateSigningKey();
const otherKey = await generateSigningKey();
const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token by hand: any header, any payload, HMAC with any key. */
function handmade(header: object, payload: object, hmacKey: string | Buffer): string {
  const signed = `${b64(header)}.${b64(payload)}`;
  return `${signed}.${createHmac('sha256', hmacKey).update(signed).digest('base64url')}`;
}

const exp = Math.floor(Date.now() / 1000) + 600;
const claims = { sub: 's', role: 'authenticated', exp };

test('a token has the claims that were asked for', async () => {
  const verify = createVerifier({ secret, issuer: 'iss', audience: 'aud' });
  const options: TokenOptions = {
    sub: 'me',
    roles: ['agent'],
    tenant: 't',
    issuer: 'iss',
    audience: 'aud',
    claims: { extra: 1 },
  };
  const verdict = await verify(await mintToken({ secret }, options));
  assert.ok(verdict.ok);
  const { claims: got } = verdict;
  assert.deepEqual(
    [got.sub, got.role, got.iss, got.aud, got.extra],
    ['me', 'authenticated', 'iss', 'aud', 1],
  );
  assert.deepEqual(got.app_metadata, { provider: 'wsbench', wsbench: { roles: ['agent'], tenant: 't' } });
  assert.ok(got.exp > Date.now() / 1000 + 3500 && got.exp < Date.now() / 1000 + 3700);
});

test('two tokens speak for two subjects', async () => {
  const verify = createVerifier({ secret });
  const [one, two] = await Promise.all([
    verify(await mintToken({ secret })),
    verify(await mintToken({ secret })),
  ]);
  assert.ok(one.ok && two.ok && one.claims.sub !== two.claims.sub);
});

const hs: VerifierOptions = { secret };
const es: VerifierOptions = { jwks: key.jwks };
const both: VerifierOptions = { secret, jwks: key.jwks };
const pem = JSON.stringify(key.jwks.keys[0]);
const mint = (signer: SigningKey, options?: TokenOptions) => () => mintToken(signer, options);

// biome-ignore format: a table
const verdicts: [what: string, verifier: VerifierOptions, token: () => string | Promise<string>, why: VerifyFailure | 'ok'][] = [
  ['HS256', hs, mint({ secret }), 'ok'],
  ['HS256 beside a JWKS', both, mint({ secret }), 'ok'],
  ['ES256', es, mint({ jwk: key.jwk }), 'ok'],
  ['ES256 beside a secret', both, mint({ jwk: key.jwk }), 'ok'],
  ['expired an hour ago', hs, mint({ secret }, { expiresInS: -3600 }), 'expired'],
  ['expired, ES256', es, mint({ jwk: key.jwk }, { expiresInS: -60 }), 'expired'],
  ['expired within the leeway', hs, mint({ secret }, { expiresInS: -2 }), 'ok'],
  ['not yet valid', hs, mint({ secret }, { claims: { nbf: exp } }), 'claims'],
  ['other secret', hs, mint({ secret: `${secret}!` }), 'signature'],
  ['other ES256 key', es, mint({ jwk: otherKey.jwk }), 'signature'],
  ['other ES256 key under the right kid', es, mint({ jwk: { ...otherKey.jwk, kid: key.jwk.kid ?? '' } }), 'signature'],
  ['alg none, secret', hs, () => unsignedToken(), 'algorithm'],
  ['alg none, JWKS', es, () => unsignedToken(), 'algorithm'],
  ['alg none, both', both, () => unsignedToken(), 'algorithm'],
  ['alg None with a signature', both, () => handmade({ alg: 'None' }, claims, secret), 'algorithm'],
  ['HS256 where only keys are known', es, mint({ secret }), 'algorithm'],
  ['ES256 where only a secret is known', hs, mint({ jwk: key.jwk }), 'algorithm'],
  ['HS256 signed with the public key', es, () => handmade({ alg: 'HS256', kid: key.jwk.kid }, claims, pem), 'algorithm'],
  ['HS256 signed with the public key, both configured', both, () => handmade({ alg: 'HS256', kid: key.jwk.kid }, claims, pem), 'signature'],
  ['HS256 signed with nothing', both, () => handmade({ alg: 'HS256' }, claims, ''), 'signature'],
  ['HS512', hs, () => handmade({ alg: 'HS512' }, claims, secret), 'algorithm'],
  ['unknown critical header', hs, () => handmade({ alg: 'HS256', crit: ['b64'], b64: false }, claims, secret), 'malformed'],
  ['by hand, correct', hs, () => handmade({ alg: 'HS256' }, claims, secret), 'ok'],
  ['no sub', hs, () => handmade({ alg: 'HS256' }, { role: 'r', exp }, secret), 'claims'],
  ['no role', hs, () => handmade({ alg: 'HS256' }, { sub: 's', exp }, secret), 'claims'],
  ['no exp', hs, () => handmade({ alg: 'HS256' }, { sub: 's', role: 'r' }, secret), 'claims'],
  ['empty sub', hs, () => handmade({ alg: 'HS256' }, { ...claims, sub: '' }, secret), 'claims'],
  ['sub is a number', hs, () => handmade({ alg: 'HS256' }, { ...claims, sub: 1 }, secret), 'claims'],
  ['role is a list', hs, () => handmade({ alg: 'HS256' }, { ...claims, role: ['r'] }, secret), 'claims'],
  ['exp is text', hs, () => handmade({ alg: 'HS256' }, { ...claims, exp: String(exp) }, secret), 'claims'],
  ['exp beyond whole numbers', hs, () => handmade({ alg: 'HS256' }, { ...claims, exp: 1e300 }, secret), 'claims'],
  ['other issuer', { secret, issuer: 'a' }, mint({ secret }, { issuer: 'b' }), 'claims'],
  ['no issuer', { secret, issuer: 'a' }, mint({ secret }), 'claims'],
  ['other audience', { secret, audience: 'a' }, mint({ secret }, { audience: 'b' }), 'claims'],
  ['nothing configured', {}, mint({ secret }), 'algorithm'],
  ['empty', hs, () => '', 'malformed'],
  ['two dots', hs, () => '..', 'malformed'],
  ['header is null', hs, () => `${b64(null)}.${b64(claims)}.x`, 'malformed'],
  ['header is not JSON', hs, () => 'eyJ.e30.x', 'malformed'],
  ['no signature', hs, () => `${b64({ alg: 'HS256' })}.${b64(claims)}.`, 'signature'],
  ['too long', hs, () => 'a'.repeat(20_000), 'malformed'],
];

for (const [what, verifier, token, why] of verdicts) {
  test(`${what}: ${why}`, async () => {
    const verdict = await createVerifier(verifier)(await token());
    assert.equal(verdict.ok ? 'ok' : verdict.why, why);
    if (!verdict.ok) assert.match(verdict.message, /\S/);
  });
}

test('every flipped bit of a signature is refused', { timeout: 60_000 }, async () => {
  for (const [signer, options] of [
    [{ secret }, hs],
    [{ jwk: key.jwk }, es],
  ] as const) {
    const verify = createVerifier(options);
    const token = await mintToken(signer);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const verdict = await verify(`${header}.${payload}.${flipped.toString('base64url')}`);
      assert.equal(verdict.ok ? 'ok' : verdict.why, 'signature', `bit ${bit}`);
    }
  }
});

test('a changed payload is refused', async () => {
  const [header = '', , signature = ''] = (await mintToken({ secret })).split('.');
  const verdict = await createVerifier(hs)(`${header}.${b64({ ...claims, sub: 'root' })}.${signature}`);
  assert.equal(verdict.ok, false);
});

test('garbage never throws', { timeout: 60_000 }, async () => {
  const verify = createVerifier(both);
  const part = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
      assert.equal((await verify(parts.join('.'))).ok, false);
    }),
    { numRuns: 300 },
  );
});

test('a key that cannot sign is a USAGE error', async () => {
  await assert.rejects(mintToken({ jwk: key.jwks.keys[0] ?? {} }), { code: 'USAGE' });
  await assert.rejects(mintToken({ jwk: { kty: 'EC' } }), { code: 'USAGE' });
});

test('keys by URL: fetched, and said when they cannot be', { timeout: 20_000 }, async (t) => {
  let status = 200;
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(key.jwks));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const jwks = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`);
  const token = await mintToken({ jwk: key.jwk });
  assert.equal((await createVerifier({ jwks })(token)).ok, true);
  status = 500;
  const broken = await createVerifier({ jwks })(token);
  assert.equal(broken.ok ? 'ok' : broken.why, 'keys unavailable');
  // A port that nobody listens on any more.
  const gone = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
  const refused = await createVerifier({ jwks: new URL(`http://127.0.0.1:${gone}/`) })(token);
  assert.equal(refused.ok ? 'ok' : refused.why, 'keys unavailable');
});
