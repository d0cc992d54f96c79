import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateSigningKey, mintToken, unsignedToken } from '../../lib/token.ts';
import { systemClock } from '../../reference-server/clock.ts';
import { identityOf } from '../../reference-server/identity.ts';
import { Client, Refused } from './client.ts';
import { FakeClock } from './fake-clock.ts';
import { listening } from './servers.ts';

const timeout = 20_000;
const secret = 'a secret that has thirty-two byte';

const refusal = async (opening: Promise<Client>): Promise<Refused> => {
  const outcome = await opening.then(
    () => new Error('was accepted'),
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Refused, String(outcome));
  return outcome;
};

test('bad credentials are refused at the handshake with 401, on every route', { timeout }, async (t) => {
  const server = await listening(t, { secret });
  const stranger = await generateSigningKey();
  const good = await server.mint();
  const [head, body, signature = ''] = good.split('.');
  const flipped = `${signature.slice(0, 10)}${signature[10] === 'A' ? 'B' : 'A'}${signature.slice(11)}`;
  const minted = (claims: Record<string, unknown>): Promise<string> => mintToken({ secret }, { claims });
  // biome-ignore format: a table
  const bad: [name: string, header: string, says: RegExp][] = [
    ['expired',            `Bearer ${await server.mint({ expiresInS: -60 })}`,        /expired/],
    ['another secret',     `Bearer ${await mintToken({ secret: `${secret}!` })}`,     /signature/],
    ['a flipped bit',      `Bearer ${head}.${body}.${flipped}`,                       /signature/],
    ['no signature',       `Bearer ${head}.${body}.`,                                 /./],
    ['alg none',           `Bearer ${unsignedToken()}`,                               /algorithm/],
    ['a key of its own',   `Bearer ${await mintToken({ jwk: stranger.jwk })}`,        /algorithm/],
    ['no sub',             `Bearer ${await minted({ sub: undefined })}`,              /sub/],
    ['a numeric sub',      `Bearer ${await minted({ sub: 7 })}`,                      /./],
    ['no role',            `Bearer ${await minted({ role: undefined })}`,             /role/],
    ['no exp',             `Bearer ${await minted({ exp: undefined })}`,              /exp/],
    ['garbage',            'Bearer garbage',                                          /not a valid token/],
    ['an API key',         'Bearer sb_publishable_abc',                               /API key/],
    ['another scheme',     'Basic YTpi',                                              /Bearer <token>/],
    ['nothing after it',   'Bearer',                                                  /Bearer <token>/],
    ['two tokens',         `Bearer ${good}, Bearer ${good}`,                          /Bearer <token>/],
    ['too long',           `Bearer ${'x'.repeat(12_000)}`,                            /./],
  ];
  for (const [name, authorization, says] of bad) {
    for (const path of ['/ws', '/ws/dashboard', '/ws/echo']) {
      const refused = await refusal(
        Client.open(`${server.url}${path}`, undefined, { headers: { authorization } }),
      );
      assert.equal(refused.status, 401, `${name} on ${path}`);
      const { error, message } = JSON.parse(refused.body) as { error: string; message: string };
      assert.equal(error, 'UNAUTHENTICATED');
      assert.match(message, says, name);
      assert.match(
        String(refused.headers['www-authenticate']),
        /^Bearer realm="wsbench", error="invalid_token"/,
      );
      assert.equal(refused.headers.connection, 'close');
      assert.ok(!refused.body.includes(authorization.split(' ')[1] || '\n'), 'the token is repeated');
    }
  }
});

test('routes that ask for a role: 401 without a token, 403 with the wrong one', { timeout }, async (t) => {
  const server = await listening(t);
  for (const path of ['/ws/dashboard', '/ws/agent']) {
    const refused = await refusal(Client.open(`${server.url}${path}`));
    assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'Bearer realm="wsbench"']);
  }
  const dashboard = await server.mint();
  const agent = await server.mint({ roles: ['agent'] });
  const both = await server.mint({ roles: ['agent', 'dashboard', 'root'] });
  assert.equal((await refusal(Client.open(`${server.url}/ws/agent`, dashboard))).status, 403);
  assert.equal((await refusal(Client.open(`${server.url}/ws/dashboard`, agent))).status, 403);
  for (const [path, token] of [
    ['/ws/dashboard', dashboard],
    ['/ws/agent', agent],
    ['/ws/dashboard', both],
    ['/ws/agent', both],
  ] as const) {
    await (await Client.open(`${server.url}${path}`, token)).close();
  }
});

