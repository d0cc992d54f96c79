// Every preset under load, against real implementations: each message finds its reply while pushes arrive. With
// WSBENCH_TEST_LONG=1 for ten seconds each, and the figures are printed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StressResult, stress } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { presetRows } from '../fixtures/preset-peers.ts';

const isLong = process.env.WSBENCH_TEST_LONG === '1';
const seconds = isLong ? 10 : 2;

function figures({ counters, metrics, outcome }: StressResult): string {
  const names = ['sent', 'matched', 'lost', 'rejected', 'unexpected', 'duplicate', 'push'] as const;
  const counts = names.map((name) => `${counters[`messages.${name}`]} ${name}`).join(', ');
  return `${outcome}: ${counts}; p50 ${metrics.rtt.p50} ms, p99 ${metrics.rtt.p99} ms`;
}

for (const { name, preset, start, options = {}, pushes, skip = false } of presetRows) {
  test(`${name}: ${seconds} s at 200 messages a second, all matched`, {
    timeout: 60_000,
    skip,
  }, async (t) => {
    const url = await start(t);
    const result = await stress(url, {
      preset,
      ratePerSecond: 200,
      durationMs: seconds * 1000,
      warmupMs: 300,
      ...options,
    });
    const { counters } = result;
    t.diagnostic(figures(result));
    const seen = JSON.stringify({ counters, failures: result.failures, reasons: result.reasons });
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.equal(counters['connections.failed'], 0, seen);
    assert.equal(counters['connections.abnormal'], 0, seen);
    assert.equal(counters['messages.scheduled'], 200 * seconds, seen);
    assert.equal(counters['messages.matched'], 200 * seconds, seen);
    for (const kind of [
      'lost',
      'unsent',
      'rejected',
      'late',
      'duplicate',
      'unexpected',
      'corrupt',
    ] as const) {
      assert.equal(counters[`messages.${kind}`], 0, `${kind}: ${seen}`);
    }
    if (pushes !== undefined) assert.equal(counters['messages.push'] > 0, pushes, seen);
    // A busy machine may be too slow to say anything of latencies; that all came back holds all the same.
    assert.ok(['passed', 'inconclusive'].includes(result.outcome), seen);
  });
}
