// The honesty test: a server that is busy for the first second of each five.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLoadServer } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';

test('a stall of 1 s every 5 s shows in every percentile that it reaches', { timeout: 60_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'stall' });
  const plan = stressPlan(server.url, {
    connections: 10,
    ratePerSecond: 1000,
    durationMs: 20_000,
    timeoutMs: 5000,
  });
  const result = await stress(plan);
  const { counters, metrics } = result;
  assert.equal(counters['messages.scheduled'], 20_000);
  assert.equal(counters['messages.sent'], 20_000);
  assert.equal(counters['messages.matched'], 20_000);
  // A fifth of the messages waits for between 0 and 1 s, evenly: arithmetic, not a measurement.
  const wanted = { p90: 500, p99: 950, max: 1000 };
  for (const [name, ms] of Object.entries(wanted)) {
    const got = metrics.rtt[name as keyof typeof wanted] ?? Number.NaN;
    assert.ok(Math.abs(got - ms) <= 0.05 * ms, `${name} ${got} ms, wanted ${ms} ms ± 5 %`);
  }
  t.diagnostic(`p90 ${metrics.rtt.p90} p99 ${metrics.rtt.p99} max ${metrics.rtt.max} ms`);
  assert.ok(!result.warnings.some((warning) => warning.code === 'backlog'));
});
