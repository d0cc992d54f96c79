// What only a target shows of several workers: tokens that take turns, messages that go astray, and twice the load.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { targetSchema } from '../../lib/target/target.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

const renewable = targetSchema.parse({
  name: 'renewable',
  auth: {
    in: 'query',
    refresh: {
      when: { equals: 'renew!' },
      send: { fresh: '{{ token }}' },
      expect: { pointer: '/renewed', equals: true },
    },
  },
  request: { id: '{{ id }}', as: '{{ token }}', from: '{{ connection }}' },
  match: { by: 'id', pointer: '/id' },
});

/** A target that asks each connection for a fresh token once, and echoes ids. */
async function startRenewable(t: Parameters<typeof startTalkServer>[0]) {
  const seen = { fresh: [] as string[], ids: new Set<string>(), from: new Set<unknown>(), repeated: 0 };
  const url = await startTalkServer(t, (socket, _request, onText) => {
    setTimeout(() => socket.send('renew!'), 300);
    onText((text) => {
      const { id, fresh, from } = JSON.parse(text) as { id: string; fresh?: string; from?: unknown };
      if (fresh !== undefined) {
        seen.fresh.push(fresh);
        socket.send('{"renewed":true}');
        return;
      }
      if (seen.ids.has(id)) seen.repeated++;
      seen.ids.add(id);
      seen.from.add(from);
      socket.send(JSON.stringify({ id }));
    });
  });
  return { seen, url };
}

const short = { workers: 2, targetKnown: true, ratePerSecond: 90, durationMs: 1500, warmupMs: 0 };
const inQuery = { target: renewable, tokenPlace: { in: 'query' as const } };

test('fresh tokens take turns over all workers; ids and connection numbers are those of the run', {
  timeout: 60_000,
}, async (t) => {
  const { seen, url } = await startRenewable(t);
  const tokens = ['t-1', 't-2', 't-3', 't-4', 't-5', 't-6'];
  const result = await stress(stressPlan(url, { ...short, ...inQuery, connections: 3, tokens }));
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  assert.equal(result.counters['messages.matched'], 135);
  assert.deepEqual(seen.fresh.sort(), ['t-4', 't-5', 't-6']);
  assert.equal(seen.repeated, 0, 'no id was used twice');
  assert.deepEqual([...seen.from].sort(), [0, 1, 2]);
  assert.ok(!result.warnings.some(({ code }) => code === 'token-refresh'));
});

test('fresh tokens are minted in the main thread, and a mint that fails is told to the worker', {
  timeout: 60_000,
}, async (t) => {
  const { seen, url } = await startRenewable(t);
  const changes = { ...short, ...inQuery, connections: 4, tokens: ['a', 'b', 'c', 'd'] };
  const mint = async (like: string): Promise<string> => {
    if (like === 'd') throw new Error('no key for d');
    return `${like}-minted`;
  };
  const result = await stress(stressPlan(url, { ...changes, mint }));
  assert.deepEqual(seen.fresh.sort(), ['a-minted', 'b-minted', 'c-minted']);
  const [warning] = result.warnings.filter(({ code }) => code === 'token-refresh');
  assert.equal(warning?.message, '1 of 4 token refreshes failed; the first: no fresh token: no key for d');
});

test('messages of other workers are crossed, as those of other connections are', {
  timeout: 60_000,
}, async (t) => {
  const server = await startLoadServer(t, { mode: 'broadcast' });
  for (const workers of [1, 2]) {
    const plan = stressPlan(server.url, { workers, connections: 4, ratePerSecond: 100, targetKnown: true });
    const { counters, warnings, openAtEnd } = await stress(plan);
    assert.deepEqual(brokenIdentities(counters, openAtEnd), []);
    assert.equal(counters['messages.matched'], 100);
    assert.equal(counters['messages.corrupt'], 0);
    // Each goes to three others; a few are still on their way when the last is answered.
    const { 'messages.unexpected': unexpected } = counters;
    assert.ok(unexpected >= 280 && unexpected <= 315, `${unexpected} with ${workers} workers`);
    assert.ok(warnings.some(({ code }) => code === 'crossed'));
  }
});

// biome-ignore format: a table
const loads: [string, Parameters<typeof stressPlan>[1]][] = [
  ['stages', { durationMs: 900, stages: [{ durationMs: 300, connections: 8, ratePerSecond: 400 }, { durationMs: 300 }, { durationMs: 300, connections: 4, ratePerSecond: 100 }] }],
  ['a number of messages', { messages: 77 }],
  ['connections that are replaced', { churnPerSecond: 10 }],
  ['slow consumers', { slowConsumers: 0.25, connections: 8 }],
  ['a busy loop for due times', { spin: true, durationMs: 500 }],
  ['compression', { compress: true }],
];
for (const [name, changes] of loads) {
  test(`${name}: the same counts with one, two and three workers`, { timeout: 60_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const { counters: wanted } = await stress(stressPlan(server.url, changes));
    assert.ok(wanted['messages.matched'] > 50);
    for (const workers of [2, 3]) {
      const { counters, openAtEnd } = await stress(stressPlan(server.url, { ...changes, workers }));
      assert.deepEqual(brokenIdentities(counters, openAtEnd), []);
      for (const metric of ['scheduled', 'matched', 'unsent', 'lost', 'corrupt', 'unexpected'] as const) {
        assert.equal(counters[`messages.${metric}`], wanted[`messages.${metric}`], `${metric}, ${workers}`);
      }
      assert.equal(counters['connections.abnormal'], 0);
      // One that is due at the very end may or may not be begun.
      const attempted = counters['connections.attempted'] - wanted['connections.attempted'];
      assert.ok(Math.abs(attempted) <= 1, `${attempted} attempts more with ${workers}`);
    }
  });
}

test('a target that takes 10 ms: two workers carry twice the connections and rate at equal percentiles', {
  timeout: 120_000,
}, async (t) => {
  const server = await startLoadServer(t, { mode: 'late', n: 1, delayMs: 10 });
  const run = (workers: number): Promise<StressResult> =>
    stress(
      stressPlan(server.url, {
        workers,
        connections: 50 * workers,
        ratePerSecond: 500 * workers,
        durationMs: 2000,
        warmupMs: 500,
      }),
    );
  // A machine that is busy with other things says nothing of either.
  for (let tries = 0; tries < 5; tries++) {
    const [one, two] = [await run(1), await run(2)];
    for (const [result, workers] of [[one, 1] as const, [two, 2] as const]) {
      assert.equal(result.counters['messages.matched'], 1000 * workers);
      assert.equal(result.counters['connections.opened'], 50 * workers);
      assert.ok((result.metrics.rtt.p50 ?? 0) >= 9, `p50 ${result.metrics.rtt.p50}`);
    }
    if (one.generator.limited || two.generator.limited) continue;
    const [a, b] = [one.metrics.rtt, two.metrics.rtt];
    assert.ok(Math.abs((a.p50 ?? 0) - (b.p50 ?? 0)) < 3, `p50 ${a.p50} and ${b.p50} ms`);
    assert.ok(Math.abs((a.p90 ?? 0) - (b.p90 ?? 0)) < 6, `p90 ${a.p90} and ${b.p90} ms`);
    t.diagnostic(`p50 ${a.p50} and ${b.p50} ms, p99 ${a.p99} and ${b.p99} ms`);
    return;
  }
  t.skip('this machine was too busy in five tries');
});
