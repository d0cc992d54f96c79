import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zeroCounters } from '../../lib/metrics/counters.ts';
import { Histogram, timeStats } from '../../lib/metrics/histogram.ts';
import { type TimeMetric, timeMetrics } from '../../lib/metrics/names.ts';
import {
  defaultThresholds,
  type Figures,
  judgeThreshold,
  parseThreshold,
  planThresholds,
} from '../../lib/result/thresholds.ts';

// biome-ignore format: a table
const valid: [text: string, metric: string, stat: string | null, op: string, limit: number, unit: string][] = [
  ['rtt.p99<20ms', 'rtt', 'p99', '<', 20, 'ms'],
  ['  rtt.p99 < 20ms ', 'rtt', 'p99', '<', 20, 'ms'],
  ['rtt.p99.9<=1.5s', 'rtt', 'p999', '<=', 1500, 'ms'],
  ['rtt.p999<1s', 'rtt', 'p999', '<', 1000, 'ms'],
  ['rtt.avg<10ms', 'rtt', 'mean', '<', 10, 'ms'],
  ['rtt.med<250us', 'rtt', 'p50', '<', 0.25, 'ms'],
  ['rtt.max<1m', 'rtt', 'max', '<', 60_000, 'ms'],
  ['rtt.count>=100', 'rtt', 'count', '>=', 100, ''],
  ['connect.upgrade.p50<5ms', 'connect.upgrade', 'p50', '<', 5, 'ms'],
  ['connect.p50<5ms', 'connect', 'p50', '<', 5, 'ms'],
  ['send_lag.p90<1ms', 'send_lag', 'p90', '<', 1, 'ms'],
  ['errors==0', 'errors', null, '==', 0, ''],
  ['messages.lost!=3', 'messages.lost', null, '!=', 3, ''],
  ['error_rate<0.1%', 'error_rate', null, '<', 0.1, '%'],
  ['error_rate<0.001', 'error_rate', null, '<', 0.1, '%'],
  ['uptime>=99.9 %', 'uptime', null, '>=', 99.9, '%'],
  ['throughput>=92/s', 'throughput', null, '>=', 92, '/s'],
  ['throughput>5k/s', 'throughput', null, '>', 5000, '/s'],
  ['throughput>600/m', 'throughput', null, '>', 10, '/s'],
  ['backlog.end<=10', 'backlog.end', null, '<=', 10, ''],
  ['protocol_errors==0', 'protocol_errors', null, '==', 0, ''],
];

for (const [text, metric, stat, op, limit, unit] of valid) {
  test(`reads ${text}`, () => {
    assert.deepEqual(parseThreshold(text, 'scenario'), {
      expression: text.trim(),
      metric,
      stat,
      op,
      limit,
      unit,
      source: 'scenario',
    });
  });
}

// biome-ignore format: a table
const invalid: [text: string, message: RegExp][] = [
  ['', /expected metric, operator and value/],
  ['rtt.p99', /expected metric, operator and value/],
  ['rtt.p99<', /expected metric, operator and value/],
  ['rtt.p99=20ms', /expected metric, operator and value/],
  ['<20ms', /expected metric, operator and value/],
  ['latency.p99<20ms', /unknown metric "latency.p99"; known: .*rtt/],
  ['rttx.p99<20ms', /unknown metric/],
  ['rtt<20ms', /rtt needs a statistic, such as rtt.p99/],
  ['rtt.p98<20ms', /unknown statistic "p98" of rtt/],
  ['rtt.constructor<20ms', /unknown statistic "constructor"/],
  ['rtt.tostring<20ms', /unknown statistic/],
  ['rtt.p99<20', /no unit; write 20s or 20ms/],
  ['rtt.p99<20%', /not a duration/],
  ['rtt.p99<fast', /not a duration/],
  ['rtt.p99<5constructor', /not a duration/],
  ['rtt.count<5ms', /not a number/],
  ['errors.p99==0', /errors has no statistics/],
  ['errors==0%', /errors is a count, not a percentage/],
  ['errors==none', /not a number/],
  ['error_rate<%', /not a number/],
  ['error_rate< %', /not a number/],
  ['error_rate<1%%', /not a number/],
  ['throughput>=fast', /not a rate/],
  ['throughput>=5constructor', /not a rate/],
];

