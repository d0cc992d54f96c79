// One run in one, two and three threads: the same schedule, the same counts, one result.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { runStress } from '../../lib/load/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { Histogram } from '../../lib/metrics/histogram.ts';
import type { RunEvent, Snapshot } from '../../lib/result/events.ts';
import { keepSecret } from '../../lib/result/redact.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { echoDriver, type Sent } from '../fixtures/driver-echo.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';

/** Where workers write what they sent. */
function logFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wsbench-workers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'sent');
}

interface Log {
  /** By due time: µs since the first message, and its connection. */
  sent: Sent[];
  /** When which connection was opened, in µs since the first was. */
  opens: number[];
}

/** A run with workers, and what they sent. */
async function logged(
  t: TestContext,
  workers: number,
  changes: Parameters<typeof stressPlan>[1],
): Promise<{ result: StressResult; log: Log }> {
  const file = logFile(t);
  const plan = stressPlan(`ws://echo/?log=${file}`, { workers, seed: 7, settleMs: 50, ...changes });
  const result = await stress(plan, undefined, undefined, echoDriver);
  const logs = Array.from(
    { length: workers },
    (_, worker) => JSON.parse(readFileSync(`${file}.${worker}`, 'utf8')) as Log,
  );
  const [probe, ...sent] = logs.flatMap((log) => log.sent).sort(([a], [b]) => a - b);
  assert.ok(probe, 'the probe came before all others');
  const opens: number[] = [];
  for (const [worker, log] of logs.entries()) {
    for (const [at, us] of log.opens.entries()) opens[worker + at * workers] = us;
  }
  const firstUs = sent[0]?.[0] ?? 0;
  const openedUs = Math.min(...opens);
  return {
    result,
    log: { sent: sent.map(([us, n]) => [us - firstUs, n]), opens: opens.map((us) => us - openedUs) },
  };
}

const models: [string, Parameters<typeof stressPlan>[1]][] = [
  ['constant arrivals', { connections: 7, ratePerSecond: 700 }],
  ['Poisson arrivals', { connections: 7, ratePerSecond: 700, arrival: 'poisson' }],
  ['Poisson arrivals, no warm-up', { connections: 6, ratePerSecond: 500, arrival: 'poisson', warmupMs: 0 }],
];

describe('one schedule', () => {
  for (const [name, changes] of models) {
    test(`${name}: the same messages are due at the same times, whatever the workers`, {
      timeout: 60_000,
    }, async (t) => {
      const one = await logged(t, 1, changes);
      assert.ok(one.log.sent.length > 400);
      for (const workers of [2, 3]) {
        const { result, log } = await logged(t, workers, changes);
        assert.equal(log.sent.length, one.log.sent.length);
        for (const [k, [us, connection]] of log.sent.entries()) {
          const [wantedUs, wanted] = one.log.sent[k] ?? [0, 0];
          assert.equal(connection, wanted, `message ${k}`);
          // The clock's epoch is long ago: a thousandth of a µs is lost to it.
          assert.ok(Math.abs(us - wantedUs) < 0.01, `message ${k}: ${us} and ${wantedUs}`);
        }
        assert.deepEqual(result.counters, one.result.counters);
        assert.deepEqual(result.warmup, one.result.warmup);
        assert.deepEqual(
          result.series.due.map(({ matched }) => matched),
          one.result.series.due.map(({ matched }) => matched),
        );
        assert.equal(result.derived.uptime, 1);
      }
    });
  }

  test('connections open in the order of the ramp', { timeout: 60_000 }, async (t) => {
    const changes = { connections: 10, rampUpMs: 1000, ratePerSecond: 100, durationMs: 300 };
    for (const workers of [1, 3]) {
      const { log } = await logged(t, workers, changes);
      for (const [n, us] of log.opens.entries()) {
        // Never early; late by what the machine held up.
        assert.ok(us > n * 100_000 - 150_000, `connection ${n} after ${us} µs with ${workers} workers`);
        assert.ok(us < n * 100_000 + 250_000, `connection ${n} after ${us} µs with ${workers} workers`);
      }
    }
  });

  test('more workers than connections: as many as connections', { timeout: 60_000 }, async (t) => {
    const plan = stressPlan('ws://echo/', { workers: 5, connections: 2 });
    const result = await stress(plan, undefined, undefined, echoDriver);
    assert.equal(result.generator.workers, 2);
    assert.equal(result.counters['connections.opened'], 2);
    assert.equal(result.counters['messages.matched'], 200);
    t.diagnostic(`${result.outcome}`);
  });
});

test('sockets: two workers, one result', { timeout: 60_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const snapshots: Snapshot[] = [];
  const phases: string[] = [];
  const note = (event: RunEvent): void => {
    if (event.type === 'interval') snapshots.push(event.snapshot);
    if (event.type === 'phase') phases.push(event.phase);
  };
  const plan = stressPlan(server.url, { workers: 2, connections: 5, ratePerSecond: 500, durationMs: 3000 });
  const result = await stress(plan, undefined, note);
  const { counters, metrics, series } = result;
  assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
  assert.equal(counters['messages.matched'], 1500);
  assert.equal(counters['messages.corrupt'], 0);
  assert.equal(counters['messages.unexpected'], 0);
  assert.equal(counters['connections.opened'], 5);
  assert.equal(result.openAtEnd, 5);
  assert.equal(metrics.rtt.count, 1500);
  assert.equal(metrics.connect.count, 5);
  assert.deepEqual(phases, ['connect', 'settle', 'warmup', 'measure', 'drain']);
  assert.equal(series.due.length, 3);
  for (const second of series.due) assert.equal(Histogram.decode(second.hdr ?? '').count, 500);
  assert.ok(series.wall.every((second) => second.open === 5));
  assert.deepEqual(
    result.closes.map(({ code, by, clean, count }) => ({ code, by, clean, count })),
    [{ code: 1000, by: 'us', clean: true, count: 5 }],
  );
  // One snapshot a second is the sum over both: each alone would have half of it.
  assert.ok(snapshots.some((snapshot) => snapshot.sentPerSecond > 300 && snapshot.connections.open === 5));
  assert.ok(snapshots.length <= 5, `${snapshots.length} snapshots`);
});

