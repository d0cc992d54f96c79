// Workers that crash, end, hang or run out of memory: named, inconclusive, and nothing is left out in silence.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { RunEvent } from '../../lib/result/events.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import { keepSecret } from '../../lib/result/redact.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { echoDriver } from '../fixtures/driver-echo.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';

/** Three workers, of which the second has a fault `afterMs` after it started. */
async function withFault(
  fault: string,
  afterMs: number,
  changes: Parameters<typeof stressPlan>[1] = {},
  at = 'send',
): Promise<{ result: StressResult; live: string[] }> {
  const plan = stressPlan(`ws://echo/?fault=${fault}&worker=1&at=${at}&afterMs=${afterMs}`, {
    workers: 3,
    connections: 9,
    ratePerSecond: 300,
    durationMs: 3000,
    ...changes,
  });
  const live: string[] = [];
  const note = (event: RunEvent): void => {
    if (event.type === 'warning') live.push(event.warning.message);
  };
  const driver = { ...echoDriver, resourceLimits: { maxOldGenerationSizeMb: 64 } };
  const result = await stress(plan, undefined, note, driver);
  return { result, live };
}

// What the driver says when it crashes, and when it refuses.
keepSecret('correct-horse-battery');

const faults: [string, RegExp][] = [
  [
    'crash',
    /^worker 2 of 3 crashed: no such thing as \[redacted\] here; its 3 connections and about \d{2,3}\/s/,
  ],
  ['reject', /^worker 2 of 3 crashed: nobody caught it; its 3 connections/],
  ['exit', /^worker 2 of 3 ended before the run did, with exit code 7; its 3 connections/],
  ['hang', /^worker 2 of 3 stopped answering; its 3 connections/],
  ['oom', /^worker 2 of 3 crashed: .*memory.*; its 3 connections/],
];

describe('lost workers', { concurrency: 2 }, () => {
  for (const [fault, words] of faults) {
    test(`${fault}: named, and the others finish`, { timeout: 60_000 }, async () => {
      const { result, live } = await withFault(fault, 2100);
      const lost = result.reasons.filter((reason) => reason.code === 'lost-worker');
      assert.equal(lost.length, 1, JSON.stringify(result.reasons));
      assert.match(lost[0]?.message ?? '', words);
      assert.match(lost[0]?.message ?? '', /are missing since \d+\.\d s after the run began$/);
      assert.ok(live.includes(lost[0]?.message ?? ''), 'said at once');
      assert.equal(result.outcome, 'inconclusive');
      assert.equal(exitCode(result), 4);
      assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
      assert.equal(result.generator.workers, 3);
      // The six connections of the others sent all that was theirs, and a part of what was the third's.
      const { counters } = result;
      assert.ok(counters['messages.scheduled'] >= 600, `${counters['messages.scheduled']} scheduled`);
      assert.ok(counters['messages.scheduled'] < 900, `${counters['messages.scheduled']} scheduled`);
      assert.equal(counters['connections.opened'], 9);
      const due = result.series.due.reduce((sum, second) => sum + second.matched, 0);
      assert.equal(due, counters['messages.matched']);
      assert.equal(result.series.wall.at(-1)?.open, 6);
      assert.equal(result.series.wall.at(0)?.open, 9);
    });
  }

  test('what a lost worker had under way is interrupted', { timeout: 60_000 }, async () => {
    const plan = stressPlan('ws://echo/?fault=crash&worker=1&afterMs=2100&mute=1', {
      workers: 2,
      connections: 4,
      ratePerSecond: 100,
      durationMs: 3000,
      timeoutMs: 4000,
      targetKnown: true,
    });
    const result = await stress(plan, undefined, undefined, echoDriver);
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.ok(counters['messages.interrupted'] > 0);
    assert.equal(counters['messages.interrupted'] + counters['messages.matched'], counters['messages.sent']);
  });

  test('while connections are opened', { timeout: 60_000 }, async () => {
    const { result } = await withFault('crash', 0, { rampUpMs: 500 }, 'open');
    assert.equal(exitCode(result), 4);
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    assert.equal(result.counters['connections.opened'], 6);
    assert.equal(result.counters['messages.matched'], 600);
    assert.ok((result.derived.uptime ?? 1) < 0.7, `uptime ${result.derived.uptime}`);
  });

  test('all of them', { timeout: 60_000 }, async () => {
    const plan = stressPlan('ws://echo/?fault=crash&worker=0&at=open&afterMs=0', {
      workers: 1,
      connections: 2,
    });
    const result = await stress(plan, undefined, undefined, echoDriver);
    assert.equal(exitCode(result), 4);
    assert.deepEqual(
      result.reasons.map((reason) => reason.code),
      ['lost-worker'],
    );
    assert.equal(result.counters['messages.scheduled'], 0);
  });

  test('a module that is not there', { timeout: 60_000 }, async () => {
    const result = await stress(stressPlan('ws://echo/', { workers: 2 }), undefined, undefined, {
      module: 'file:///nowhere/driver.js',
    });
    assert.equal(exitCode(result), 4);
    assert.match(result.reasons[0]?.message ?? '', /worker \d of 2 crashed: Cannot find module/);
  });
});
