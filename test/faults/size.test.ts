// Long runs, large results, and none at all: bounded memory, bounded files, and no number where there is none.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Recorder } from '../../lib/load/recorder.ts';
import { SeriesBook } from '../../lib/load/series-book.ts';
import { timeStats } from '../../lib/metrics/histogram.ts';
import type { Series } from '../../lib/metrics/series.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { echoLoad } from '../fixtures/echo-load.ts';
import { ended } from '../fixtures/ended.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { isLong } from '../require.ts';

const secondUs = 1e6;

/**
 * A recorder in whose measure phase so many messages were sent and answered, evenly, with round trips from 100 µs to 1 s; and
 * the series that it told of, second by second, as an engine does.
 */
function feed(messages: number, seconds: number): { recorder: Recorder; series: Series } {
  const recorder = new Recorder(seconds * secondUs);
  recorder.startUs = 0;
  recorder.endUs = seconds * secondUs;
  const book = new SeriesBook(seconds * secondUs, 1);
  let toldUs = secondUs;
  const stepUs = (seconds * secondUs) / messages;
  for (let n = 0; n < messages; n++) {
    const dueUs = n * stepUs;
    const rttUs = 100 * 10 ** ((n % 4001) / 1000);
    recorder.sent(32, dueUs + 5, 5);
    recorder.received(32, dueUs + rttUs);
    recorder.matched(dueUs, dueUs + 5, dueUs + rttUs);
    if (dueUs < toldUs) continue;
    toldUs += secondUs;
    recorder.series.connections(dueUs, 500);
    recorder.series.advance(dueUs - 5 * secondUs);
    book.add(0, recorder.series.news());
  }
  recorder.series.advance(Number.POSITIVE_INFINITY);
  book.add(0, recorder.series.news());
  return { recorder, series: book.finish(seconds * secondUs) };
}

/** Memory outside and inside the heap that is in use, in MiB. */
function usedMiB(): number {
  global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 / 1024;
}

describe('long runs', () => {
  const messages = isLong ? 1e8 : 2e6;
  test(`${messages} messages: exact counts and percentiles, at most 64 MiB`, { timeout: 300_000 }, (t) => {
    const before = usedMiB();
    const { recorder, series } = feed(messages, 1000);
    const grown = usedMiB() - before;
    t.diagnostic(`${grown.toFixed(1)} MiB more`);
    assert.ok(grown < 64, `${grown} MiB more`);
    const stats = timeStats(recorder.times.rtt);
    assert.equal(stats.count, messages);
    assert.equal(recorder.counters['messages.matched'], messages);
    // 10 ^ (2 + 4 · p) µs, to three digits.
    assert.ok(Math.abs((stats.p50 ?? 0) - 10) < 0.05, `p50 ${stats.p50}`);
    assert.ok(Math.abs((stats.p99 ?? 0) - 10 ** 2.96) < 5, `p99 ${stats.p99}`);
    assert.equal(
      series.due.reduce((sum, { matched }) => sum + matched, 0),
      messages,
    );
  });

  const hours = isLong ? 24 : 2;
  test(`${hours} hours: both series whole, and at most 20 MiB of JSON a day`, { timeout: 300_000 }, (t) => {
    const seconds = hours * 3600;
    const { series } = feed(seconds * 20, seconds);
    assert.equal(series.due.length, seconds);
    assert.ok(series.wall.length >= seconds && series.wall.length <= seconds + 2);
    const bytes = JSON.stringify(series).length;
    t.diagnostic(`${(bytes / 1024 / 1024).toFixed(1)} MiB`);
    assert.ok(bytes < (hours / 24) * 20 * 1024 * 1024, `${bytes} bytes`);
  });
});

/** Every number in a result is one; what is none is null and says why. */
function assertNumbers(result: StressResult, text: string): void {
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'number') assert.ok(Number.isFinite(value), `${path} is ${value}`);
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    }
  };
  walk(result, 'result');
  for (const [name, stats] of Object.entries(result.metrics)) {
    if (stats.p99 === null) assert.ok(stats.reason === 'lost' || stats.reason === 'no samples', name);
  }
  assert.doesNotMatch(text, /NaN|Infinity|undefined|null/);
}

describe('nothing to measure', { concurrency: 3 }, () => {
  // biome-ignore format: a table
  const rows: [name: string, server: Parameters<typeof startLoadServer>[1], args: string[], exit: number, crossed: string[]][] = [
    ['no answer at all', { mode: 'mute' }, ['-r', '50/s', '-d', '500ms'], 99, ['rtt', 'error_rate', 'throughput']],
    ['one message in the whole run', { mode: 'echo' }, ['-r', '1/s', '-d', '900ms', '-c', '1'], 0, []],
    ['more connections than messages', { mode: 'echo' }, ['-r', '1/s', '-d', '900ms', '-c', '20'], 0, []],
    ['every connection ends before the load', { mode: 'close', n: 1, code: 1000 }, ['-c', '1', '-r', '50/s', '-d', '500ms'], 99, ['rtt', 'error_rate', 'throughput']],
    ['a closed run without an answer', { mode: 'mute' }, ['--closed', '-d', '500ms'], 99, ['rtt', 'error_rate', 'throughput']],
  ];
  for (const [name, options, args, exit, crossed] of rows) {
    test(name, { timeout: 60_000 }, async (t) => {
      const server = await startLoadServer(t, options);
      const cwd = emptyFolder(t);
      const common = [...echoLoad, '-t', '300ms'];
      const thresholds = ['--threshold', 'rtt.p99<10s', '--threshold', 'throughput>0.1/s'];
      const finished = await run(
        ['stress', server.url, ...common, ...args, ...thresholds, '-o', 'r.json', '-o', 'r.md', '--json'],
        { cwd },
      );
      const result = ended(finished, exit);
      const missed = result.thresholds.filter(({ ok }) => !ok).map(({ metric }) => metric);
      for (const metric of crossed) assert.ok(missed.includes(metric), `${metric} in ${missed.join(' ')}`);
      if (exit === 0) assert.deepEqual(missed, []);
      const { stdout: text } = await run(['report', 'r.json'], { cwd });
      assertNumbers(result, text);
    });
  }

  test('a run of no time is refused', { timeout: 30_000 }, async (t) => {
    const { code, stderr } = await run(['stress', 'ws://127.0.0.1:1', '-d', '0s'], { cwd: emptyFolder(t) });
    assert.equal(code, 2);
    assert.match(stderr, /longer than 0/);
  });
});
