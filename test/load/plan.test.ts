// The record of a plan: equal for equal loads, and without secrets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRecord } from '../../lib/load/index.ts';
import { parseThreshold } from '../../lib/result/thresholds.ts';
import { targetSchema } from '../../lib/target/target.ts';
import { echoTarget, stressPlan } from '../fixtures/stress-plan.ts';

const url = 'wss://user:pass@host.example/ws?token=hush&room=1';

test('secrets are masked', () => {
  const { options } = planRecord(
    stressPlan(url, {
      tokens: ['hush-token'],
      headers: [
        ['Authorization', 'Bearer hush-header'],
        ['X-Trace', '7'],
      ],
      message: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln',
      caCertificates: '-----BEGIN CERTIFICATE-----',
      reproduce: 'wsbench --token hush-token',
    }),
  );
  const text = JSON.stringify(options);
  for (const secret of ['hush', 'user:pass', 'eyJ']) assert.ok(!text.includes(secret), secret);
  assert.equal(options.tokens, 1);
  assert.deepEqual(options.headers, [
    ['Authorization', '[redacted]'],
    ['X-Trace', '7'],
  ]);
  assert.match(String(options.url), /room=1/);
});

test('what a target’s description holds is masked, and how to mint is no part of the plan', () => {
  const target = targetSchema.parse({
    name: 'secretive',
    vars: { password: 'hush-1', room: 'lobby' },
    connect: {
      headers: { 'X-Session': 'hush-2', 'X-Trace': '7' },
      query: { sid: 'hush-3', room: 'lobby' },
    },
    auth: { in: 'query', name: 'k', value: 'v {{ token }}' },
    request: { id: '{{ id }}', apiKey: 'hush-4' },
    match: { by: 'order' },
  });
  const tokenPlace = { in: 'query' as const, name: 'k', value: 'v {{ token }}' };
  const plan = stressPlan(url, { target, tokenPlace, tokens: ['hush-5'], mint: async () => 'hush-6' });
  const { options } = planRecord(plan);
  const text = JSON.stringify(options);
  assert.doesNotMatch(text, /hush/);
  assert.ok(!('mint' in options));
  assert.deepEqual(options.tokenPlace, tokenPlace);
  const described = options.target as typeof target;
  assert.equal(described.vars.room, 'lobby');
  assert.deepEqual(described.connect.headers, { 'X-Session': '[redacted]', 'X-Trace': '7' });
  assert.deepEqual(described.connect.query, { sid: '[redacted]', room: 'lobby' });
});

const same: [string, Parameters<typeof stressPlan>[1]][] = [
  ['other tokens', { tokens: ['b'] }],
  ['other thresholds', { tokens: ['a'], thresholds: ['rtt.p99<1s'] }],
  ['another command', { tokens: ['a'], reproduce: 'x' }],
  ['another version', { tokens: ['a'], version: '9' }],
  ['tokens that are minted', { tokens: ['a'], mint: async () => 'b' }],
  ['another seed', { tokens: ['a'], seed: 2 }],
];
for (const [name, changes] of same) {
  test(`${name}: the same hash`, () => {
    assert.equal(
      planRecord(stressPlan(url, changes)).hash,
      planRecord(stressPlan(url, { tokens: ['a'] })).hash,
    );
  });
}

const different: [string, Parameters<typeof stressPlan>[1]][] = [
  ['another rate', { ratePerSecond: 201 }],
  ['another target', { url: 'wss://other.example/ws' }],
  ['an embedded target', { embedded: true }],
  ['another message', { message: 'a' }],
  ['other bytes', { message: Uint8Array.from([1]) }],
  ['another place for tokens', { tokenPlace: { in: 'query', name: 'a' } }],
  ['another way of matching', { target: { ...echoTarget, match: { by: 'pong' } } }],
  ['a token', { tokens: ['a'] }],
  ['a header', { headers: [['X-Trace', '7']] }],
];
for (const [name, changes] of different) {
  test(`${name}: another hash`, () => {
    const { hash } = planRecord(stressPlan(url, changes));
    assert.match(hash, /^[\da-f]{64}$/);
    assert.notEqual(hash, planRecord(stressPlan(url)).hash);
  });
}

test('an embedded server is the same target on any port', () => {
  const [a, b] = [1, 2].map((port) =>
    planRecord(stressPlan(`ws://127.0.0.1:${port}/ws`, { embedded: true, seed: port })),
  );
  assert.equal(a?.hash, b?.hash);
  assert.notEqual(a?.options.url, b?.options.url);
  assert.notEqual(a?.options.seed, b?.options.seed);
});

test('the order of keys does not matter', () => {
  const plan = stressPlan(url);
  const turned = Object.fromEntries(Object.entries(plan).reverse()) as unknown as typeof plan;
  assert.equal(planRecord(turned).hash, planRecord(plan).hash);
  assert.equal(
    planRecord({ ...plan, thresholds: [parseThreshold('errors==0')] }).hash,
    planRecord(plan).hash,
  );
});
