// Runs against servers that do what they should.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../lib/result/events.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';

test('open model: every scheduled message is sent and matched', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const events: RunEvent[] = [];
  const result = await stress(
    stressPlan(server.url, { durationMs: 2000, ratePerSecond: 300 }),
    undefined,
    (event) => events.push(event),
  );
  const { counters } = result;
  assert.deepEqual(result.reasons, []);
  assert.equal(exitCode(result), 0);
  assert.equal(counters['messages.scheduled'], 600);
  assert.equal(counters['messages.sent'], 600);
  assert.equal(counters['messages.matched'], 600);
  assert.equal(counters['messages.received'], 600);
  assert.equal(counters['bytes.sent'], 600 * 32);
  assert.equal(counters['bytes.received'], 600 * 32);
  assert.equal(result.metrics.rtt.count, 600);
  assert.equal(result.metrics.send_lag.count, 600);
});
