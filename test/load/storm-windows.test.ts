// Servers that send their clients away, and count for themselves who comes back when: a storm says the same as they do.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { StormPlan } from '../../lib/load/reconnect/storm.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { RecoveryRecord, StressResult } from '../../lib/result/result.ts';
import { targetSchema } from '../../lib/target/target.ts';
import { startStormServer } from '../fixtures/server-process.ts';
import type { StormServerOptions, StormTally } from '../fixtures/server-storm.ts';
import { type PlanChanges, stress, stressPlan, typedTarget } from '../fixtures/stress-plan.ts';

const drainingTarget = targetSchema.parse({
  ...typedTarget,
  echoes: true,
  push: [{ pointer: '/type', in: ['DRAIN'] }],
  drain: { when: { pointer: '/type', equals: 'DRAIN' }, minMs: '/payload/minMs', maxMs: '/payload/maxMs' },
});

const isLong = process.env.WSBENCH_TEST_LONG === '1';
const waiting: StormPlan = { drop: null, beforeMs: 30_000, deadlineMs: 30_000, afterMs: 300 };

interface Seen {
  result: StressResult;
  recovery: RecoveryRecord;
  server: StormTally;
}

/** A storm against a server that sends its clients away as soon as the load is measured. */
async function weather(t: TestContext, options: StormServerOptions, changes: PlanChanges): Promise<Seen> {
  const server = await startStormServer(t, options);
  const plan = stressPlan(server.url, {
    target: drainingTarget,
    targetKnown: true,
    ratePerSecond: 100,
    timeoutMs: 1500,
    connectTimeoutMs: 10_000,
    durationMs: 60_300,
    storm: waiting,
    ...changes,
  });
  let isAway = false;
  const result = await stress(plan, undefined, (event) => {
    if (isAway || event.type !== 'interval' || event.snapshot.phase !== 'measure') return;
    isAway = true;
    server.sendAway();
  });
  assert.ok(result.recovery, 'asked to come back');
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  return { result, recovery: result.recovery, server: await server.tally() };
}

/** What a busy machine may be late by, on whatever is short. */
const lateMs = 250;