test('local addresses: workers choose among ports of their own', { timeout: 60_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const plan = stressPlan(server.url, { workers: 2, connections: 40, localAddresses: ['127.0.0.7'] });
  const { counters } = await stress(plan);
  assert.equal(counters['connections.opened'], 40);
  assert.equal(counters['messages.matched'], 200);
});

test('a driver that cannot be made is our mistake, not a lost worker', { timeout: 60_000 }, async () => {
  await assert.rejects(stress(stressPlan('ws://127.0.0.1:9/', { workers: 2, proxy: 'ftp://nowhere' })), {
    code: 'USAGE',
  });
});

test('closed model: every connection has its messages in flight', { timeout: 60_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const plan = stressPlan(server.url, { workers: 2, model: 'closed', depth: 3, connections: 4 });
  const { counters, openAtEnd } = await stress(plan);
  assert.deepEqual(brokenIdentities(counters, openAtEnd), []);
  assert.ok(counters['messages.matched'] > 100);
  assert.equal(counters['messages.matched'], counters['messages.sent']);
});

test('the probe is sent once', { timeout: 60_000 }, async (t) => {
  // One message a minute: what is received beside it is the probe.
  const plan = { connections: 6, ratePerSecond: 1 / 60, warmupMs: 0, durationMs: 200, settleMs: 100 };
  const { log, result } = await logged(t, 3, plan);
  assert.equal(log.sent.length, result.counters['messages.sent']);
  assert.ok(log.sent.length <= 1);
});

test('a probe that nobody answers stops the run', { timeout: 60_000 }, async () => {
  const plan = stressPlan('ws://echo/?mute=1&worker=0', { workers: 2, timeoutMs: 300 });
  const result = await stress(plan, undefined, undefined, echoDriver);
  assert.deepEqual(
    result.reasons.map((reason) => reason.code),
    ['target-description'],
  );
});

test('connections that fail are counted over all workers, and secrets are masked in each', {
  timeout: 60_000,
}, async () => {
  keepSecret('correct-horse-battery');
  const plan = stressPlan('ws://echo/?refuse=3', { workers: 2, connections: 9 });
  const result = await stress(plan, undefined, undefined, echoDriver);
  assert.equal(result.counters['connections.attempted'], 9);
  assert.equal(result.counters['connections.failed'], 3);
  assert.equal(result.failures.length, 1);
  assert.equal(result.failures[0]?.count, 3);
  assert.match(result.failures[0]?.detail ?? '', /what came was \[redacted\], \d/);
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
});

test('nothing opens: unreachable, with its cause', { timeout: 60_000 }, async () => {
  keepSecret('correct-horse-battery');
  const plan = stressPlan('ws://echo/?refuse=1', { workers: 2, connections: 4 });
  const result = await stress(plan, undefined, undefined, echoDriver);
  assert.deepEqual(
    result.reasons.map((reason) => reason.code),
    ['unreachable'],
  );
  // Words are found for it in the worker, which has to know this secret of the run.
  assert.match(result.reasons[0]?.message ?? '', /what came was \[redacted\], \d/);
});

test('a reader that leaves early leaves no thread behind', { timeout: 60_000 }, async () => {
  const run = runStress(stressPlan('ws://echo/', { workers: 2 }), new AbortController().signal, echoDriver);
  for await (const event of run) if (event.type === 'phase' && event.phase === 'warmup') break;
  // Ended threads take a moment to be gone.
  const deadlineMs = performance.now() + 5000;
  const threads = (): number =>
    process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort/.test(kind)).length;
  while (threads() > 0 && performance.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(threads(), 0);
});

test('when nothing ever opens, all workers stop trying after 200 attempts together', {
  timeout: 60_000,
}, async () => {
  const failed: number[] = [];
  for (const workers of [1, 2]) {
    const plan = stressPlan('ws://echo/?refuse=1', { workers, connections: 3000, rampUpMs: 1500 });
    const { counters, openAtEnd } = await stress(plan, undefined, undefined, echoDriver);
    assert.deepEqual(brokenIdentities(counters, openAtEnd), []);
    failed.push(counters['connections.failed']);
  }
  // Those that were under way by then fail, too.
  for (const count of failed) assert.ok(count >= 200 && count < 800, `${failed}`);
});

const interrupts: [string, number, Parameters<typeof stressPlan>[1]][] = [
  ['while threads start', 5, {}],
  ['in the ramp', 1300, { rampUpMs: 5000 }],
  ['in the warm-up', 1500, { warmupMs: 10_000 }],
  ['in the measure phase', 2500, { durationMs: 10_000 }],
  ['in the closed model', 2500, { durationMs: 10_000, model: 'closed', depth: 2 }],
];
for (const [name, afterMs, changes] of interrupts) {
  test(`interrupted ${name}, with two workers`, { timeout: 60_000 }, async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort('SIGINT'), afterMs);
    const plan = stressPlan('ws://echo/', { workers: 2, ...changes });
    const result = await stress(plan, controller.signal, undefined, echoDriver);
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    assert.ok(result.reasons.some((reason) => reason.code === 'sigint'));
    assert.ok(!result.reasons.some((reason) => reason.code === 'bug' || reason.code === 'lost-worker'));
    assert.equal(result.run.complete, false);
    assert.ok(result.run.durationMs < afterMs + 7000);
  });
}
