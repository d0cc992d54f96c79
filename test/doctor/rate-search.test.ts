// The search for the highest rate, with runs that are made up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeStep, searchRate } from '../../lib/doctor/rate-search.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { stressPassed } from '../fixtures/results.ts';

const passed = stressPassed();

interface Seen {
  lagMs?: number | null;
  limited?: boolean;
  answered?: number;
  lost?: number;
}

function result(
  perSecond: number,
  { lagMs = 0.5, limited = false, answered = 1, lost = 0 }: Seen,
): StressResult {
  return {
    ...passed,
    metrics: { ...passed.metrics, send_lag: { ...passed.metrics.send_lag, p99: lagMs } },
    generator: { ...passed.generator, limited, cpu: 0.5 },
    derived: { ...passed.derived, throughput: answered * perSecond },
    counters: { ...passed.counters, 'messages.lost': lost, 'messages.unsent': 0 },
  };
}

// biome-ignore format: a table
const steps: [string, Seen, 'generator' | 'server' | null][] = [
  ['in time and answered', {}, null],
  ['late', { lagMs: 5.1 }, 'generator'],
  ['limited', { limited: true }, 'generator'],
  ['late, and so not answered', { lagMs: 9, answered: 0.5 }, 'generator'],
  ['not all answered', { answered: 0.96 }, 'server'],
  ['one lost', { lost: 1 }, 'server'],
  ['nothing sent', { lagMs: null, answered: 0 }, 'server'],
];
for (const [name, seen, failedBy] of steps) {
  test(`step: ${name}`, () => assert.equal(judgeStep(1000, result(1000, seen)).failedBy, failedBy));
}

const never = new AbortController().signal;

/** A machine that keeps up to a rate; each step takes a second. */
function machine(most: number, by: Seen = { lagMs: 20 }) {
  const tried: number[] = [];
  let clockMs = 0;
  return {
    tried,
    tryRate: async (rate: number) => {
      tried.push(rate);
      clockMs += 1000;
      return result(rate, rate <= most ? {} : by);
    },
    now: () => clockMs,
  };
}

test('search: upwards until it fails twice, then in between', async () => {
  const { tried, tryRate, now } = machine(130_000);
  const found = await searchRate(tryRate, 60_000, never, now);
  assert.deepEqual(tried, [1000, 5000, 20_000, 50_000, 100_000, 200_000, 200_000, 140_000, 140_000, 120_000]);
  assert.equal(found.perSecond, 120_000);
  assert.equal(found.endedBy, 'generator');
  assert.equal(found.lagP99Ms, 0.5);
  assert.equal(found.steps.length, tried.length);
});

test('search: a step that fails once is not the end', async () => {
  let hiccups = 1;
  const { tried, tryRate, now } = machine(Number.POSITIVE_INFINITY);
  const found = await searchRate(
    async (rate) => (rate === 20_000 && hiccups-- > 0 ? result(rate, { lagMs: 30 }) : tryRate(rate)),
    60_000,
    never,
    now,
  );
  assert.equal(found.perSecond, 800_000);
  assert.equal(found.endedBy, 'time', 'nothing held it back');
  assert.deepEqual(tried.at(-1), 800_000);
});

test('search: the server, the clock and a signal can end it, too', async () => {
  const slow = machine(50_000, { answered: 0.5 });
  assert.equal((await searchRate(slow.tryRate, 60_000, never, slow.now)).endedBy, 'server');
  const short = machine(Number.POSITIVE_INFINITY);
  const cut = await searchRate(short.tryRate, 3000, never, short.now);
  assert.deepEqual([cut.perSecond, cut.endedBy], [20_000, 'time']);
  const stopped = machine(Number.POSITIVE_INFINITY);
  await searchRate(stopped.tryRate, 60_000, AbortSignal.abort(), stopped.now);
  assert.deepEqual(stopped.tried, []);
});

test('search: where not even the first step works, the rate is 0', async () => {
  const none = machine(0);
  const found = await searchRate(none.tryRate, 60_000, never, none.now);
  assert.deepEqual([found.perSecond, found.lagP99Ms, none.tried.length], [0, 20, 2]);
});
