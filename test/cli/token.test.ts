// wsbench token: inspect, jwks, keygen and what mint writes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  checkSignature,
  createVerifier,
  generateSigningKey,
  type JSONWebKeySet,
  mintToken,
} from '../../lib/token.ts';
import { emptyFolder, run } from './spawn.ts';

const secret = 'a secret of at least thirty-two bytes';
const bin = fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url));
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** Runs `wsbench` with something on standard input. */
function piped(
  args: string[],
  input: string,
  cwd: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { PATH: process.env.PATH ?? '' } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

test('token inspect: argument, file, environment and standard input', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const token = await mintToken({ secret }, { sub: 'ada' });
  writeFileSync(join(cwd, 'token'), `${token}\n`);
  const env = { T: token, WSBENCH_TOKEN: token };
  const runs = [
    ...(await Promise.all(
      [[token], ['@token'], ['env:T'], []].map((words) => run(['token', 'inspect', ...words], { cwd, env })),
    )),
    await piped(['token', 'inspect', '-'], `Bearer ${token}\n`, cwd),
  ];
  for (const { code, stdout, stderr } of runs) {
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Supabase user access token\n/);
    assert.match(stdout, / sub +ada\n/);
    assert.match(stdout, / exp +20\S+Z, expires in \d+ min\n/);
    assert.match(stdout, /Signature: not checked/);
    assert.equal(stderr, '');
    for (const part of token.split('.')) assert.ok(!stdout.includes(part), 'the token is not printed back');
  }
});

test('token inspect: signatures, by secret, key and JWKS; exit codes', { timeout: 120_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const [key, other] = [await generateSigningKey('EdDSA'), await generateSigningKey('RS256')];
  const files: Record<string, unknown> = {
    private: key.jwk,
    jwks: { keys: [...other.jwks.keys, ...key.jwks.keys] },
    other: other.jwks,
  };
  for (const [name, value] of Object.entries(files)) writeFileSync(join(cwd, name), JSON.stringify(value));
  const signed = await mintToken({ jwk: key.jwk });
  const shared = await mintToken({ secret });
  const expired = await mintToken({ secret }, { expiresInS: -60 });
  const env = { S: secret, W: `${secret}!` };
  // biome-ignore format: a table
  const rows: [name: string, args: string[], code: number, signature: string, said: RegExp][] = [
    ['secret', [shared, '--secret', 'env:S'], 0, 'good', /^$/],
    ['other secret', [shared, '--secret', 'env:W'], 1, 'bad', /exit 1: bad signature: it does not match/],
    ['private key', [signed, '--key', 'private'], 0, 'good', /^$/],
    ['JWKS', [signed, '--jwks', 'jwks'], 0, 'good', /^$/],
    ['JWKS without the key', [signed, '--jwks', 'other'], 1, 'bad', /none of these keys/],
    ['shared token, public keys', [shared, '--jwks', 'jwks'], 1, 'bad', /HS256, which no public key checks/],
    ['signed token, secret', [signed, '--secret', 'env:S'], 1, 'bad', /EdDSA, which no shared secret signs/],
    ['expired, good', [expired, '--secret', 'env:S'], 1, 'good', /exit 1: the signature is good, but the token is not valid now/],
    ['expired, no key', [expired], 0, 'not checked', /^$/],
  ];
  for (const [name, args, code, signature, said] of rows) {
    const result = await run(['token', 'inspect', '--json', ...args], { cwd, env });
    assert.equal(result.code, code, `${name}: ${result.stderr}`);
    assert.equal((JSON.parse(result.stdout) as { signature: string }).signature, signature, name);
    assert.match(result.stderr, said, name);
  }
  const nonsense = await run(['token', 'inspect', 'opaque-canary-7f3a'], { cwd, env });
  assert.equal(nonsense.code, 2);
  assert.equal(nonsense.stdout, '');
  assert.doesNotMatch(nonsense.stderr, /canary/);
  const both = await run(['token', 'inspect', shared, '--key', 'private', '--secret', 'env:S'], { cwd, env });
  assert.equal(both.code, 2);
  const nothing = await run(['token', 'inspect'], { cwd });
  assert.match(nothing.stderr, /which token\?/);
  assert.equal(nothing.code, 2);
});

test('signatures: a secret that was base64-decoded is recognised', async () => {
  const base64 = Buffer.from(secret).toString('base64');
  const verdict = await checkSignature(await mintToken({ secret }), { secret: base64 });
  assert.ok(!verdict.good);
  assert.match(verdict.why, /base64-decoded/);
});

test('signatures: keys without kid, and several that fit, are all tried', async () => {
  const keys = [await generateSigningKey(), await generateSigningKey()];
  const bare = keys.map(({ jwks }) => {
    const { kid: _kid, ...rest } = jwks.keys[0] ?? { kty: '' };
    return rest;
  });
  const { kid: _kid, ...signer } = keys[1]?.jwk ?? { kty: '' };
  const token = await mintToken({ jwk: signer });
  assert.deepEqual(await checkSignature(token, { jwks: { keys: bare } }), { good: true });
  const verdict = await checkSignature(token, { jwks: { keys: bare.slice(0, 1) } });
  assert.equal(verdict.good, false);
});