/** The fewest and the most in `widthMs` that a server saw at its peak, by where its bins begin. */
function peaks(times: readonly number[], widthMs = 100): { least: number; most: number } {
  const all = Array.from({ length: 20 }, (_, phase) => {
    const bins = new Map<number, number>();
    for (const time of times) {
      const bin = Math.floor((time + (phase * widthMs) / 20) / widthMs);
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    return Math.max(0, ...bins.values());
  });
  return { least: Math.min(...all), most: Math.max(...all) };
}

/** The storm counted what the server counted: attempts exactly, peak and times within 10 %. A herd the server may see later. */
function assertAgrees(t: TestContext, { recovery, server }: Seen, isHerd = false): void {
  const { least, most } = peaks(server.attempts);
  const peak = recovery.connects.peakPerSecond / 10;
  const last = Math.max(...server.opened);
  const max = recovery.time.max ?? Number.POSITIVE_INFINITY;
  t.diagnostic(
    `attempts ${recovery.attempts.total} (server ${server.attempts.length}), peak in 100 ms ${peak} (server ${least} to ${most}), all back after ${max} ms (server ${last.toFixed(1)} ms), p50 ${recovery.time.p50} ms`,
  );
  assert.equal(recovery.lost, server.sentAway);
  assert.equal(recovery.returned, server.opened.length);
  assert.equal(recovery.attempts.total, server.attempts.length);
  const highest = 1.1 * (isHerd ? peaks(server.attempts, 100 + lateMs).most : most);
  assert.ok(peak >= 0.9 * least && peak <= highest, `peak ${peak}, the server saw ${least} to ${most}`);
  const median = [...server.opened].sort((a, b) => a - b)[Math.ceil(server.opened.length / 2) - 1] ?? 0;
  const near = (one: number | null, other: number): boolean =>
    one !== null && Math.abs(one - other) <= Math.max(0.1 * other, lateMs);
  assert.ok(near(recovery.time.p50, median), `p50 ${recovery.time.p50} ms, the server saw ${median} ms`);
  assert.ok(near(max, last), `${max} ms, the server saw ${last} ms`);
}

// One after the other: two of them at once would be two storms on one machine.
describe('storm: windows', { concurrency: 1 }, () => {
  const clients = isLong ? 2000 : 300;
  const seconds = isLong ? 5 : 3;
  test(`${clients} clients sent away with a window of ${seconds} s: about one attempt each, spread over the window`, {
    timeout: 120_000,
  }, async (t) => {
    const window = { minMs: 100, maxMs: seconds * 1000 };
    const seen = await weather(t, { window }, { connections: clients, reconnect: 'jitter' });
    const { recovery, result } = seen;
    assertAgrees(t, seen);
    const { attempts, connects, windows } = recovery;
    const ratio = connects.peakPerSecond / (connects.meanPerSecond ?? 0);
    t.diagnostic(`${attempts.mean} attempts each, peak ${ratio.toFixed(2)} × mean`);
    assert.equal(recovery.missing, 0);
    assert.ok((attempts.mean ?? 9) <= 1.1, `${attempts.mean} attempts each`);
    // 300 clients in 30 bins are 10 a bin: chance alone makes a peak of about twice that.
    const allowed = isLong ? 2 : 3;
    assert.ok(ratio <= allowed, `peak ${ratio} × mean`);
    assert.equal(windows.given, clients);
    assert.deepEqual([windows.minMs, windows.maxMs], [100, seconds * 1000]);
    assert.equal(windows.early, 0);
    const first = Math.min(...seen.server.attempts);
    assert.ok(first >= 99, `nobody before the window: ${first} ms`);
    assert.deepEqual(recovery.closes, [{ code: 1001, by: 'peer', clean: true, count: clients }]);
    // Nothing is hidden: what was due while a connection was away is unsent, and said to be in the gap.
    const { unsent, inFlight } = recovery.messages;
    assert.equal(unsent, result.counters['messages.unsent']);
    assert.ok(result.counters['messages.lost'] <= inFlight, `${result.counters['messages.lost']} lost`);
    assert.ok(unsent > 0);
    assert.equal(result.counters['connections.failed'], 0);
  });

  for (const workers of [1, 2]) {
    test(`clients that come back at once, ${workers} workers: a higher peak, and the window is not honoured`, {
      timeout: 120_000,
    }, async (t) => {
      const window = { minMs: 500, maxMs: 3000 };
      const plan: PlanChanges = { connections: 200, workers };
      const herd = await weather(t, { window }, { ...plan, reconnect: 'immediate' });
      // They start at once, and a server that is busy takes them one by one.
      assertAgrees(t, herd, true);
      assert.equal(herd.recovery.windows.given, 200);
      assert.equal(herd.recovery.windows.early, 200, 'each of them before its window');
      // Spread over 2.5 s, a hundred in 100 ms are beyond chance.
      assert.ok(herd.recovery.connects.peakPerSecond >= 500, `${herd.recovery.connects.peakPerSecond}/s`);
      if (workers > 1) return;
      const jitter = await weather(t, { window }, { ...plan, reconnect: 'jitter' });
      const { peakPerSecond: peak } = jitter.recovery.connects;
      t.diagnostic(`peak ${herd.recovery.connects.peakPerSecond}/s at once, ${peak}/s in the window`);
      assert.ok(herd.recovery.connects.peakPerSecond > 2 * peak);
      assert.equal(jitter.recovery.windows.early, 0);
    });
  }

  test('503 with Retry-After for a while: nobody comes back before it asked them to', {
    timeout: 120_000,
  }, async (t) => {
    const refuse = { ms: 1500, retryAfterS: 1 };
    const seen = await weather(t, { refuse }, { connections: 60, reconnect: 'jitter' });
    const { recovery, result, server } = seen;
    assertAgrees(t, seen);
    assert.equal(recovery.missing, 0);
    assert.ok(server.refused >= 60, `${server.refused} refused`);
    assert.equal(result.counters['connections.failed'], server.refused);
    assert.equal(recovery.windows.given, server.refused);
    assert.equal(recovery.windows.early, 0);
    assert.equal(recovery.windows.minMs, 1000);
    assert.ok(recovery.attempts.max >= 2);
  });
});
