// Attacks on the limits per IP: whose request it is, how many there may be, and what remembering them costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { TokenBucket } from '../../reference-server/limits/bucket.ts';
import { clientAddress, trustedProxiesOf } from '../../reference-server/limits/client-address.ts';
import { ipKey } from '../../reference-server/limits/ip-key.ts';
import { MemoryLimits } from '../../reference-server/limits/memory.ts';
import { limitsPresets } from '../../reference-server/limits/presets.ts';
import { Client } from '../reference-server/client.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { listening } from '../reference-server/servers.ts';
import { upgrade } from '../reference-server/upgrade.ts';
import { isLong } from '../require.ts';

const timeout = 60_000;
const secret = 'long enough for HS256: it has more than 32 bytes';
const production = { environment: 'production', limits: 'production', secret } as const;

const proxies = trustedProxiesOf(['10.0.0.0/8', '2001:db8:ffff::/48', '127.0.0.1']);

// biome-ignore format: a table
const addresses: [name: string, peer: string, forwarded: string | string[] | undefined, is: string][] = [
  ['no header',                            '10.0.0.1',         undefined,                          '10.0.0.1'],
  ['an empty header',                      '10.0.0.1',         '',                                 '10.0.0.1'],
  ['a peer that is no proxy of ours',      '198.51.100.9',     '192.0.2.1',                        '198.51.100.9'],
  ['one hop',                              '10.0.0.1',         '192.0.2.1',                        '192.0.2.1'],
  ['what the client says of itself',       '10.0.0.1',         '203.0.113.5, 192.0.2.1',           '192.0.2.1'],
  ['a client that names a proxy of ours',  '10.0.0.1',         '10.0.0.7, 192.0.2.1',              '192.0.2.1'],
  ['two proxies of ours',                  '10.0.0.1',         '203.0.113.5, 192.0.2.1, 10.2.3.4', '192.0.2.1'],
  ['nobody but proxies of ours',           '10.0.0.1',         '10.0.0.3, 10.0.0.2',               '10.0.0.3'],
  ['two headers',                          '10.0.0.1',         ['203.0.113.5', '192.0.2.1'],       '192.0.2.1'],
  ['IPv6',                                 '10.0.0.1',         '2001:db8::5',                      '2001:db8::5'],
  ['IPv6 in brackets, with a port',        '10.0.0.1',         '[2001:db8::5]:443',                '2001:db8::5'],
  ['IPv4 with a port',                     '10.0.0.1',         '192.0.2.1:61234',                  '192.0.2.1'],
  ['IPv4 in IPv6',                         '10.0.0.1',         '::ffff:192.0.2.1',                 '192.0.2.1'],
  ['the same in hexadecimal',              '10.0.0.1',         '::ffff:c000:201',                  '192.0.2.1'],
  ['a proxy by IPv4 in IPv6',              '::ffff:10.0.0.1',  '192.0.2.1',                        '192.0.2.1'],
  ['a proxy by IPv6',                      '2001:db8:ffff::1', '192.0.2.1',                        '192.0.2.1'],
  ['"unknown"',                            '10.0.0.1',         'unknown',                          '10.0.0.1'],
  ['"unknown" behind a proxy of ours',     '10.0.0.1',         '192.0.2.1, unknown, 10.0.0.2',     '10.0.0.2'],
  ['an obfuscated name',                   '10.0.0.1',         '_secret',                          '10.0.0.1'],
  ['garbage',                              '10.0.0.1',         '192.0.2.1, ,,%00, 1.2.3',          '10.0.0.1'],
  ['an octal address',                     '10.0.0.1',         '0300.0.2.1',                       '10.0.0.1'],
];

for (const [name, peer, forwarded, is] of addresses) {
  test(`RL-07 whose request it is: ${name}`, () => {
    assert.equal(clientAddress(peer, forwarded, proxies), is);
  });
}

test('RL-07 proxies that cannot be meant are refused at the start', () => {
  for (const name of [
    '0.0.0.0/0',
    '::/0',
    'proxy.internal',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    '',
  ]) {
    assert.throws(() => trustedProxiesOf([name]), { code: 'CONFIG' }, name);
  }
});

/** How many status requests the limits of tests allow in the time since then. */
function allowedSince(startedMs: number): number {
  return Math.ceil(5 + ((performance.now() - startedMs) * 5) / 1000);
}

async function status(server: ReferenceServer, headers: Record<string, string>): Promise<number> {
  const answer = await fetch(`${server.httpUrl}/api/status`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

test('RL-07 headers that name another address each time are not looked at', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'test' });
  const statuses: number[] = [];
  const startedMs = performance.now();
  for (let n = 0; n < 40; n++) {
    statuses.push(
      await status(server, {
        'x-forwarded-for': `192.0.2.${n}`,
        forwarded: `for=192.0.2.${n}`,
        'x-real-ip': `192.0.2.${n}`,
        'cf-connecting-ip': `192.0.2.${n}`,
        'true-client-ip': `192.0.2.${n}`,
      }),
    );
  }
  assert.ok(statuses.filter((each) => each === 200).length <= allowedSince(startedMs), statuses.join());
  assert.ok(statuses.includes(429));
  // Behind a trusted proxy they are, but not what the client adds in front.
  const behind = await listening(t, { limits: 'test', trustedProxies: ['127.0.0.1'] });
  const spoofed: number[] = [];
  const againMs = performance.now();
  for (let n = 0; n < 40; n++) {
    spoofed.push(await status(behind, { 'x-forwarded-for': `203.0.113.${n}, 192.0.2.1` }));
  }
  assert.ok(spoofed.filter((each) => each === 200).length <= allowedSince(againMs), spoofed.join());
  assert.ok(spoofed.includes(429));
  assert.equal(await status(behind, { 'x-forwarded-for': '192.0.2.2' }), 200, 'an honest neighbour');
});

