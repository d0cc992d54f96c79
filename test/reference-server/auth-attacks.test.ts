// Attacks on tokens, family by family: through the verifier of a real server, and a sample of each through real handshakes.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { systemClock } from '../../reference-server/clock.ts';
import { createServer as createReference, type ReferenceServer } from '../../reference-server/index.ts';
import { Client, Refused } from './client.ts';
import { type Family, families } from './families.ts';
import { audience, claims, good, issuer, jwks, nowS, secret } from './forgery.ts';

const timeout = 120_000;
const clock = { ...systemClock, epochMs: () => nowS * 1000 };

/** Whoever is led to a URL of a token comes here. */
let asked = 0;
const canary = createServer((_request, response) => {
  asked += 1;
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(jwks));
});
let all: Family[] = [];
let server: ReferenceServer;
/** Each alone: what one accepts by right, the other must refuse. */
let secretOnly: ReferenceServer;
let keysOnly: ReferenceServer;

before(async () => {
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
  all = families(`http://127.0.0.1:${(canary.address() as AddressInfo).port}`);
  const common = { issuer, audience, clock, limits: 'off', drainTimeoutMs: 500 } as const;
  server = await createReference({ ...common, secret, jwks });
  secretOnly = await createReference({ ...common, secret });
  keysOnly = await createReference({ ...common, jwks });
  await server.listen();
});

after(async () => {
  await Promise.all([server, secretOnly, keysOnly].map((one) => one.close()));
  canary.close();
});

/** At most `count` of a list, evenly spread. */
function sample(list: readonly string[], count: number): string[] {
  const step = Math.max(1, list.length / count);
  return Array.from(
    { length: Math.min(count, list.length) },
    (_, index) => list[Math.floor(index * step)] ?? '',
  );
}

/** What clients are told: JW-09 has times of the past among its strange ones. */
const reasonsOf: Record<string, readonly string[]> = {
  'JW-07': ['TOKEN_EXPIRED'],
  'JW-09': ['TOKEN_EXPIRED', 'TOKEN_INVALID'],
};

function assertReason(id: string, reason: string | undefined, attack: string): void {
  const expected = reasonsOf[id] ?? ['TOKEN_INVALID'];
  assert.ok(expected.includes(reason ?? ''), `${id} ${reason}: ${attack.slice(0, 300)}`);
}

const isHeaderText = (text: string): boolean => /^[\x21-\x7e]{1,12000}$/.test(text);

const ids = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18].map(
  (n) => `JW-${String(n).padStart(2, '0')}`,
);

for (const id of ids) {
  test(`${id}: none is accepted by the verifier, its controls are`, { timeout }, async (t) => {
    const family = all.find((one) => one.id === id);
    assert.ok(family);
    const accepted: string[] = [];
    for (const [index, attack] of family.attacks.entries()) {
      const verdict = await server.app.authenticate(attack);
      if (verdict.ok) {
        accepted.push(`${index}: ${attack.slice(0, 300)}`);
        continue;
      }
      assertReason(id, verdict.reason, attack);
      if (family.reason) assert.match(verdict.message, family.reason, attack.slice(0, 300));
    }
    assert.deepEqual(accepted, []);
    for (const control of family.controls) {
      const verdict = await server.app.authenticate(control);
      assert.ok(verdict.ok, `${verdict.ok ? '' : verdict.message}: ${control.slice(0, 300)}`);
    }
    t.diagnostic(`${id} ${family.name}: ${family.attacks.length} tokens, 0 accepted`);
  });

  test(`${id}: a sample through handshakes and AUTH`, { timeout }, async () => {
    const family = all.find((one) => one.id === id);
    assert.ok(family);
    for (const attack of sample(family.attacks.filter(isHeaderText), 10)) {
      const outcome = await Client.open(`${server.url}/ws/dashboard`, attack).catch(
        (error: unknown) => error,
      );
      assert.ok(
        outcome instanceof Refused && outcome.status === 401,
        `${String(outcome)}: ${attack.slice(0, 300)}`,
      );
      const { reason } = JSON.parse(outcome.body) as { reason?: string };
      assertReason(id, reason, attack);
    }
    for (const attack of sample(
      family.attacks.filter((text) => text !== '' && text.length < 60_000),
      5,
    )) {
      const client = await Client.open(`${server.url}/ws`);
      client.send({ type: 'AUTH', id: 'a', payload: { token: attack } });
      const { code, reason } = await client.closed;
      assert.equal(code, 4401);
      assertReason(id, reason, attack);
      assert.equal(
        client.inbox.some(({ type }) => type === 'ACK'),
        false,
      );
    }
    const [control = ''] = family.controls;
    await (await Client.open(`${server.url}/ws/dashboard`, control)).close();
    const late = await Client.open(`${server.url}/ws`);
    await late.ack('AUTH', { token: control });
    await late.close();
  });
}

