import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WsbenchError } from '../../lib/errors.ts';
import {
  type ConfigFlags,
  configFromEnv,
  createServer,
  type ServerOptions,
} from '../../reference-server/index.ts';

const secret = 'a secret that has thirty-two byte';
type Env = Record<string, string>;

// biome-ignore format: a table
const accepted: [name: string, env: Env, flags: ConfigFlags, expected: Partial<ServerOptions>][] = [
  ['nothing set',              {},                                              {}, { environment: 'development', limits: 'development' }],
  ['empty variables',          { NODE_ENV: '', PORT: '', JWT_SECRET: '', REDIS_URL: '' }, {}, { environment: 'development', limits: 'development' }],
  ['test',                     { NODE_ENV: 'test' },                            {}, { environment: 'test', limits: 'test' }],
  ['production',               { NODE_ENV: 'production', JWT_SECRET: secret },  {}, { environment: 'production', limits: 'production', secret }],
  ['an unknown NODE_ENV',      { NODE_ENV: 'staging', JWT_SECRET: secret },     {}, { environment: 'production', limits: 'production', secret }],
  ['the alias of JWT_SECRET',  { SUPABASE_JWT_SECRET: secret },                 {}, { environment: 'development', limits: 'development', secret }],
  ['both, the same',           { JWT_SECRET: secret, SUPABASE_JWT_SECRET: secret }, {}, { environment: 'development', limits: 'development', secret }],
  ['a short secret elsewhere', { JWT_SECRET: 'short' },                         {}, { environment: 'development', limits: 'development', secret: 'short' }],
  ['host and port',            { HOST: '0.0.0.0', PORT: '8080' },               {}, { environment: 'development', limits: 'development', host: '0.0.0.0', port: 8080 }],
  ['flags win',                { HOST: '0.0.0.0', PORT: '8080', NODE_ENV: 'test' }, { host: '::1', port: '9', limits: 'off' }, { environment: 'test', limits: 'off', host: '::1', port: 9 }],
  ['Supabase',                 { SUPABASE_URL: 'https://demo.supabase.co/' },   {}, { environment: 'development', limits: 'development', issuer: 'https://demo.supabase.co/auth/v1', audience: 'authenticated', jwks: new URL('https://demo.supabase.co/auth/v1/.well-known/jwks.json') }],
  ['Supabase in production',   { NODE_ENV: 'production', SUPABASE_URL: 'https://demo.supabase.co' }, {}, { environment: 'production', limits: 'production', issuer: 'https://demo.supabase.co/auth/v1', audience: 'authenticated', jwks: new URL('https://demo.supabase.co/auth/v1/.well-known/jwks.json') }],
  ['origins',                  { ALLOWED_ORIGINS: 'https://a.example, http://localhost:5173,' }, {}, { environment: 'development', limits: 'development', allowedOrigins: ['https://a.example', 'http://localhost:5173'] }],
  ['origins, by flag',         { ALLOWED_ORIGINS: 'https://a.example' }, { allowedOrigins: 'https://b.example' }, { environment: 'development', limits: 'development', allowedOrigins: ['https://b.example'] }],
  ['tokens in the query',      {}, { allowQueryToken: true }, { environment: 'development', limits: 'development', allowQueryToken: true }],
  ['keys elsewhere',           {}, { jwksUrl: 'https://a.example/jwks', jwtIssuer: 'me', jwtAudience: 'you' }, { environment: 'development', limits: 'development', jwks: new URL('https://a.example/jwks'), issuer: 'me', audience: 'you' }],
  ['Supabase, but the keys',   { SUPABASE_URL: 'https://demo.supabase.co' }, { jwksUrl: 'http://127.0.0.1:1/' }, { environment: 'development', limits: 'development', jwks: new URL('http://127.0.0.1:1/'), issuer: 'https://demo.supabase.co/auth/v1', audience: 'authenticated' }],
  ['Redis',                    { REDIS_URL: 'redis://127.0.0.1' }, {}, { environment: 'development', limits: 'development', redis: { url: 'redis://127.0.0.1' } }],
  ['Redis, optional',          { REDIS_URL: 'redis://127.0.0.1', REDIS_PREFIX: 'mine' }, { redis: 'optional' }, { environment: 'development', limits: 'development', redis: { url: 'redis://127.0.0.1', prefix: 'mine', required: false } }],
  ['Supabase API keys',        { SUPABASE_ANON_KEY: 'a', SUPABASE_SERVICE_KEY: 'b' }, {}, { environment: 'development', limits: 'development' }],
];