test('a server verifies only with what it was given', { timeout }, async (t) => {
  const { jwk, jwks } = await generateSigningKey();
  const issuer = 'https://demo.supabase.co/auth/v1';
  const server = await listening(t, { jwks, issuer, audience: 'authenticated' });
  assert.equal(server.auth, 'jwks');
  await assert.rejects(server.mint(), { code: 'USAGE' });
  await (await Client.open(`${server.url}/ws`, await mintToken({ jwk }, { issuer }))).close();
  const publicKey = JSON.stringify(jwks.keys[0]);
  for (const token of [
    await mintToken({ jwk }, { issuer: 'https://evil.example/auth/v1' }),
    await mintToken({ jwk }, { issuer, audience: 'other' }),
    await mintToken({ secret }, { issuer }),
    // The public key as an HMAC secret: RFC 8725 §2.1.
    await mintToken({ secret: publicKey }, { issuer }),
  ]) {
    assert.equal((await refusal(Client.open(`${server.url}/ws`, token))).status, 401);
  }
});

test('an ephemeral key is published, and verifies what the server mints', { timeout }, async (t) => {
  const server = await listening(t);
  const keys = await fetch(`${server.httpUrl}/auth/v1/.well-known/jwks.json`);
  assert.equal(keys.status, 200);
  const text = await keys.text();
  assert.ok(!text.includes('"d"'), 'the private key is published');
  const verifying = await listening(t, { jwks: new URL(keys.url) });
  await (await Client.open(`${verifying.url}/ws`, await server.mint())).close();
  assert.equal((await fetch(`${verifying.httpUrl}/auth/v1/.well-known/jwks.json`)).status, 404);
});

test('AUTH as a message makes an anonymous connection somebody', { timeout }, async (t) => {
  const server = await listening(t);
  const client = await Client.open(`${server.url}/ws`);
  assert.equal((await client.request('PING')).type, 'PONG');
  assert.equal((await client.request('ECHO', 1)).type, 'ECHO');
  for (const [type, payload] of [
    ['DASHBOARD_CONNECT', undefined],
    ['SUBSCRIBE', { channel: 'c' }],
    ['PUBLISH', { channel: 'c', data: 1 }],
    ['COMMAND', { agentId: 'a', command: 'b' }],
    ['AGENT_CONNECT', { agentId: 'a' }],
  ] as const) {
    const error = await client.error(type, payload);
    assert.deepEqual([error.code, error.for], ['UNAUTHENTICATED', type]);
  }
  const ack = await client.ack('AUTH', { token: await server.mint({ sub: 'alice' }) });
  assert.deepEqual([ack.sub, ack.roles], ['alice', ['dashboard']]);
  assert.ok(Math.abs(Number(ack.expiresAt) - Date.now() - 3_600_000) < 60_000);
  await client.ack('DASHBOARD_CONNECT');
});

test('a bad token in AUTH is an ERROR and 4401', { timeout }, async (t) => {
  const server = await listening(t);
  for (const [token, reason] of [
    ['garbage', 'TOKEN_INVALID'],
    [unsignedToken(), 'TOKEN_INVALID'],
    [await server.mint({ expiresInS: -60 }), 'TOKEN_EXPIRED'],
  ] as const) {
    const client = await Client.open(`${server.url}/ws`);
    assert.equal((await client.error('AUTH', { token })).code, 'UNAUTHENTICATED');
    assert.deepEqual(await client.closed, { code: 4401, reason });
  }
});

test('a refresh keeps sub and tenant, and replaces the roles', { timeout }, async (t) => {
  const server = await listening(t);
  const mint = (roles: string[], sub = 'alice', tenant = 't'): Promise<string> =>
    server.mint({ sub, tenant, roles });
  const client = await Client.open(`${server.url}/ws`, await mint(['agent']));
  const watcher = await Client.open(`${server.url}/ws`, await mint(['dashboard'], 'bob'));
  await watcher.ack('DASHBOARD_CONNECT');
  await client.ack('AGENT_CONNECT', { agentId: 'g1' });
  assert.equal((await client.error('AUTH', { token: await mint(['agent'], 'mallory') })).code, 'FORBIDDEN');
  assert.equal(
    (await client.error('AUTH', { token: await mint(['agent'], 'alice', 'x') })).code,
    'FORBIDDEN',
  );
  await client.ack('AGENT_STATUS', { status: 'idle' });
  assert.deepEqual((await client.ack('AUTH', { token: await mint(['dashboard']) })).roles, ['dashboard']);
  assert.equal((await client.error('AGENT_STATUS', { status: 'busy' })).code, 'FORBIDDEN');
  await watcher.take((m) => m.type === 'AGENT_STATUS' && m.payload.status === 'offline', 'offline');
});

