// Which rows get an interval, and why none do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults } from '../../lib/compare/compare.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { seriesOf } from '../fixtures/shard.ts';

const intervals = (before: StressResult, after: StressResult) => {
  const { rows, note } = compareResults(before, after);
  const having = rows.filter(({ interval }) => interval);
  return { note, metrics: having.map(({ metric }) => metric), rows: having };
};

test('round trips, message rate and error rate get one', () => {
  const { metrics, note, rows } = intervals(seriesOf(24, 1000, 1, 1), seriesOf(24, 1300, 2, 1));
  assert.deepEqual(metrics, ['throughput', 'error_rate', 'rtt.mean', 'rtt.p50', 'rtt.p90', 'rtt.p99']);
  assert.match(note, /One run on each side: an interval .* "likely" is the most/);
  for (const { metric, interval, change } of rows.filter((row) => row.metric.startsWith('rtt'))) {
    const [low, high] = [interval?.low ?? 0, interval?.high ?? 0];
    assert.ok(low <= (change ?? 9) && (change ?? -9) <= high, `${metric}: ${low} ${change} ${high}`);
  }
  assert.equal(rows.find(({ metric }) => metric === 'rtt.p50')?.interval?.verdict, 'likely worse');
  assert.equal(rows.find(({ metric }) => metric === 'error_rate')?.interval?.verdict, 'no evidence');
});

test('without errors before there is no interval of the error rate', () => {
  assert.ok(!intervals(seriesOf(24, 1000, 1), seriesOf(24, 1000, 2, 1)).metrics.includes('error_rate'));
});

test('a run that is inconclusive makes nothing likely', () => {
  const limited = { ...seriesOf(24, 3000, 2), outcome: 'inconclusive' as const };
  const { rows, note } = intervals(seriesOf(24, 1000, 1), limited);
  assert.ok(rows.length > 3 && rows.every(({ interval }) => interval?.verdict === 'no evidence'));
  assert.match(note, /inconclusive says more about its generator/);
});

test('pushed messages are no replies, and corrupt ones have no second', () => {
  const pushed = seriesOf(24, 1000, 1, 1);
  const counters = { ...pushed.counters, 'messages.received': 2000, 'messages.push': 500 };
  assert.ok(!intervals({ ...pushed, counters }, pushed).metrics.includes('throughput'));
  const corrupt = { ...pushed, counters: { ...pushed.counters, 'messages.corrupt': 1 } };
  assert.ok(!intervals(pushed, corrupt).metrics.includes('error_rate'));
});

test('less than 20 s, seconds without histograms, and broken ones: none, and why', () => {
  const long = seriesOf(24, 1000, 1);
  const short = intervals(long, seriesOf(19, 1000, 2));
  assert.deepEqual(short.metrics, []);
  assert.match(short.note, /No intervals: the run after has 19 s of series, and 20 s are the least\.$/);
  // The 20th second is not whole.
  const phases = { ...long.phases, measureMs: 19_900 };
  assert.match(intervals({ ...long, phases }, long).note, /the run before has 19 s/);
  const due = long.series.due.map(({ hdr: _hdr, ...row }) => row);
  assert.match(
    intervals(long, { ...long, series: { ...long.series, due } }).note,
    /no histogram for each of its seconds/,
  );
  const broken = long.series.due.map((row) => ({ ...row, hdr: 'no' }));
  assert.match(
    intervals(long, { ...long, series: { ...long.series, due: broken } }).note,
    /histograms in its series that cannot be read/,
  );
});