test('all families together are 5,000 tokens and more, and no URL in any of them was asked', (t) => {
  assert.deepEqual(
    all.map(({ id }) => id),
    ids,
  );
  const tokens = all.flatMap(({ attacks }) => attacks);
  const distinct = new Set(tokens).size;
  assert.ok(distinct >= 5000, `${distinct} tokens`);
  assert.equal(asked, 0);
  t.diagnostic(`${distinct} distinct tokens, 0 accepted, 0 requests to the canary`);
});

test('the canary can be reached', { timeout }, async () => {
  const { port } = canary.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  assert.equal(asked, 1);
});

test('JW-03: a server accepts only what it was configured for', async () => {
  for (const [one, accepts, refuses] of [
    [secretOnly, [good.hs()], [good.es(), good.rs(), good.ed()]],
    [keysOnly, [good.es(), good.rs(), good.ed()], [good.hs()]],
  ] as const) {
    for (const token of accepts) assert.equal((await one.app.authenticate(token)).ok, true);
    for (const token of refuses) assert.equal((await one.app.authenticate(token)).ok, false);
    for (const { attacks } of all.filter(({ id }) => ['JW-02', 'JW-03', 'JW-05', 'JW-06'].includes(id))) {
      for (const attack of attacks) assert.equal((await one.app.authenticate(attack)).ok, false, attack);
    }
  }
});

test('JW-13: roles come from app_metadata and the role claim alone', async () => {
  const agent = { wsbench: { roles: ['agent'], tenant: 'other' }, role: 'service_role', roles: ['agent'] };
  // biome-ignore format: a table
  const cases: [more: Record<string, unknown>, roles: string[]][] = [
    [{},                                                         ['dashboard']],
    [{ role: 'anon' },                                           []],
    [{ role: 'admin' },                                          []],
    [{ user_metadata: agent },                                   ['dashboard']],
    [{ user_metadata: { app_metadata: agent } },                 ['dashboard']],
    [{ wsbench: agent, roles: ['agent'] },                       ['dashboard']],
    [{ app_metadata: { roles: ['agent'], role: 'agent' } },      ['dashboard']],
    [{ app_metadata: { wsbench: { roles: ['admin', 'root'] } } }, []],
    [{ app_metadata: agent },                                    ['agent']],
  ];
  for (const [more, roles] of cases) {
    const verdict = await server.app.authenticate(good.hs({ ...claims, ...more }));
    assert.deepEqual(verdict.ok && verdict.identity.roles, roles, JSON.stringify(more));
  }
});

test('JW-14: a claim that every object inherits is nobody’s', async () => {
  const inherited = JSON.stringify(claims).replace(
    '{',
    '{"__proto__":{"app_metadata":{"wsbench":{"roles":["agent"]}}},',
  );
  const verdict = await server.app.authenticate(good.hs(inherited));
  assert.deepEqual(verdict.ok && verdict.identity.roles, ['dashboard']);
  assert.equal(({} as Record<string, unknown>).app_metadata, undefined);
});

test('JW-15, JW-16: bombs and giants cost no time', { timeout }, async () => {
  for (const [id, mostMs] of [
    ['JW-15', 5],
    ['JW-16', 1],
  ] as const) {
    const attacks = all.find((one) => one.id === id)?.attacks ?? [];
    const times: number[] = [];
    for (const attack of [...attacks, ...attacks]) {
      const startMs = performance.now();
      await server.app.authenticate(attack);
      times.push(performance.now() - startMs);
    }
    // The median: other processes share this machine.
    const median = times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
    assert.ok(median < mostMs, `${id}: ${median} ms`);
  }
});

test('an API key gets told what it is', async () => {
  for (const key of ['sb_publishable_0123456789', 'sb_secret_0123456789abcdef']) {
    const refused = await Client.open(`${server.url}/ws`, key).catch((error: unknown) => error);
    assert.ok(refused instanceof Refused && refused.status === 401);
    assert.match(refused.body, /API key, not a token/);
    const client = await Client.open(`${server.url}/ws`);
    assert.match((await client.error('AUTH', { token: key })).message, /API key, not a token/);
    await client.closed;
  }
});
