// The model check: whatever happens, every promise settles once, no message has two effects, and subscriptions come back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stateTransitions } from '../../lib/client/index.ts';
import { type Start, type Step, trace, World } from './model.ts';

const timeout = 170_000;
const runs = 10_000;

const start: Start = { seed: 0, token: 'none', overflow: 'reject', connects: true };

// What the check found once, in few words.
const found: Record<string, Step[]> = {
  'an ACK was lost, and the same id is refused on the next connection: it may have had its effect': [
    { do: 'lose-answer' },
    { do: 'wait', ms: 20 },
    { do: 'publish', channel: 'a', timeoutMs: 3000, resend: true },
    { do: 'wait', ms: 12 },
    { do: 'penalty', ms: 5000 },
    { do: 'wait', ms: 2000 },
  ],
};

/** What chance does not meet with every time. */
const rare: { start: Partial<Start>; steps: Step[] }[] = [
  { start: {}, steps: [{ do: 'wait', ms: 20 }] },
  // The token would end on its way to the server.
  {
    start: { token: 'provider' },
    steps: [
      { do: 'provider', provider: 'short' },
      { do: 'wait', ms: 7 },
      { do: 'end', code: 1001 },
      { do: 'stall' },
      { do: 'hole' },
      { do: 'provider', provider: 'good' },
      { do: 'wait', ms: 400_000 },
    ],
  },
  // A message is in the log, and on its way to a subscriber whom nothing reaches any more.
  {
    start: {},
    steps: [
      { do: 'wait', ms: 20 },
      { do: 'subscribe', channel: 'c' },
      { do: 'wait', ms: 2000 },
      { do: 'publish', channel: 'c', timeoutMs: 30_000, resend: true },
      { do: 'wait', ms: 2000 },
      { do: 'publish', channel: 'c', timeoutMs: 30_000, resend: true },
      { do: 'wait', ms: 7 },
      { do: 'hole' },
      { do: 'wait', ms: 400_000 },
    ],
  },
  { start: { connects: false }, steps: [{ do: 'close' }] },
  { start: { token: 'provider' }, steps: [{ do: 'close' }] },
  { start: { token: 'fixed' }, steps: [{ do: 'strip-header' }, { do: 'wait', ms: 12 }, { do: 'close' }] },
  {
    start: { token: 'fixed' },
    steps: [{ do: 'strip-header' }, { do: 'refuse-auth' }, { do: 'wait', ms: 300 }],
  },
  {
    start: {},
    steps: [
      { do: 'wait', ms: 20 },
      { do: 'promise', minMs: 100, maxMs: 2000 },
      { do: 'wait', ms: 12 },
      { do: 'close' },
    ],
  },
  {
    start: {},
    steps: [
      { do: 'wait', ms: 20 },
      { do: 'promise', minMs: 100, maxMs: 2000 },
      { do: 'wait', ms: 12 },
      { do: 'end', code: 4409 },
      { do: 'wait', ms: 12 },
    ],
  },
];

for (const [what, steps] of Object.entries(found)) {
  test(what, { timeout }, async () => {
    const world = new World(start);
    for (const step of steps) await world.take(step);
    const [{ error } = {}] = world.sent;
    assert.deepEqual([error?.code, error?.outcome], ['REFUSED', 'unknown']);
    await world.close();
    world.check();
  });
}

test(`${runs} random traces`, { timeout }, async (t) => {
  const seen = new Set<string>();
  let settled = 0;
  const codes = new Map<string, number>();
  for (const { start: partly, steps } of rare) {
    const world = new World({ ...start, ...partly });
    for (const step of steps) await world.take(step);
    await world.close();
    world.check();
    for (const transition of world.transitions) seen.add(transition);
  }
  await fc.assert(
    fc.asyncProperty(trace, async ({ steps, start, heals }) => {
      const world = new World(start);
      for (const step of steps) await world.take(step);
      if (heals) {
        await world.heal();
        world.check();
      }
      await world.close();
      world.check();
      for (const transition of world.transitions) seen.add(transition);
      settled += world.sent.length;
      for (const { error } of world.sent) {
        const code = error?.code ?? 'acknowledged';
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    }),
    // A mutant only has to fail; a real failure is worth the time to find its shortest trace.
    { numRuns: runs, endOnFailure: process.env.WSBENCH_MODEL_MUTANT === '1' },
  );
  t.diagnostic(`${settled} promises: ${JSON.stringify(Object.fromEntries(codes))}`);
  // A check that never got there would prove nothing: every transition of the table happens.
  const all = Object.entries(stateTransitions).flatMap(([from, tos]) => tos.map((to) => `${from} > ${to}`));
  const missing = all.filter((transition) => !seen.has(transition));
  assert.deepEqual(missing, []);
});