test('token keygen and jwks: nothing private gets out, and servers can check with it', {
  timeout: 120_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  for (const alg of ['ES256', 'RS256', 'EdDSA']) {
    const made = await run(['token', 'keygen', '--alg', alg, '-o', `${alg}.jwk`], { cwd });
    assert.equal(made.code, 0, made.stderr);
    assert.equal(statSync(join(cwd, `${alg}.jwk`)).mode & 0o777, 0o600);
  }
  const again = await run(['token', 'keygen', '-o', 'ES256.jwk'], { cwd });
  assert.equal(again.code, 2);
  assert.match(again.stderr, /not written over/);
  const es = JSON.parse(readFileSync(join(cwd, 'ES256.jwk'), 'utf8')) as Record<string, unknown>;
  delete es.kid;
  delete es.alg;
  delete es.use;
  writeFileSync(join(cwd, 'bare.jwk'), JSON.stringify(es));
  const keys = ['bare.jwk', 'RS256.jwk', 'EdDSA.jwk'].flatMap((file) => ['--key', file]);
  const set = await run(['token', 'jwks', ...keys, '-o', 'jwks.json'], { cwd });
  assert.equal(set.code, 0, set.stderr);
  const text = readFileSync(join(cwd, 'jwks.json'), 'utf8');
  const jwks = JSON.parse(text) as JSONWebKeySet;
  for (const key of jwks.keys) {
    assert.deepEqual(
      Object.keys(key).filter((name) => ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth'].includes(name)),
      [],
    );
    assert.equal(key.use, 'sig');
    assert.match(key.kid ?? '', /^[\w-]+$/);
  }
  assert.deepEqual(
    jwks.keys.map(({ alg }) => alg),
    ['ES256', 'RS256', 'EdDSA'],
  );
  for (const file of ['RS256.jwk', 'EdDSA.jwk']) {
    const minted = await run(['token', 'mint', '--key', file], { cwd });
    const verdict = await createVerifier({ jwks })(minted.stdout.trim());
    assert.ok(verdict.ok, file);
  }
  writeFileSync(join(cwd, 'oct.jwk'), JSON.stringify({ kty: 'oct', k: 'c3VwZXJzZWNyZXRzdXBlcnNlY3JldA' }));
  const symmetric = await run(['token', 'jwks', '--key', 'oct.jwk'], { cwd });
  assert.equal(symmetric.code, 2);
  assert.match(symmetric.stderr, /symmetric key.*whoever can check its tokens can sign them/);
  writeFileSync(join(cwd, 'not.jwk'), '[]');
  assert.equal((await run(['token', 'jwks', '--key', 'not.jwk'], { cwd })).code, 2);
  const twice = await run(['token', 'jwks', '--key', 'RS256.jwk', '--key', 'RS256.jwk'], { cwd });
  assert.match(twice.stderr, /two keys have the kid/);
});

test('the thumbprint of a key without kid is the one of RFC 7638 §3.1', async (t) => {
  const cwd = emptyFolder(t);
  // biome-ignore format: the example of the RFC
  const n = '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  writeFileSync(join(cwd, 'rfc.jwk'), JSON.stringify({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256' }));
  const { stdout } = await run(['token', 'jwks', '--key', 'rfc.jwk'], { cwd });
  assert.equal(
    (JSON.parse(stdout) as JSONWebKeySet).keys[0]?.kid,
    'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  );
});

test('token mint: more claims, API keys, files that only their owner reads', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const env = { JWT_SECRET: secret };
  const more = await run(
    ['token', 'mint', '--claims', '{"sub":"me","x":[1]}', '--count', '2', '-o', 'tokens'],
    { cwd, env },
  );
  assert.equal(more.code, 0, more.stderr);
  assert.equal(statSync(join(cwd, 'tokens')).mode & 0o777, 0o600);
  const tokens = readFileSync(join(cwd, 'tokens'), 'utf8').trim().split('\n');
  assert.equal(tokens.length, 2);
  const { sub, x } = claimsOf(tokens[0] ?? '');
  assert.deepEqual([sub, x], ['me', [1]]);
  const api = await run(['token', 'mint', '--api-key', 'anon', '--ref', 'abcd'], { cwd, env });
  const { iat, exp, ...rest } = claimsOf(api.stdout);
  assert.deepEqual(rest, { iss: 'supabase', ref: 'abcd', role: 'anon' });
  assert.ok(Number(exp) - Number(iat) > 9 * 365 * 86_400);
  // biome-ignore format: a table
  const wrong: [args: string[], said: RegExp][] = [
    [['--api-key', 'service_role'], /--i-know/],
    [['--api-key', 'anon', '--sub', 'x'], /--sub is for user tokens/],
    [['--ref', 'abcd'], /--ref goes with --api-key/],
    [['--claims', '[1]'], /--claims: not a JSON object/],
    [['--claims', '{'], /--claims: not a JSON object/],
  ];
  for (const [args, said] of wrong) {
    const { code, stderr } = await run(['token', 'mint', ...args], { cwd, env });
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, said);
  }
});
