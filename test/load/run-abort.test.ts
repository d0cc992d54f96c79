// Runs that end themselves because a threshold is crossed for good, and those that must not.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { emptyFolder, runConclusive } from '../cli/spawn.ts';
import type { LoadServerOptions } from '../fixtures/server-load.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';

type Changes = Parameters<typeof stressPlan>[1];

async function abortable(t: TestContext, server: LoadServerOptions, changes: Changes): Promise<StressResult> {
  const { url } = await startLoadServer(t, server);
  const result = await stress(stressPlan(url, { durationMs: 8000, abortOnFail: true, ...changes }));
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  return result;
}

const aborts = ({ reasons }: StressResult) => reasons.filter(({ message }) => /^aborted after/.test(message));

// biome-ignore format: a table
const crossed: [name: string, server: LoadServerOptions, changes: Changes, reason: RegExp][] = [
  ['a counter, with its first', { mode: 'corrupt', n: 20 }, {}, /: messages\.corrupt \d+, wanted == 0$/],
  ['a percentile', { mode: 'late', n: 1, delayMs: 80 }, { ratePerSecond: 400, thresholds: ['rtt.p99<20ms'] }, /: rtt\.p99 \d+(\.\d+)? ms, wanted < 20 ms$/],
  ['a percentile among the lost', { mode: 'skip', n: 2 }, { timeoutMs: 300, thresholds: ['rtt.p95<250ms', 'error_rate<90%'] }, /: rtt\.p95 > 300 ms \(lost\), wanted < 250 ms$/],
  ['the error rate', { mode: 'skip', n: 4 }, { timeoutMs: 300, ratePerSecond: 400 }, /: error_rate \d+(\.\d+)? %, wanted < 1 %$/],
];

describe('a run ends itself', { concurrency: 2 }, () => {
  for (const [name, server, changes, reason] of crossed) {
    test(name, { timeout: 30_000 }, async (t) => {
      const result = await abortable(t, server, changes);
      const [abort, ...more] = aborts(result);
      assert.match(abort?.message ?? '', /^aborted after [\d.]+ m?s: /);
      assert.match(abort?.message ?? '', reason);
      assert.equal(abort?.code, 'threshold');
      assert.equal(more.length, 0);
      assert.equal(result.run.complete, false);
      assert.ok(
        result.phases.measureMs > 100 && result.phases.measureMs < 6000,
        `${result.phases.measureMs} ms`,
      );
      // What was measured until then is reported, at the rate that it had.
      assert.ok(result.counters['messages.matched'] > 0);
      const perSecond = (result.counters['messages.scheduled'] * 1000) / result.phases.measureMs;
      const asked = changes?.ratePerSecond ?? 200;
      assert.ok(Math.abs(perSecond - asked) < 0.3 * asked, `${perSecond}/s`);
      // It is told once.
      const [, told = ''] = /: (\S+) /.exec(abort?.message ?? '') ?? [];
      assert.equal(result.reasons.filter(({ message }) => message.includes(told)).length, 1);
      if (!result.generator.limited) assert.equal(result.outcome, 'failed');
    });
  }

  test('not before the delay', { timeout: 30_000 }, async (t) => {
    const result = await abortable(t, { mode: 'corrupt', n: 20 }, { delayAbortMs: 2500 });
    assert.equal(aborts(result).length, 1);
    assert.ok(
      result.phases.measureMs >= 2500 && result.phases.measureMs < 7000,
      `${result.phases.measureMs} ms`,
    );
  });

  test('without waiting long for what is outstanding', { timeout: 30_000 }, async (t) => {
    const changes = { timeoutMs: 20_000, thresholds: ['messages.matched<10'] };
    const result = await abortable(t, { mode: 'late', n: 2, delayMs: 15_000 }, changes);
    assert.equal(aborts(result).length, 1);
    assert.ok(result.counters['messages.interrupted'] > 0);
    assert.equal(result.counters['messages.lost'], 0);
    assert.ok(result.phases.drainMs >= 900 && result.phases.drainMs < 4000, `${result.phases.drainMs} ms`);
  });
});

// biome-ignore format: a table
const kept: [name: string, server: LoadServerOptions, changes: Changes][] = [
  ['a throughput that is never reached', { mode: 'echo' }, { thresholds: ['throughput>=10000/s', 'messages.matched>=100000'] }],
  ['messages that are outstanding', { mode: 'late', n: 2, delayMs: 700 }, { thresholds: ['messages.lost==0'] }],
  ['a crossed threshold when nobody asked', { mode: 'corrupt', n: 20 }, { abortOnFail: false }],
];

describe('a run goes on', { concurrency: 2 }, () => {
  for (const [name, server, changes] of kept) {
    test(name, { timeout: 30_000 }, async (t) => {
      const result = await abortable(t, server, { durationMs: 2500, timeoutMs: 5000, ...changes });
      assert.deepEqual(aborts(result), []);
      assert.equal(result.run.complete, true);
      assert.equal(result.counters['messages.scheduled'], 500);
    });
  }
});

test('stress --abort-on-fail: exit 99 and one line that says what, how much and when', {
  timeout: 60_000,
}, async (t) => {
  const { url } = await startLoadServer(t, { mode: 'corrupt', n: 10 });
  const args = [
    'stress',
    url,
    '--preset',
    'echo',
    '-d',
    '20s',
    '--warmup',
    '100ms',
    '--abort-on-fail',
    '--json',
  ];
  const { code, stdout, stderr } = await runConclusive(args, { cwd: emptyFolder(t) });
  const result = JSON.parse(stdout) as StressResult;
  if (!result.generator.limited) {
    assert.equal(code, 99, stderr);
    assert.match(stderr, /^exit 99: aborted after [\d.]+ m?s: messages\.corrupt \d+, wanted == 0/m);
  }
  assert.equal(result.run.complete, false);
  assert.ok(result.run.durationMs < 15_000);
});
