// Runs that are stopped: whenever that is, the books balance and the result says so.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createWsDriver, type Driver } from '../../lib/load/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import { startLoadServer, startTcpServer } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';

function abortAfter(ms: number, reason: unknown): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), ms);
  return controller.signal;
}

const forms: [unknown, string, number][] = [
  ['SIGINT', 'sigint', 130],
  [new Error('SIGTERM'), 'sigterm', 143],
  [undefined, 'aborted', 130],
];

for (const [reason, code, exit] of forms) {
  test(`stopped by ${String(reason)}: ${code}, exit ${exit}`, { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const result = await stress(stressPlan(server.url, { durationMs: 10_000 }), abortAfter(900, reason));
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    assert.ok(result.reasons.some((entry) => entry.code === code));
    assert.equal(exitCode({ reasons: result.reasons.filter((entry) => entry.code === code) }), exit);
    assert.equal(result.run.complete, false);
    // Judged on what was measured until then: about 0.7 s of it.
    assert.ok(result.phases.measureMs > 300 && result.phases.measureMs < 2000);
    assert.ok(Math.abs((result.derived.throughput ?? 0) - 200) < 40, `${result.derived.throughput}/s`);
    assert.equal(result.counters['messages.interrupted'], 0);
    assert.ok(result.run.durationMs < 5000);
  });
}

test('what is still outstanding after 5 s of draining is interrupted', { timeout: 30_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'mute' });
  const plan = stressPlan(server.url, {
    timeoutMs: 60_000,
    durationMs: 60_000,
    targetKnown: true,
    settleMs: 0,
  });
  const startedMs = performance.now();
  const result = await stress(plan, abortAfter(500, 'SIGINT'));
  assert.ok(performance.now() - startedMs < 8000);
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  assert.ok(result.counters['messages.interrupted'] > 20);
  assert.equal(result.counters['messages.interrupted'], result.counters['messages.sent']);
  assert.equal(result.counters['messages.lost'], 0);
  assert.ok(result.phases.drainMs >= 4900 && result.phases.drainMs < 6000);
  assert.ok(result.reasons.some((reason) => reason.code === 'sigint'));
  assert.equal(result.run.complete, false);
});

test('stopped before it began, and while nothing answers', { timeout: 20_000 }, async (t) => {
  const server = await startTcpServer(t);
  for (const signal of [AbortSignal.abort('SIGINT'), abortAfter(200, 'SIGINT')]) {
    const result = await stress(stressPlan(`ws://${server.host}`, { connectTimeoutMs: 10_000 }), signal);
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    assert.deepEqual(
      result.reasons.map((reason) => reason.code),
      ['sigint'],
    );
    assert.equal(result.counters['connections.failed'], 0, 'attempts that we gave up did not fail');
    assert.equal(result.outcome, 'interrupted');
  }
});

test('a generator that cannot keep up still has turns for replies and signals', {
  timeout: 20_000,
}, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const ws = createWsDriver();
  let batch = 0;
  let largest = 0;
  const slow: Driver = {
    name: 'slow',
    open: (spec, sink) => {
      const connection = ws.open(spec, sink);
      const queue = connection.queue.bind(connection);
      connection.queue = (template, seq, dueUs) => {
        for (const untilMs = performance.now() + 1; performance.now() < untilMs; );
        batch++;
        return queue(template, seq, dueUs);
      };
      const flush = connection.flush.bind(connection);
      connection.flush = () => {
        largest = Math.max(largest, batch);
        batch = 0;
        flush();
      };
      return connection;
    },
  };
  const plan = stressPlan(server.url, { ratePerSecond: 4000, durationMs: 300, warmupMs: 0, connections: 1 });
  const result = await stress(plan, undefined, undefined, slow);
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  assert.equal(result.counters['messages.scheduled'], 1200);
  // Four messages are due each millisecond and one is sent: without an end, each turn would send four times the last.
  assert.ok(largest > 20 && largest <= 120, `${largest} messages in one turn`);
});

describe('at random instants', { concurrency: 8 }, () => {
  for (let i = 0; i < 32; i++) {
    const ms = Math.round(5 + (i * 1600) / 32);
    const model = i % 2 === 0 ? 'open' : 'closed';
    test(`${model} model, after ${ms} ms`, { timeout: 20_000 }, async (t) => {
      const server = await startLoadServer(t, { mode: 'late', n: 3, delayMs: 150 });
      const plan = stressPlan(server.url, {
        model,
        depth: 3,
        timeoutMs: 100,
        durationMs: 900,
        rampUpMs: 100,
      });
      const result = await stress(plan, abortAfter(ms, 'SIGINT'));
      assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
      assert.ok(!result.reasons.some((reason) => reason.code === 'bug'));
      const { counters, series } = result;
      const sum = (pick: (second: (typeof series.due)[number]) => number): number =>
        series.due.reduce((total, second) => total + pick(second), 0);
      assert.equal(
        sum((second) => second.matched),
        counters['messages.matched'],
      );
      assert.equal(
        sum((second) => second.lost),
        counters['messages.lost'],
      );
      JSON.parse(JSON.stringify(result));
      assert.ok(!/NaN|Infinity/.test(JSON.stringify(Object.values(result.derived))));
    });
  }
});
