// merge, through the command: real shards, and what is refused.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer, parseResult, type StressResult } from '../../lib/index.ts';
import { Histogram } from '../../lib/metrics/histogram.ts';
import { timeMetrics } from '../../lib/metrics/names.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import { fileReport, json } from '../../reports/index.ts';
import { faketimeEnv, skipFaketime } from '../fixtures/faketime.ts';
import { quickPassed, stressPassed } from '../fixtures/results.ts';
import { seriesOf } from '../fixtures/shard.ts';
import { emptyFolder, run } from './spawn.ts';

const read = (cwd: string, file: string): StressResult => {
  const result = parseResult(readFileSync(join(cwd, file), 'utf8'), file);
  assert.equal(result.kind, 'stress');
  return result as StressResult;
};

/** The load of one of several generators. */
const shardOf = (url: string): string[] => `stress ${url} -c 4 -d 2s -r 40/s --no-save -q`.split(' ');

test('four real shards on one server are one load', { timeout: 120_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const server = await createServer({ environment: 'test', limits: 'off' });
  t.after(() => server.close());
  const url = `${await server.listen()}/ws/echo`;
  const files = ['1.json', '2.json', '3.json', '4.json'];
  // At the same time, as on four machines; each with seed and workers of its own, which make no other plan.
  await Promise.all(
    files.map(async (file, at) => {
      const load = [...shardOf(url), '--warmup', '100ms'];
      const { code, stderr } = await run(
        [...load, '--seed', `${at}`, '-w', at === 3 ? '2' : '1', '-o', file],
        { cwd },
      );
      // A machine that is too busy to measure is no matter here.
      assert.ok(code === 0 || code === 4 || code === 99, `${code}: ${stderr}`);
    }),
  );
  const shards = files.map((file) => read(cwd, file));
  const merged = await run(
    ['merge', ...files, '-o', 'merged.json', '-o', 'merged.md', '--save-baseline', 'all'],
    { cwd },
  );
  const result = read(cwd, 'merged.json');
  assert.equal(merged.code, exitCode(result), merged.stderr);
  assert.match(merged.stdout, /Stress test results/);
  assert.match(readFileSync(join(cwd, 'merged.md'), 'utf8'), /## Stress test results/);
  for (const name of [
    'messages.scheduled',
    'messages.matched',
    'connections.opened',
    'bytes.sent',
  ] as const) {
    assert.equal(
      result.counters[name],
      shards.reduce((sum, { counters }) => sum + counters[name], 0),
      name,
    );
  }
  assert.equal(result.counters['messages.scheduled'], 320);
  for (const metric of timeMetrics) {
    const whole = new Histogram();
    for (const { metrics } of shards) {
      const { hdr } = metrics[metric];
      if (hdr !== undefined) whole.add(Histogram.decode(hdr));
    }
    assert.equal(result.metrics[metric].hdr, whole.count === 0 ? undefined : whole.encode(), metric);
    assert.equal(result.metrics[metric].count, whole.count);
  }
  assert.equal(
    result.series.due.reduce((sum, { matched }) => sum + matched, 0),
    result.counters['messages.matched'],
  );
  assert.deepEqual(
    result.run.mergedFrom,
    shards.map(({ run: { id } }) => id),
  );
  assert.equal(result.generator.workers, 5);
  assert.deepEqual(
    result.generator.perWorker?.map(({ worker }) => worker),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(
    result.thresholds.map(({ expression }) => expression),
    shards[0]?.thresholds.map(({ expression }) => expression),
  );
  const printed = await run(['merge', ...files, '--json'], { cwd });
  assert.deepEqual(parseResult(printed.stdout, 'stdout'), result);
});

test('two machines whose clocks are an hour apart: no latency shows it, and a warning says it', {
  timeout: 60_000,
  skip: skipFaketime,
}, async (t) => {
  const cwd = emptyFolder(t);
  const server = await createServer({ environment: 'test', limits: 'off' });
  t.after(() => server.close());
  const args = shardOf(`${await server.listen()}/ws/echo`);
  const ahead = { ...faketimeEnv, FAKETIME: '+3600' };
  await Promise.all(
    [{}, ahead].map(async (env, at) => {
      const { code, stderr } = await run([...args, '-o', `${at}.json`], { cwd, env });
      assert.ok(code === 0 || code === 4 || code === 99, `${code}: ${stderr}`);
    }),
  );
  const [true_, skewed] = ['0.json', '1.json'].map((file) => read(cwd, file));
  assert.ok(true_ && skewed);
  const apartMs = Date.parse(skewed.run.startedAt) - Date.parse(true_.run.startedAt);
  assert.ok(Math.abs(apartMs - 3_600_000) < 60_000, `${apartMs} ms apart`);
  await run(['merge', '0.json', '1.json', '-o', 'all.json'], { cwd });
  const merged = read(cwd, 'all.json');
  assert.equal(merged.warnings.filter(({ code }) => code === 'shards-clocks').length, 1);
  assert.ok(merged.run.durationMs < 60_000, `${merged.run.durationMs} ms`);
  assert.equal(merged.counters['messages.scheduled'], 160);
  for (const name of ['rtt', 'service', 'connect', 'ping', 'send_lag'] as const) {
    const { min, max, count } = merged.metrics[name];
    assert.equal(count, true_.metrics[name].count + skewed.metrics[name].count, name);
    assert.ok(count > 0 && (min ?? -1) >= 0 && (max ?? Number.NaN) < 10_000, `${name}: ${min} to ${max} ms`);
  }
});

test('what cannot be merged is exit 2, and nothing is written', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const write = (name: string, result: StressResult | ReturnType<typeof quickPassed>) =>
    writeFileSync(join(cwd, name), json([result], fileReport));
  const good = seriesOf(3, 1000, 1);
  write('a.json', good);
  write('b.json', seriesOf(3, 1000, 2));
  write('copy.json', good);
  write('quick.json', quickPassed());
  write('long.json', stressPassed());
  write('plan.json', {
    ...good,
    plan: { ...good.plan, hash: '00', options: { ...good.plan.options, ratePerSecond: 5 } },
  });
  write('books.json', { ...good, counters: { ...good.counters, 'messages.sent': 1 } });
  for (const [files, says] of [
    [['a.json'], /give two or more results/],
    [['a.json', 'copy.json'], /copy\.json: cannot be merged: it is the same run as a\.json/],
    [['a.json', './a.json'], /the same run/],
    [['a.json', 'quick.json'], /quick\.json: cannot be merged: it is a quick run/],
    [
      ['a.json', 'long.json'],
      /long\.json: cannot be merged: second 0 of its series has 100 times and no histogram/,
    ],
    [['a.json', 'plan.json'], /plan\.json: .*another plan than a\.json: ratePerSecond 5, not 100/],
    [['b.json', 'books.json'], /books\.json: damaged.*books do not balance/],
    [['a.json', 'none.json'], /cannot read none\.json/],
  ] as const) {
    const result = await run(['merge', ...files, '-o', 'out.json'], { cwd });
    assert.equal(result.code, 2, `${files.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, says);
    assert.equal(result.stderr.trim().split('\n').length, 1);
    assert.equal(result.stdout, '');
    assert.throws(() => readFileSync(join(cwd, 'out.json')));
  }
});

test('thresholds of the sums decide the exit code', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  for (const [name, rejects] of [
    ['a.json', 0],
    ['b.json', 3],
  ] as const)
    writeFileSync(join(cwd, name), json([seriesOf(3, 1000, rejects + 1, rejects)], fileReport));
  const crossed = await run(['merge', 'a.json', 'b.json'], { cwd });
  assert.equal(crossed.code, 99, crossed.stderr);
  assert.match(crossed.stderr, /exit 99: error_rate 3\.75 %, wanted < 1 %/);
});
