import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDrain } from '../../reference-server/drain-plan.ts';

// biome-ignore format: a table
const windows: [clients: number, minMs: number, maxMs: number][] = [
  [0,         100,    600],
  [1,         100,    600],
  [1000,      100,    600],
  [2000,      100,  1_100],
  [5000,      100,  2_600],
  [10_000,    100,  5_100],
  [50_000,    100, 25_100],
  [1_000_000, 100, 60_100],
];

for (const [clients, minMs, maxMs] of windows) {
  test(`drain of ${clients}: back after ${minMs} to ${maxMs} ms`, () => {
    for (const drainTimeoutMs of [0, 1000, 30_000]) {
      assert.deepEqual(planDrain(clients, { drainTimeoutMs }).window, { minMs, maxMs });
    }
  });
}

test('drain: a window that was asked for is taken as it is', () => {
  const window = (drainWindowMs: number) => planDrain(9000, { drainTimeoutMs: 5000, drainWindowMs }).window;
  assert.deepEqual(window(5000), { minMs: 100, maxMs: 5000 });
  assert.deepEqual(window(50), { minMs: 50, maxMs: 50 });
  assert.deepEqual(window(0), { minMs: 0, maxMs: 0 });
});

test('drain: no more than 2,000 come back in a second, as long as the window is not the widest', () => {
  for (let clients = 1000; clients <= 120_000; clients += 777) {
    const { minMs, maxMs } = planDrain(clients, { drainTimeoutMs: 10_000 }).window;
    const perSecond = (clients / (maxMs - minMs)) * 1000;
    assert.ok(perSecond <= 2001, `${clients}: ${perSecond}`);
  }
});

test('drain: all have been told after half of the time, and no batch is larger than needed', () => {
  for (const clients of [0, 1, 249, 250, 500, 5000, 15_000, 50_000]) {
    for (const drainTimeoutMs of [0, 100, 1000, 5000, 30_000]) {
      const { batchSize, batchEveryMs, settleMs } = planDrain(clients, { drainTimeoutMs });
      const batches = Math.ceil(clients / batchSize);
      const lastMs = Math.max(0, batches - 1) * batchEveryMs;
      const what = `${clients} in ${drainTimeoutMs} ms: ${batches} batches of ${batchSize}`;
      assert.ok(lastMs <= drainTimeoutMs / 2, what);
      assert.ok(lastMs + settleMs <= (drainTimeoutMs * 3) / 4, what);
      // 5,000 a second, where there is time.
      if (drainTimeoutMs >= (clients / 5000) * 2000) assert.ok(batchSize <= 300 || clients < 500, what);
    }
  }
});
