// What a token says, and what looks wrong in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inspectToken } from '../../lib/token.ts';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const nowS = nowMs / 1000;
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (claims: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, signature = 'c2ln'): string =>
  `${part(header)}.${part(claims)}.${signature}`;
const user = { sub: 'u', role: 'authenticated', aud: 'authenticated', iat: nowS - 60, exp: nowS + 720 };

test('inspect: times are said as dates, and how far they are', () => {
  const facts = inspectToken(`Bearer ${token({ ...user, nbf: nowS - 7200 })}\n`, nowMs);
  assert.deepEqual(facts.times, [
    { claim: 'exp', at: '2026-01-02T03:16:05.000Z', inSeconds: 720, words: 'expires in 12 min' },
    { claim: 'nbf', at: '2026-01-02T01:04:05.000Z', inSeconds: -7200, words: 'became valid 2 h ago' },
    { claim: 'iat', at: '2026-01-02T03:03:05.000Z', inSeconds: -60, words: 'issued 60 s ago' },
  ]);
  assert.equal(facts.refusedNow, false);
  assert.deepEqual(facts.problems, []);
  const old = inspectToken(token({ ...user, iat: nowS - 4 * 86_400, exp: nowS - 3 * 86_400 }), nowMs);
  assert.equal(old.times[0]?.words, 'expired 3 d ago');
  assert.equal(old.refusedNow, true);
});

// biome-ignore format: a table
const kinds: [name: string, claims: object, kind: string, title: RegExp][] = [
  ['a user of a project', { ...user, iss: 'https://abcd.supabase.co/auth/v1', session_id: 's' }, 'supabase-user', /user access token \(project abcd\)/],
  ['a user of a server of their own', { ...user, iss: 'http://127.0.0.1:9999/auth/v1' }, 'supabase-user', /^Supabase user access token$/],
  ['an anonymous user, who is no anon key', { ...user, is_anonymous: true }, 'supabase-user', /anonymous user/],
  ['the anon key', { iss: 'supabase', ref: 'abcd', role: 'anon', iat: nowS, exp: nowS + 1e8 }, 'supabase-api-key', /legacy Supabase API key \(anon, project abcd\)/],
  ['the service_role key', { iss: 'supabase', ref: 'abcd', role: 'service_role', exp: nowS + 1e8 }, 'supabase-api-key', /service_role/],
  ['roles of the reference server', { ...user, app_metadata: { wsbench: { roles: ['agent', 'dashboard'], tenant: 't' } } }, 'wsbench', /roles agent, dashboard, tenant t/],
  ['anything else', { iss: 'https://id.example' }, 'unknown', /no kind/],
];
for (const [name, claims, kind, title] of kinds) {
  test(`inspect: kind of ${name}`, () => {
    const facts = inspectToken(token(claims), nowMs);
    assert.equal(facts.kind, kind);
    assert.match(facts.title, title);
  });
}

// biome-ignore format: a table
const wrong: [name: string, text: string, problem: RegExp][] = [
  ['alg none', token(user, { alg: 'nOnE' }, ''), /alg none/],
  ['no alg', token(user, {}), /no alg/],
  ['no signature', token(user, { alg: 'HS256' }, ''), /signature is empty/],
  ['jku', token(user, { alg: 'RS256', jku: 'https://evil.example/k' }), /header jku/],
  ['x5u', token(user, { alg: 'RS256', x5u: 'https://evil.example/k' }), /header x5u/],
  ['a key in the header', token(user, { alg: 'ES256', jwk: {} }), /header jwk/],
  ['crit', token(user, { alg: 'HS256', crit: ['x'] }), /crit/],
  ['no exp', token({ sub: 'u', role: 'r' }), /no exp/],
  ['exp as text', token({ ...user, exp: String(nowS) }), /exp is a text/],
  ['exp as a list', token({ ...user, exp: [] }), /exp is no number/],
  ['exp in milliseconds', token({ ...user, exp: nowMs }), /milliseconds/],
  ['exp before iat', token({ ...user, exp: user.iat - 1 }), /not after iat/],
  ['iat in the future', token({ ...user, iat: nowS + 600 }), /clock/],
  ['nbf in the future', token({ ...user, nbf: nowS + 60 }), /not valid yet/],
  ['a long life', token({ ...user, exp: nowS + 2 * 86_400 }), /lives for 2 d/],
  ['a long life without iat', token({ sub: 'u', role: 'r', exp: nowS + 9 * 86_400 }), /lives for 9 d/],
  ['no sub', token({ ...user, sub: undefined }), /no sub: the reference server/],
  ['an empty sub', token({ ...user, sub: '' }), /sub must be a text/],
  ['no role', token({ ...user, role: undefined }), /no role/],
  ['a role that is a list', token({ ...user, role: ['a'] }), /role must be a text/],
  ['service_role', token({ ...user, role: 'service_role' }), /passes every rule/],
  ['base64 of the other kind', token(user, { alg: 'HS256' }, 'a+b/cQ=='), /base64url/],
  ['a long one', token({ ...user, x: 'x'.repeat(8000) }), /8 KiB/],
];
for (const [name, text, problem] of wrong) {
  test(`inspect: looks wrong: ${name}`, () => {
    const { problems } = inspectToken(text, nowMs);
    assert.equal(problems.filter((line) => problem.test(line)).length, 1, problems.join('\n'));
  });
}

// biome-ignore format: a table
const none: [name: string, text: string, message: RegExp][] = [
  ['nothing', '  ', /empty/],
  ['a publishable key', 'sb_publishable_s3cretS3cret', /this is a publishable API key of Supabase and no JWT/],
  ['a secret key', 'sb_secret_s3cretS3cret', /this is a secret API key/],
  ['an opaque token', 's3cretS3cret', /three parts with dots between, and this has 1/],
  ['an encrypted one', 's3cretS3cret.a.b.c.d', /JWE/],
  ['two dots', '..', /header is no JSON/],
  ['a header that is a list', `${part([])}.${part({})}.s3cretS3cret`, /header is no JSON object/],
  ['a payload that is text', `${part({})}.s3cretS3cret.x`, /payload is no JSON/],
  ['a payload of broken UTF-8', `${part({})}.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.s3cretS3cret`, /payload is no JSON/],
];
for (const [name, text, message] of none) {
  test(`inspect: no token: ${name}`, () => {
    assert.throws(
      () => inspectToken(text, nowMs),
      (error: Error & { code?: string }) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /s3cretS3cret/, 'it is not repeated');
        return error.code === 'USAGE';
      },
    );
  });
}

test('inspect: whatever the claims are, it decodes or says why not', { timeout: 30_000 }, () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('exp', 'iat', 'nbf', 'sub', 'iss', 'app_metadata', 'x'), fc.anything()),
      (claims) => {
        let text: string;
        try {
          text = token(claims);
        } catch {
          return;
        }
        const facts = inspectToken(text, nowMs);
        for (const { at } of facts.times) assert.match(at, /Z$/);
      },
    ),
    { numRuns: 500 },
  );
});
