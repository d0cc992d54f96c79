// Storms of several generators as one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeResults } from '../../lib/result/merge.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { stressPassed } from '../fixtures/results.ts';
import { stormHerd, stormPassed } from '../fixtures/storm-results.ts';

const run = (result: StressResult, id: string): StressResult => ({
  ...result,
  run: { ...result.run, id, seed: id.length },
  // Seconds without their histograms cannot be added.
  series: { due: [], wall: [] },
});
const merged = (...results: StressResult[]): StressResult =>
  mergeResults(
    results.map((result, at) => ({ name: `${at}.json`, result: run(result, 'x'.repeat(at + 1)) })),
  );

test('merge: recoveries add up, and are judged anew', { timeout: 10_000 }, () => {
  const { recovery, thresholds, outcome } = merged(stormPassed(), stormPassed());
  const one = stormPassed().recovery;
  assert.ok(recovery && one);
  assert.deepEqual([recovery.lost, recovery.returned, recovery.connections], [400, 400, 400]);
  assert.deepEqual(recovery.attempts, { total: 400, mean: 1, max: 1 });
  // Both began together, so both peaks fall into the same 100 ms.
  assert.equal(recovery.connects.peakPerSecond, 2 * one.connects.peakPerSecond);
  assert.equal(recovery.time.p95, one.time.p95);
  assert.equal(recovery.gap.count, 400);
  assert.equal(recovery.windows.given, 400);
  assert.deepEqual(recovery.closes, [{ code: 1001, by: 'peer', clean: true, count: 400 }]);
  assert.deepEqual(recovery.series[0], { atMs: 5100, lost: 400, attempts: 40, back: 40 });
  assert.ok(thresholds.every(({ ok }) => ok));
  assert.equal(outcome, 'passed');
});

test('merge: connections that are missing in one shard are missing in all', { timeout: 10_000 }, () => {
  const herd = { ...stormHerd(), plan: stormPassed().plan };
  const { recovery, outcome } = merged(stormPassed(), herd);
  assert.equal(recovery?.missing, 3);
  assert.equal(recovery?.time.max, null);
  assert.equal(recovery?.time.censored, 3);
  assert.equal(outcome, 'failed');
});

test('merge: loads whose connections are not asked to come back have no recovery', {
  timeout: 10_000,
}, () => {
  assert.equal(merged(stressPassed(), stressPassed()).recovery, undefined);
});