for (const [name, env, flags, expected] of accepted) {
  test(`config: ${name}`, () => assert.deepEqual(configFromEnv(env, flags), expected));
}

// biome-ignore format: a table
const refused: [name: string, env: Env, flags: ConfigFlags, says: RegExp][] = [
  ['a Redis that is none',             { REDIS_URL: 'http://127.0.0.1' },               {}, /REDIS_URL: not a URL like rediss:/],
  ['--redis without one',              {},                                              { redis: 'optional' }, /--redis: REDIS_URL is not set/],
  ['another word for --redis',         { REDIS_URL: 'redis://127.0.0.1' },              { redis: 'maybe' }, /--redis: "maybe" is neither required nor optional/],
  ['production without credentials',   { NODE_ENV: 'production' },                      {}, /production needs JWT_SECRET/],
  ['an unknown NODE_ENV without',      { NODE_ENV: 'prod' },                            {}, /production needs JWT_SECRET/],
  ['a short secret in production',     { NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(31) }, {}, /31 bytes.*at least 32/],
  ['two secrets',                      { JWT_SECRET: 'a', SUPABASE_JWT_SECRET: 'b' },   {}, /differ/],
  ['a port that is a word',            { PORT: 'http' },                                {}, /PORT: "http"/],
  ['a port that is too large',         { PORT: '65536' },                               {}, /PORT: "65536"/],
  ['a negative port flag',             {},                                              { port: -1 }, /--port: "-1"/],
  ['unknown limits',                   {},                                              { limits: 'none' }, /--limits: "none" is none of development/],
  ['an origin that is none',           { ALLOWED_ORIGINS: '*' },                        {}, /ALLOWED_ORIGINS\): "\*"/],
  ['an origin with a path',            {},                                              { allowedOrigins: 'https://a.example/x' }, /--allowed-origins/],
  ['keys at no URL',                   {},                                              { jwksUrl: 'demo' }, /--jwks-url/],
  ['a PEM as the secret',              { JWT_SECRET: '-----BEGIN PUBLIC KEY-----' },    {}, /PEM/],
  ['a PEM after whitespace',           { JWT_SECRET: ' \n-----BEGIN RSA PUBLIC KEY-----' }, {}, /PEM/],
  ['a JWK as the secret',              { JWT_SECRET: '{"kty": "EC", "crv": "P-256"}' }, {}, /JSON Web Key/],
  ['a blank secret',                   { JWT_SECRET: '   ' },                           {}, /empty/],
  ['a documented secret in production', { NODE_ENV: 'production', JWT_SECRET: 'your-super-secret-jwt-token-with-at-least-32-characters-long' }, {}, /make your own/],
  ['a monotonous secret in production', { NODE_ENV: 'production', JWT_SECRET: '0'.repeat(64) }, {}, /different characters/],
  ['a Supabase URL that is none',      { SUPABASE_URL: 'demo' },                        {}, /SUPABASE_URL/],
  ['a Supabase URL of another scheme', { SUPABASE_URL: 'ftp://demo' },                  {}, /SUPABASE_URL/],
];

for (const [name, env, flags, says] of refused) {
  test(`config refuses ${name}`, () => {
    assert.throws(
      () => configFromEnv(env, flags),
      (error: unknown) =>
        error instanceof WsbenchError &&
        error.code === 'CONFIG' &&
        says.test(error.message) &&
        !error.message.includes('\n'),
    );
  });
}

test('an embedded production server is refused without real authentication, too', async () => {
  await assert.rejects(createServer({ environment: 'production' }), { code: 'CONFIG' });
  await assert.rejects(createServer({ environment: 'production', secret: 'short' }), { code: 'CONFIG' });
});

test('an embedded server ignores the environment of the process', { timeout: 10_000 }, async (t) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  Object.assign(process.env, { NODE_ENV: 'production', JWT_SECRET: secret, PORT: '1', HOST: '192.0.2.1' });
  const server = await createServer();
  t.after(() => server.close());
  assert.match(await server.listen(), /^ws:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(server.auth, 'ephemeral');
  assert.equal(server.limits, 'test');
});
