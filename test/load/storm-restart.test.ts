// A server that is killed and started again: what comes back, and whether the herd is as even as full jitter makes it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nextAttemptUs } from '../../lib/load/reconnect/policy.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { Snapshot } from '../../lib/result/events.ts';
import { startStormServer } from '../fixtures/server-process.ts';
import { echoTarget, stress, stressPlan } from '../fixtures/stress-plan.ts';

const isLong = process.env.WSBENCH_TEST_LONG === '1';

/** The most attempts in 100 ms, when so many clients lose a server that is away for a while; on average over 1,000 tries. */
function expectedPeak(clients: number, awayMs: number): { peak: number; attempts: number } {
  const tries = 1000;
  let [peaks, attempts] = [0, 0];
  for (let one = 0; one < tries; one++) {
    const bins = new Map<number, number>();
    for (let client = 0; client < clients; client++) {
      let atUs = 0;
      for (let failed = 0; failed === 0 || atUs < awayMs * 1000; failed++) {
        atUs = nextAttemptUs('jitter', atUs, failed, undefined, Math.random());
        attempts++;
        const bin = Math.floor(atUs / 100_000);
        bins.set(bin, (bins.get(bin) ?? 0) + 1);
      }
    }
    peaks += Math.max(...bins.values());
  }
  return { peak: peaks / tries, attempts: attempts / tries / clients };
}

describe('storm: restarts', { concurrency: 1 }, () => {
  const clients = isLong ? 2000 : 250;
  for (const workers of [1, 2]) {
    test(`${clients} clients of a killed server, ${workers} workers: no peak beyond what full jitter makes`, {
      timeout: 120_000,
    }, async (t) => {
      const server = await startStormServer(t);
      const port = Number(new URL(server.url).port);
      const plan = stressPlan(server.url, {
        target: echoTarget,
        connections: clients,
        workers,
        ratePerSecond: 100,
        timeoutMs: 1500,
        connectTimeoutMs: 10_000,
        durationMs: 60_300,
        reconnect: 'jitter',
        storm: { drop: null, beforeMs: 30_000, deadlineMs: 30_000, afterMs: 300 },
      });
      let again: Promise<number> | undefined;
      const restart = async (): Promise<number> => {
        await server.kill();
        const killedMs = performance.now();
        await startStormServer(t, { port });
        return performance.now() - killedMs;
      };
      const result = await stress(plan, undefined, (event) => {
        if (event.type === 'interval' && event.snapshot.phase === 'measure') again ??= restart();
      });
      const awayMs = (await again) ?? 0;
      const { recovery } = result;
      assert.ok(recovery);
      assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
      const expected = expectedPeak(clients, awayMs);
      const peak = recovery.connects.peakPerSecond / 10;
      t.diagnostic(
        `away ${awayMs.toFixed(0)} ms: peak ${peak} in 100 ms, ${expected.peak.toFixed(1)} expected (${(peak / expected.peak).toFixed(2)} times); ${recovery.attempts.mean} attempts each, ${expected.attempts.toFixed(2)} expected; all back after ${recovery.time.max} ms`,
      );
      assert.equal(recovery.lost, clients);
      assert.equal(recovery.missing, 0);
      assert.equal(recovery.windows.given, 0);
      assert.ok(peak <= 1.5 * expected.peak, `peak ${peak}, expected ${expected.peak}`);
      assert.deepEqual(recovery.closes, [{ code: 1006, by: 'none', clean: false, count: clients }]);
      // Refused attempts count as what they are, and the way back as part of the run.
      const { 'connections.failed': failed, 'connections.opened': opened } = result.counters;
      assert.equal(opened, 2 * clients);
      assert.equal(recovery.attempts.total, clients + failed);
      assert.equal(result.openAtEnd, clients);
      assert.ok(recovery.messages.unsent > 0);
    });
  }

  test('a server that stays away: the deadline ends it, and those that are missing are counted', {
    timeout: 60_000,
  }, async (t) => {
    const server = await startStormServer(t);
    const plan = stressPlan(server.url, {
      target: echoTarget,
      connections: 20,
      ratePerSecond: 50,
      timeoutMs: 500,
      durationMs: 30_000,
      reconnect: 'jitter',
      storm: { drop: null, beforeMs: 20_000, deadlineMs: 2000, afterMs: 300 },
      thresholds: ['recovery.missing==0', 'recovery.p95<5s'],
    });
    let killed: Promise<void> | undefined;
    let shown: Snapshot['returns'];
    const result = await stress(plan, undefined, (event) => {
      if (event.type !== 'interval') return;
      shown = event.snapshot.returns;
      if (event.snapshot.phase === 'measure') killed ??= server.kill();
    });
    await killed;
    const { recovery } = result;
    assert.ok(recovery);
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    assert.equal(recovery.missing, 20);
    assert.deepEqual(shown, { lost: 20, back: 0 });
    assert.equal(recovery.time.p95, null);
    assert.equal(recovery.time.reason, 'lost');
    // A machine that is busy with other tests may be too slow to measure, too.
    assert.equal(result.outcome, result.generator.limited ? 'inconclusive' : 'failed');
    const said = result.reasons.map(({ message }) => message).join('\n');
    assert.match(said, /recovery\.missing 20, wanted == 0/);
    assert.match(said, /recovery\.p95 never \(not all came back\), wanted < 5000 ms/);
    assert.ok(result.phases.measureMs < 20_000, 'it did not wait for what cannot come');
  });

  for (const drop of ['rst', 'fin', 'close'] as const) {
    test(`dropped by the client, ${drop}: our own doing is no error of the target`, {
      timeout: 60_000,
    }, async (t) => {
      const server = await startStormServer(t);
      const plan = stressPlan(server.url, {
        connections: 40,
        target: echoTarget,
        ratePerSecond: 200,
        durationMs: 20_500,
        reconnect: 'jitter',
        storm: { drop, beforeMs: 300, deadlineMs: 20_000, afterMs: 200 },
      });
      const result = await stress(plan);
      const { recovery, counters } = result;
      assert.ok(recovery);
      assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
      assert.deepEqual([recovery.lost, recovery.returned, recovery.attempts.mean], [40, 40, 1]);
      assert.ok(Math.abs((recovery.storm?.atMs ?? 0) - 300) < 250, `at ${recovery.storm?.atMs} ms`);
      assert.equal(counters['connections.abnormal'], 0);
      assert.equal(counters['connections.failed'], 0);
      assert.equal(recovery.closes[0]?.by, 'us');
      assert.equal(recovery.closes[0]?.code, drop === 'close' ? 1001 : 1006);
      assert.ok(
        (recovery.gap.max ?? 1e9) <= (recovery.time.max ?? 0) + 1,
        'nobody was away for longer than the storm',
      );
    });
  }
});
