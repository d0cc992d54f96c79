// Attacks on the limits of one server: its budgets are exact, count everything, and cannot be had twice.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { configFromEnv, type ReferenceServer, type ServerOptions } from '../../reference-server/index.ts';
import { TokenBucket } from '../../reference-server/limits/bucket.ts';
import { type LimitsName, limitsPresets } from '../../reference-server/limits/presets.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from '../reference-server/client.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { listening } from '../reference-server/servers.ts';

const timeout = 30_000;
const secret = 'long enough for HS256: it has more than 32 bytes';

/** A server whose time for limits stands still until it is told to move, and whose wall clock is the true one, or `skewMs` off. */
async function still(
  t: TestContext,
  limits: LimitsName,
  options: ServerOptions = {},
): Promise<{ server: ReferenceServer; clock: FakeClock; wall: { skewMs: number } }> {
  const wall = { skewMs: 0 };
  const clock = Object.assign(new FakeClock(), { epochMs: () => Date.now() + wall.skewMs });
  const environment = limits === 'off' ? 'test' : limits;
  const server = await listening(t, {
    limits,
    environment,
    secret,
    heartbeat: noHeartbeat,
    clock,
    ...options,
  });
  return { server, clock, wall };
}

async function open(server: ReferenceServer, sub = 'alice'): Promise<Client> {
  const client = await Client.open(`${server.url}/ws`, await server.mint({ sub }));
  await client.next('WELCOME');
  return client;
}

/** Sends so many messages at once; how many were answered with what was asked for. */
async function accepted(client: Client, count: number): Promise<number> {
  for (let n = 0; n < count; n++) client.send({ type: 'PING', id: `p${n}` });
  // Who is refused too often is sent away.
  await Promise.race([client.settle(), client.closed]);
  const pongs = client.inbox.filter(({ type }) => type === 'PONG').length;
  client.inbox.length = 0;
  return pongs;
}

test('RL-01 the budget of production: ten at once, one each 600 ms, and not one more', {
  timeout,
}, async (t) => {
  const { server, clock } = await still(t, 'production');
  const client = await open(server);
  for (let n = 0; n < 10; n++) assert.equal((await client.request('PING')).type, 'PONG', `${n}`);
  for (let n = 0; n < 20; n++) {
    clock.advance(600);
    assert.equal((await client.request('PING')).type, 'PONG', `${n}`);
  }
  clock.advance(599);
  const refused = await client.error('PING');
  assert.deepEqual([refused.code, refused.retryAfterMs], ['RATE_LIMITED', 60_000]);
  const burst = await open(server, 'bob');
  assert.equal(await accepted(burst, 11), 10);
});

test('RL-02 the limits are those of the configuration, whatever the client says', { timeout }, async (t) => {
  for (const [name, burst] of [
    ['development', 50],
    ['test', 20],
    ['production', 10],
  ] as const) {
    const { server } = await still(t, name);
    const url = `${server.url}/ws?limits=off&NODE_ENV=test`;
    const token = await server.mint();
    const headers = { 'x-limits': 'off', 'x-node-env': 'test' };
    const client = await Client.open(url, token, { headers });
    assert.equal((await client.next('WELCOME')).payload.limits.name, name);
    assert.equal(await accepted(client, burst + 5), burst, name);
  }
  for (const NODE_ENV of ['staging', 'PRODUCTION', 'off', 'prod']) {
    assert.equal(configFromEnv({ NODE_ENV, JWT_SECRET: secret }).limits, 'production', NODE_ENV);
  }
});

test('RL-03 a penalty is as long as was said, however many messages come meanwhile', {
  timeout,
}, async (t) => {
  for (const [name, penaltyMs] of [
    ['production', 60_000],
    ['development', 5000],
  ] as const) {
    const { server, clock } = await still(t, name);
    const client = await open(server);
    const { burstLimit = 0 } = limitsPresets[name].messages ?? {};
    assert.equal(await accepted(client, burstLimit + 1), burstLimit);
    for (let atMs = 1000; atMs < penaltyMs; atMs += 1000) {
      clock.advance(1000);
      const { code, retryAfterMs } = await client.error('PING');
      assert.deepEqual([code, retryAfterMs], ['RATE_LIMITED', penaltyMs - atMs]);
    }
    clock.advance(999);
    assert.equal(await accepted(client, 1), 0, 'a millisecond too early');
    clock.advance(1);
    assert.equal((await client.request('PING')).type, 'PONG');
  }
});

