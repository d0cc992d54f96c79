// Key sets by URL: rotation, outage, floods. Time is told by hand, except where a fetch must end in time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FetchOutcome, KeySet, keyIdOf, publicKeysOf } from '../../lib/token/key-set.ts';
import { generateSigningKey } from '../../lib/token.ts';
import { keyServer, type Mode, outages } from '../fixtures/key-server.ts';

const timeout = 30_000;
const [one, two] = await Promise.all([generateSigningKey(), generateSigningKey()]);
const kid1 = String(one.jwk.kid);
const kid2 = String(two.jwk.kid);
const sets = {
  first: one.jwks,
  both: { keys: [...one.jwks.keys, ...two.jwks.keys] },
  second: two.jwks,
};

const kidsOf = (found: Awaited<ReturnType<KeySet['keysFor']>>): unknown =>
  found.ok ? found.keys.map(({ kid }) => kid) : found;

test('keys are fetched once, and anew when they are too old', { timeout }, async (t) => {
  const server = await keyServer(t, sets.first);
  let nowMs = 0;
  const set = new KeySet(server.url, { nowMs: () => nowMs });
  await Promise.all(Array.from({ length: 50 }, () => set.keysFor(kid1)));
  assert.equal(server.hits, 1);
  nowMs = 599_999;
  await set.keysFor(kid1);
  assert.equal(server.hits, 1);
  nowMs = 600_000;
  await set.keysFor(kid1);
  assert.equal(server.hits, 2);
});

test('a new key is found once the cool-down is over; an old one goes with the next fetch', {
  timeout,
}, async (t) => {
  const server = await keyServer(t, sets.first);
  const [id1 = '', id2 = ''] = publicKeysOf(sets.both).map(keyIdOf);
  let nowMs = 0;
  const set = new KeySet(server.url, { nowMs: () => nowMs });
  const published = (): boolean[] => [set.publishes(id1), set.publishes(id2)];
  assert.deepEqual(published(), [false, false]);
  await set.keysFor(kid1);
  assert.deepEqual(published(), [true, false]);
  server.set = sets.both;
  nowMs = 3999;
  assert.deepEqual(kidsOf(await set.keysFor(kid2)), [kid1]);
  nowMs = 4000;
  assert.deepEqual(kidsOf(await set.keysFor(kid2)), [kid1, kid2]);
  assert.deepEqual(published(), [true, true]);
  server.set = sets.second;
  nowMs += 600_000;
  assert.deepEqual(kidsOf(await set.keysFor(kid1)), [kid2]);
  assert.deepEqual(published(), [false, true]);
});

test('another key under the same name is another', { timeout }, async (t) => {
  const server = await keyServer(t, sets.first);
  const [id1 = ''] = publicKeysOf(sets.first).map(keyIdOf);
  let nowMs = 0;
  const set = new KeySet(server.url, { nowMs: () => nowMs });
  await set.keysFor(kid1);
  server.set = { keys: [{ ...two.jwks.keys[0], kid: kid1 }] };
  nowMs = 600_000;
  await set.keysFor(kid1);
  assert.equal(set.publishes(id1), false);
});

test('a flood of unknown keys makes one fetch per cool-down', { timeout }, async (t) => {
  const server = await keyServer(t, sets.first);
  let nowMs = 0;
  const set = new KeySet(server.url, { nowMs: () => nowMs });
  for (let round = 0; round < 5; round++) {
    for (let n = 0; n < 2000; n++) assert.equal((await set.keysFor(`${round} ${n}`)).ok, true);
    assert.equal(server.hits, round + 1);
    nowMs += 4000;
  }
});

for (const mode of outages) {
  test(`outage, ${mode}: known keys go on, others cannot be told, and all is well afterwards`, {
    timeout,
  }, async (t) => {
    const server = await keyServer(t, sets.first);
    const outcomes: FetchOutcome[] = [];
    let skippedMs = 0;
    const nowMs = (): number => performance.now() + skippedMs;
    const set = new KeySet(server.url, { nowMs, onFetch: (outcome) => outcomes.push(outcome) });
    await set.keysFor(kid1);
    server.mode = mode satisfies Mode;
    server.set = sets.both;
    // A year of it.
    skippedMs += 365 * 86_400_000;
    let startMs = performance.now();
    assert.deepEqual(kidsOf(await set.keysFor(kid1)), [kid1]);
    assert.ok(performance.now() - startMs < 2000, 'the first one waits for the fetch');
    assert.equal(outcomes.at(-1)?.ok, false);
    skippedMs += 4000;
    startMs = performance.now();
    const unknown = await set.keysFor(kid2);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 2000, `${tookMs} ms`);
    assert.ok(!unknown.ok && unknown.retryAfterMs <= 4000, JSON.stringify(unknown));
    // In the cool-down the answer comes at once, and nobody is asked.
    const { hits } = server;
    startMs = performance.now();
    for (let n = 0; n < 500; n++) assert.equal((await set.keysFor(`unknown ${n}`)).ok, false);
    assert.equal(server.hits, hits);
    // While a fetch hangs, those whose key is known do not wait for it.
    skippedMs += 4000;
    startMs = performance.now();
    assert.deepEqual(kidsOf(await set.keysFor(kid1)), [kid1]);
    assert.ok(performance.now() - startMs < 500);
    await set.refresh();
    assert.equal(server.elsewhere.hits, 0);
    server.mode = 'ok';
    skippedMs += 4000;
    assert.deepEqual(kidsOf(await set.keysFor(kid2)), [kid1, kid2]);
    t.diagnostic(`${mode}: ${JSON.stringify(outcomes[1])}, unknown key answered in ${Math.round(tookMs)} ms`);
  });
}

test('nothing was ever fetched: nobody is let in, and it is tried again', { timeout }, async (t) => {
  const server = await keyServer(t, sets.first);
  server.mode = '500';
  let nowMs = 0;
  const set = new KeySet(server.url, { nowMs: () => nowMs });
  for (const kid of [kid1, undefined])
    assert.deepEqual(await set.keysFor(kid), { ok: false, retryAfterMs: 4000 });
  assert.equal(server.hits, 1);
  server.mode = 'ok';
  nowMs = 4000;
  assert.deepEqual(kidsOf(await set.keysFor(kid1)), [kid1]);
});

test('what is no public key is left out of a set', () => {
  const [key] = one.jwks.keys;
  const set = {
    keys: [key, null, 'x', {}, { kty: 'oct', k: 'AAAA' }, one.jwk, { kty: 'EC', kid: 7 }, { kty: 'AKP' }],
  };
  assert.deepEqual(publicKeysOf(set), [key]);
  assert.throws(() => publicKeysOf({ keys: Array.from({ length: 257 }, () => key) }), { code: 'CONFIG' });
  for (const none of [null, 1, 'x', [], {}, { keys: null }])
    assert.throws(() => publicKeysOf(none), { code: 'CONFIG' });
});
