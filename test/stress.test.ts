// The facade: what it refuses, what small plans come to, and that it leaves nothing behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StressOptions, stress } from '../lib/index.ts';
import { brokenIdentities } from '../lib/metrics/counters.ts';
import { startLoadServer, startTcpServer } from './fixtures/server-process.ts';

// biome-ignore format: a table
const refused: [string, StressOptions, RegExp][] = [
  ['a rate of nothing', { ratePerSecond: 0 }, /rate must be .* not 0\/s/],
  ['a negative rate', { ratePerSecond: -5 }, /rate/],
  ['a rate that is no number', { ratePerSecond: Number.NaN }, /rate/],
  ['a rate beyond all reason', { ratePerSecond: Number.POSITIVE_INFINITY }, /rate/],
  ['no connections', { connections: 0 }, /connections must be a whole number/],
  ['a connection and a half', { connections: 1.5 }, /connections/],
  ['no depth', { model: 'closed', depth: 0 }, /depth/],
  ['more in flight than memory holds', { model: 'closed', connections: 5000, depth: 5000 }, /5000 connections with 5000/],
  ['no duration', { durationMs: 0 }, /duration/],
  ['an endless duration', { durationMs: Number.POSITIVE_INFINITY }, /duration/],
  ['no timeout', { timeoutMs: 0 }, /timeout/],
  ['a connect timeout that timers cannot hold', { connectTimeoutMs: 2 ** 31 }, /connect timeout/],
  ['a negative warm-up', { warmupMs: -1 }, /warm-up must not be -1 ms/],
  ['an endless ramp-up', { rampUpMs: Number.POSITIVE_INFINITY }, /ramp-up/],
  ['a size that drivers do not take back', { sizeBytes: 2 ** 24 + 1 }, /16 MiB/],
  ['a long message', { message: new Uint8Array(2 ** 24 + 1) }, /16 MiB/],
  ['a seed that is no integer', { seed: 0.5 }, /seed/],
];
for (const [name, options, message] of refused) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(stress('ws://127.0.0.1:1/', options), { code: 'USAGE', message });
  });
}

// biome-ignore format: a table
const small: [string, StressOptions, { scheduled: number; seconds: number }][] = [
  ['one connection', { connections: 1, durationMs: 300 }, { scheduled: 30, seconds: 1 }],
  ['more connections than messages', { connections: 60, ratePerSecond: 20, durationMs: 300 }, { scheduled: 6, seconds: 1 }],
  ['shorter than a period', { ratePerSecond: 1, durationMs: 10 }, { scheduled: 1, seconds: 1 }],
  ['a period that does not divide the duration', { ratePerSecond: 7, durationMs: 1100 }, { scheduled: 8, seconds: 2 }],
  ['a ramp-up longer than the run', { rampUpMs: 600, durationMs: 200 }, { scheduled: 20, seconds: 1 }],
  ['a timeout shorter than the settle phase', { timeoutMs: 200, durationMs: 300 }, { scheduled: 30, seconds: 1 }],
];
for (const [name, options, wanted] of small) {
  test(name, { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const result = await stress(server.url, { warmupMs: 0, ...options });
    const { counters, series } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.equal(counters['messages.scheduled'], wanted.scheduled);
    assert.equal(counters['messages.sent'], wanted.scheduled);
    assert.equal(counters['messages.unsent'], 0);
    assert.equal(series.due.length, wanted.seconds);
    assert.equal(result.derived.uptime, 1);
    assert.equal(result.run.complete, true);
    assert.equal(result.metrics.rtt.count, counters['messages.matched']);
  });
}

test('a watcher that throws ends the run', { timeout: 20_000 }, async (t) => {
  const server = await startLoadServer(t, { mode: 'echo' });
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => /TCP/.test(kind)).length;
  const before = sockets();
  const watched = stress(
    server.url,
    { durationMs: 60_000 },
    {
      onEvent: (event) => {
        if (event.type === 'phase' && event.phase === 'measure') throw new Error('from the watcher');
      },
    },
  );
  await assert.rejects(watched, /from the watcher/);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sockets(), before);
});

test('stopped before it began: nobody is asked for a greeting', { timeout: 20_000 }, async (t) => {
  const server = await startTcpServer(t);
  const result = await stress(`ws://${server.host}`, {}, { signal: AbortSignal.abort('SIGINT') });
  assert.equal(result.reasons[0]?.code, 'sigint');
  assert.ok(result.run.durationMs < 1000);
  assert.equal(result.counters['connections.attempted'], 0);
});