test('RL-08 ten thousand addresses of one /64 are one', { timeout }, async (t) => {
  const limits = new MemoryLimits(limitsPresets.production, new FakeClock());
  let passed = 0;
  for (let n = 0; n < 10_000; n++) {
    const address = `2001:db8:1:2:${(n * 7919).toString(16).slice(-4)}:${n.toString(16)}::1`;
    if (limits.pass('upgrades', ipKey(address)) === 0) passed += 1;
  }
  assert.equal(passed, 20);
  const server = await listening(t, { limits: 'test', trustedProxies: ['127.0.0.1'] });
  let served = 0;
  const startedMs = performance.now();
  for (let n = 0; n < 60; n++) {
    if ((await status(server, { 'x-forwarded-for': `2001:db8:1:2::${n.toString(16)}` })) === 200) served += 1;
  }
  assert.ok(served >= 5 && served <= allowedSince(startedMs), `${served}`);
  assert.equal(await status(server, { 'x-forwarded-for': '2001:db8:1:3::1' }), 200, 'an honest neighbour');
});

test('RL-09 a thousand upgrades of one address: 429 before any token is looked at', {
  timeout,
}, async (t) => {
  const server = await listening(t, { ...production, trustedProxies: ['127.0.0.1'] });
  const mallory = ['Authorization', 'Bearer garbage', 'X-Forwarded-For', '192.0.2.66'];
  const counts = new Map<number, number>();
  const startedMs = performance.now();
  for (let n = 0; n < 1000; n += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => upgrade(server, '/ws', mallory)));
    for (const { status, text } of answers) {
      counts.set(status, (counts.get(status) ?? 0) + 1);
      if (status !== 429) continue;
      assert.match(text, /"retry-after":"\d+"/);
      assert.match(text, /"connection":"close"/);
      assert.match(text, /"error":"RATE_LIMITED"/);
    }
  }
  const seconds = (performance.now() - startedMs) / 1000;
  t.diagnostic(`${JSON.stringify([...counts])} in ${seconds.toFixed(1)} s`);
  assert.deepEqual([...counts.keys()].sort(), [401, 429]);
  assert.ok((counts.get(401) ?? 0) <= 20 + Math.ceil(seconds), 'a token was looked at for each');
  const honest = await Client.open(`${server.url}/ws`, await server.mint());
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('RL-09 without limits: a token is looked at every time', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'off' });
  for (let n = 0; n < 60; n++) {
    assert.equal((await upgrade(server, '/ws', ['Authorization', 'Bearer garbage'])).status, 401);
  }
});

test('RL-10 a million keys (in the long tests; a fifth in the others): bounded memory, and nobody is forgotten who has to wait', {
  timeout,
}, (t) => {
  const clock = new FakeClock();
  const limits = new MemoryLimits(limitsPresets.production, clock);
  const { messages } = limitsPresets.production;
  assert.ok(messages);
  const used = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  while (limits.pass('upgrades', 'victim') === 0);
  const penalised = (key: string): void => {
    const bucket = new TokenBucket(messages, clock.nowMs());
    while (bucket.take(clock.nowMs()).accepted);
    limits.enter(key, false);
    limits.leave(key, bucket);
  };
  penalised('victim');
  const before = used();
  const keys = isLong ? 1_000_000 : 200_000;
  const users = isLong ? keys : 50_000;
  for (let n = 0; n < keys; n++) limits.pass('upgrades', `203.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  for (let n = 0; n < users; n++) penalised(`sub user-${n}`);
  const grownMiB = (used() - before) / 1024 ** 2;
  t.diagnostic(`${keys} addresses and ${users} users: ${grownMiB.toFixed(1)} MiB, what is garbage included`);
  assert.ok(grownMiB <= 64, `${grownMiB} MiB`);
  assert.ok(limits.pass('upgrades', 'victim') > 0, 'the address was forgotten');
  for (const key of ['victim', 'sub user-0', 'sub user-1000', `sub user-${users - 1}`]) {
    const entered = limits.enter(key, true);
    assert.ok(entered.ok && entered.bucket);
    const decision = entered.bucket.take(clock.nowMs());
    assert.ok(!decision.accepted && decision.retryAfterMs === 60_000, key);
  }
  // When all have served their time, everybody is as new.
  clock.advance(60_000);
  const entered = limits.enter('sub user-0', true);
  assert.ok(entered.ok && entered.bucket?.take(clock.nowMs()).accepted);
  assert.equal(limits.pass('upgrades', 'victim'), 0);
});