test('RL-04 there is no edge of a window at which the budget can be had twice', { timeout }, async (t) => {
  const { server, clock } = await still(t, 'production');
  const client = await open(server);
  clock.advance(59_900);
  const before = await accepted(client, 10);
  clock.advance(200);
  assert.deepEqual([before, await accepted(client, 10)], [10, 0]);
  const { messages } = limitsPresets.production;
  assert.ok(messages);
  const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(1000), fc.nat(70_000)), { maxLength: 200 });
  fc.assert(
    fc.property(gaps, (all) => {
      const bucket = new TokenBucket(messages, 0);
      const times: number[] = [];
      let nowMs = 0;
      for (const gap of all) {
        nowMs += gap;
        if (bucket.take(nowMs).accepted) times.push(nowMs);
      }
      for (const [from, startMs] of times.entries()) {
        for (const [index, endMs] of times.slice(from).entries()) {
          assert.ok(index + 1 <= 10 + ((endMs - startMs) * 100) / 60_000 + 1e-6);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('RL-05 a burst after each reconnect: the bucket waits for whoever comes back', {
  timeout,
}, async (t) => {
  const { server, clock } = await still(t, 'production', { trustedProxies: ['127.0.0.1'] });
  const total = { named: 0, honest: 0 };
  for (let n = 0; n < 15; n++) {
    // From another address each time, so that only the subject is the same.
    const headers = { 'x-forwarded-for': `192.0.2.${n}` };
    const client = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'mallory' }), { headers });
    total.named += await accepted(client, 20);
    await client.close();
    clock.advance(600);
  }
  assert.equal(total.named, 10);
  const honest = await open(server, 'alice');
  assert.equal(await accepted(honest, 10), 10);
});

test('RL-05 without limits: every reconnect brings another burst', { timeout }, async (t) => {
  const { server } = await still(t, 'off');
  let total = 0;
  for (let n = 0; n < 3; n++) {
    const client = await open(server);
    total += await accepted(client, 20);
    await client.close();
  }
  assert.equal(total, 60);
});

test('RL-06 a hundred connections of one user, from a hundred addresses: twenty', { timeout }, async (t) => {
  const { server } = await still(t, 'production', { trustedProxies: ['127.0.0.1'] });
  const token = await server.mint({ sub: 'mallory' });
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, n) => {
      const headers = { 'x-forwarded-for': `192.0.2.${n}` };
      return Client.open(`${server.url}/ws`, token, { headers }).catch((error: unknown) => error);
    }),
  );
  const refused = outcomes.filter((each): each is Refused => each instanceof Refused);
  assert.equal(refused.length, 80);
  for (const { status, body, headers } of refused) {
    assert.deepEqual([status, headers['retry-after']], [429, '1']);
    assert.match(body, /LIMIT_EXCEEDED/);
  }
  // Nor by AUTH, after coming in as nobody.
  const nobody = await Client.open(`${server.url}/ws`);
  assert.equal((await nobody.error('AUTH', { token })).code, 'LIMIT_EXCEEDED');
  assert.equal((await nobody.closed).code, 1013);
  const honest = await open(server, 'alice');
  assert.equal(await accepted(honest, 10), 10);
});

test('RL-13 the wall clock goes back and forth by an hour: budgets go by another clock', {
  timeout,
}, async (t) => {
  const { server, clock, wall } = await still(t, 'production');
  const client = await open(server);
  assert.equal(await accepted(client, 10), 10);
  const counts: number[] = [];
  for (const skewMs of [-3_600_000, 3_600_000, 0]) {
    wall.skewMs = skewMs;
    clock.advance(600);
    counts.push(await accepted(client, 1));
  }
  // A token every 600 ms, none lost and none won. An hour ahead, its token has ended: the connection goes.
  assert.equal(counts[0], 1);
  const honest = await open(server, 'bob');
  assert.equal(await accepted(honest, 12), 10);
});

test('RL-14 whatever is sent counts: answers, garbage, nothing at all', { timeout }, async (t) => {
  const kinds: [name: string, text: string][] = [
    ['PING', '{"type":"PING"}'],
    ['PONG that nobody asked for', '{"type":"PONG","id":"x"}'],
    ['ACK', '{"type":"ACK","payload":{"for":"PING"}}'],
    ['invalid JSON', '{'],
    ['unknown type', '{"type":"NOPE"}'],
    ['empty', ''],
    ['no object', '[]'],
    ['too deep', '['.repeat(100)],
    ['AUTH', '{"type":"AUTH","payload":{}}'],
  ];
  const { server } = await still(t, 'production');
  for (const [name, text] of kinds) {
    const client = await open(server, name);
    // Five texts in a row that are no JSON would end the connection.
    for (let n = 0; n < 10; n++) client.send(n % 4 === 3 ? '{"type":"NOPE"}' : text);
    await client.settle();
    client.inbox.length = 0;
    assert.equal(await accepted(client, 1), 0, `${name} was free`);
    client.socket.terminate();
  }
  // A binary message ends the connection, and what is left of its budget waits.
  const client = await open(server, 'binary');
  assert.equal(await accepted(client, 9), 9);
  client.socket.send(Buffer.from('x'));
  assert.equal((await client.closed).code, 1003);
  const again = await open(server, 'binary');
  assert.equal(await accepted(again, 3), 1);
});