test('TOKEN_EXPIRING goes ahead of 4401 when a token ends', { timeout }, async (t) => {
  const server = await listening(t);
  const client = await Client.open(`${server.url}/ws`, await server.mint({ expiresInS: 2 }));
  const warning = (await client.next('TOKEN_EXPIRING')).payload;
  assert.ok(warning.inMs > 0 && warning.inMs <= 2000, String(warning.inMs));
  assert.deepEqual(await client.closed, { code: 4401, reason: 'TOKEN_EXPIRED' });
});

test('a refresh in time saves the connection', { timeout }, async (t) => {
  const server = await listening(t);
  const client = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'a', expiresInS: 2 }));
  await client.next('TOKEN_EXPIRING');
  await client.ack('AUTH', { token: await server.mint({ sub: 'a' }) });
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal((await client.request('PING')).type, 'PONG');
});

test('a token of many years does not expire at once', { timeout }, async (t) => {
  const server = await listening(t, { maxTokenLifetimeS: 30 * 365 * 86_400 });
  const client = await Client.open(`${server.url}/ws`, await server.mint({ expiresInS: 20 * 365 * 86_400 }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await client.request('PING')).type, 'PONG');
  assert.ok(!client.inbox.some(({ type }) => type === 'TOKEN_EXPIRING'));
});

test('a timer longer than 2^31 − 1 ms does not fire early and can be cancelled', { timeout }, async () => {
  let fired = false;
  const cancel = systemClock.schedule(2 ** 31 + 1000, () => {
    fired = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  cancel();
  assert.equal(fired, false);
});

test('a revoked subject is closed with 4401 and its tokens are refused; others stay', {
  timeout,
}, async (t) => {
  const server = await listening(t);
  const [token, other] = [await server.mint({ sub: 'alice' }), await server.mint({ sub: 'bob' })];
  const [alice, bob] = [
    await Client.open(`${server.url}/ws`, token),
    await Client.open(`${server.url}/ws`, other),
  ];
  await server.revoke('alice');
  assert.deepEqual(await alice.closed, { code: 4401, reason: 'TOKEN_REVOKED' });
  assert.equal((await refusal(Client.open(`${server.url}/ws`, token))).status, 401);
  assert.equal((await bob.request('PING')).type, 'PONG');
});

test('production: nothing without AUTH, and 4408 when it does not come', { timeout }, async (t) => {
  const clock = new FakeClock();
  const server = await listening(t, { environment: 'production', secret, clock });
  const nowS = clock.epochMs() / 1000;
  const silent = await Client.open(`${server.url}/ws`);
  const busy = await Client.open(`${server.url}/ws`);
  assert.equal((await busy.error('PING')).code, 'UNAUTHENTICATED');
  assert.equal((await busy.error('ECHO', 1)).code, 'UNAUTHENTICATED');
  await busy.ack('AUTH', { token: await server.mint({ claims: { iat: nowS, exp: nowS + 600 } }) });
  assert.equal((await busy.request('PING')).type, 'PONG');
  clock.advance(5000);
  assert.deepEqual(await silent.closed, { code: 4408, reason: 'AUTH_TIMEOUT' });
  assert.equal((await busy.request('PING')).type, 'PONG');
});

test('claims of any shape become an identity without an exception', () => {
  const base = { sub: 's', role: 'authenticated', exp: 1 };
  for (const app_metadata of [
    undefined,
    null,
    1,
    [],
    'x',
    { wsbench: null },
    { wsbench: { roles: 'agent' } },
  ]) {
    const { roles, tenant } = identityOf({ ...base, app_metadata });
    assert.deepEqual([roles, tenant], [['dashboard'], 's']);
  }
  const named = { wsbench: { roles: ['agent', 1, null], tenant: 'acme' } };
  assert.deepEqual(identityOf({ ...base, app_metadata: named }).roles, ['agent']);
  assert.equal(identityOf({ ...base, app_metadata: named }).tenant, 'acme');
  assert.deepEqual(identityOf({ ...base, role: 'anon' }).roles, []);
});