for (const [text, message] of invalid) {
  test(`refuses "${text}"`, () => {
    assert.throws(
      () => parseThreshold(text),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'USAGE');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test('an explicit threshold replaces the default on its metric, and only that', () => {
  const planned = planThresholds([parseThreshold('error_rate<5%'), parseThreshold('rtt.p99<1s')]);
  assert.deepEqual(
    planned.map(({ expression, source }) => [expression, source]),
    [
      ['connections.failed==0', 'default'],
      ['messages.corrupt==0', 'default'],
      ['protocol_errors==0', 'default'],
      ['error_rate<5%', 'option'],
      ['rtt.p99<1s', 'option'],
    ],
  );
});

test('several explicit thresholds on one metric all count; defaults can be removed', () => {
  const explicit = [parseThreshold('rtt.p99<1s'), parseThreshold('rtt.p50<1ms')];
  assert.deepEqual(planThresholds(explicit, false), explicit);
  assert.equal(planThresholds([]).length, defaultThresholds.length);
});

function figures(samplesMs: number[], censored = 0): Figures {
  const histogram = new Histogram();
  for (const ms of samplesMs) histogram.record(ms * 1000);
  const empty = timeStats(new Histogram());
  const metrics = Object.fromEntries(timeMetrics.map((name) => [name, empty])) as Record<
    TimeMetric,
    typeof empty
  >;
  return {
    metrics: { ...metrics, rtt: timeStats(histogram, censored) },
    counters: { ...zeroCounters(), 'messages.lost': censored },
    derived: { errors: censored, error_rate: 0.02, throughput: 99.5, uptime: 1, 'backlog.end': null },
  };
}

const judge = (text: string, of: Figures) => judgeThreshold(parseThreshold(text), of);

test('judges times, counters, ratios and rates', () => {
  const of = figures([1, 2, 3, 4]);
  const verdicts = (texts: string[]) => texts.map((text) => judge(text, of).ok);
  assert.deepEqual(verdicts(['rtt.p50<2.1ms', 'rtt.max<4ms', 'rtt.count==4', 'rtt.min>=1ms']), [
    true,
    false,
    true,
    true,
  ]);
  assert.deepEqual(
    verdicts(['error_rate<=2%', 'error_rate<2%', 'uptime>=100%', 'throughput>=92/s', 'messages.lost==0']),
    [true, false, true, true, true],
  );
  assert.equal(judge('error_rate<1%', of).actual, 2);
});

test('a figure that is missing never meets a threshold, whatever the operator', () => {
  const lost = figures([1, 2], 1);
  const none = figures([]);
  for (const op of ['<', '<=', '>', '>=', '==', '!=']) {
    for (const text of [`rtt.p99${op}20ms`, `rtt.mean${op}20ms`, `rtt.max${op}20ms`]) {
      const record = judge(text, lost);
      assert.deepEqual([record.ok, record.actual, record.reason], [false, null, 'lost'], text);
    }
    for (const text of [`rtt.p50${op}20ms`, `rtt.count${op}0`]) {
      const record = judge(text, none);
      assert.deepEqual([record.ok, record.actual, record.reason], [false, null, 'no samples'], text);
    }
    const backlog = judge(`backlog.end${op}0`, lost);
    assert.deepEqual([backlog.ok, backlog.actual, backlog.reason], [false, null, 'no samples']);
  }
  assert.equal(judge('rtt.p50<20ms', lost).ok, true, 'below the lost rank, the percentile is known');
});
