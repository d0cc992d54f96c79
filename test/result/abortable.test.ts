// Which thresholds are known to be crossed before a run is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimeStats } from '../../lib/metrics/histogram.ts';
import { counterMetrics, derivedMetrics, timeMetrics } from '../../lib/metrics/names.ts';
import { abortable } from '../../lib/result/abortable.ts';
import { type Figures, parseThreshold } from '../../lib/result/thresholds.ts';

const none: TimeStats = {
  count: 0,
  censored: 0,
  min: null,
  mean: null,
  p50: null,
  p90: null,
  p95: null,
  p99: null,
  p999: null,
  max: null,
  unit: 'ms',
  reason: 'no samples',
};
const some: TimeStats = {
  count: 5000,
  censored: 0,
  min: 1,
  mean: 10,
  p50: 8,
  p90: 20,
  p95: 25,
  p99: 31,
  p999: 40,
  max: 50,
  unit: 'ms',
};
const start: Figures = {
  metrics: Object.fromEntries(timeMetrics.map((name) => [name, none])) as Figures['metrics'],
  counters: Object.fromEntries(counterMetrics.map((name) => [name, 0])) as Figures['counters'],
  derived: Object.fromEntries(derivedMetrics.map((name) => [name, null])) as Figures['derived'],
};

interface So {
  rtt?: Partial<TimeStats>;
  counters?: Partial<Figures['counters']>;
  derived?: Partial<Figures['derived']>;
}
const figures = ({ rtt, counters, derived }: So): Figures => ({
  metrics: { ...start.metrics, ...(rtt ? { rtt: { ...some, ...rtt } } : {}) },
  counters: { ...start.counters, ...counters },
  derived: { ...start.derived, ...derived },
});
const scheduled = (count: number, error_rate: number): So => ({
  counters: { 'messages.scheduled': count },
  derived: { error_rate },
});

// biome-ignore format: a table
const rows: [expression: string, name: string, so: So, crossed: boolean][] = [
  // What only grows is crossed for good, with the first that is too many.
  ['messages.corrupt==0', 'nothing yet', {}, false],
  ['messages.corrupt==0', 'one', { counters: { 'messages.corrupt': 1 } }, true],
  ['messages.lost<10', 'the last that is allowed', { counters: { 'messages.lost': 9 } }, false],
  ['messages.lost<10', 'one too many', { counters: { 'messages.lost': 10 } }, true],
  ['messages.lost<=10', 'the last that is allowed', { counters: { 'messages.lost': 10 } }, false],
  ['messages.lost<=10', 'one too many', { counters: { 'messages.lost': 11 } }, true],
  ['connections.failed==0', 'one', { counters: { 'connections.failed': 1 } }, true],
  ['connections.abnormal<5', 'five', { counters: { 'connections.abnormal': 5 } }, true],
  ['protocol_errors==0', 'one', { counters: { protocol_errors: 1 } }, true],
  ['errors==0', 'one', { derived: { errors: 1 } }, true],
  ['errors==0', 'not known', {}, false],
  ['rtt.max<50ms', 'the limit', { rtt: { count: 1, max: 50 } }, true],
  ['rtt.max<51ms', 'below it', { rtt: {} }, false],
  ['rtt.max<51ms', 'one was lost', { rtt: { censored: 1, max: null, reason: 'lost' } }, true],
  ['rtt.count<=10', 'more', { rtt: { count: 11 } }, true],
  // What has to become large is low at the start, and what may still come true is not crossed.
  ['messages.matched>=1000', 'nothing yet', {}, false],
  ['messages.matched>1000', 'few', { counters: { 'messages.matched': 5 } }, false],
  ['messages.matched==1000', 'on the way', { counters: { 'messages.matched': 5 } }, false],
  ['messages.matched==1000', 'beyond', { counters: { 'messages.matched': 1001 } }, true],
  ['messages.lost!=0', 'none yet', {}, false],
  ['rtt.count>=100', 'nothing yet', {}, false],
  ['rtt.p50>9ms', 'below', { rtt: {} }, false],
  ['rtt.p50==9ms', 'below', { rtt: {} }, false],
  // Figures that only the end has.
  ['throughput>=92/s', 'low', { derived: { throughput: 3 } }, false],
  ['throughput<10/s', 'high', { derived: { throughput: 30 } }, false],
  ['uptime>=99.9%', 'low', { derived: { uptime: 0.5 } }, false],
  ['backlog.end<10', 'high', { derived: { 'backlog.end': 99 } }, false],
  ['rtt.min<1ms', 'may still fall', { rtt: { min: 5 } }, false],
  ['connections.attempted<10', 'attempts may be taken back', { counters: { 'connections.attempted': 20 } }, false],
  // Percentiles and means so far, of enough samples.
  ['rtt.p99<20ms', 'no samples', {}, false],
  ['rtt.p99<20ms', 'crossed', { rtt: {} }, true],
  ['rtt.p99<=31ms', 'the limit', { rtt: {} }, false],
  ['rtt.p99<20ms', 'crossed, by 200', { rtt: { count: 200 } }, true],
  ['rtt.p99<20ms', 'of too few', { rtt: { count: 199 } }, false],
  ['rtt.p99<20ms', 'of too few, but with the lost ones', { rtt: { count: 199, censored: 1 } }, true],
  ['rtt.p99<20ms', 'among the lost', { rtt: { censored: 100, p99: null, reason: 'lost' } }, true],
  ['rtt.p99<40ms', 'some lost, and yet met', { rtt: { censored: 10, reason: 'lost' } }, false],
  ['rtt.p99.9<20ms', 'of 2000', { rtt: { count: 2000 } }, true],
  ['rtt.p99.9<20ms', 'of too few', { rtt: { count: 1999 } }, false],
  ['rtt.p95<20ms', 'of too few', { rtt: { count: 39 } }, false],
  ['rtt.p50<5ms', 'of 20', { rtt: { count: 20 } }, true],
  ['rtt.p50<5ms', 'of too few', { rtt: { count: 19 } }, false],
  ['rtt.mean<9ms', 'crossed', { rtt: {} }, true],
  ['rtt.mean<9ms', 'one was lost', { rtt: { censored: 1, mean: null, reason: 'lost' } }, true],
  // The error rate so far, of enough messages for the rate that is asked for.
  ['error_rate<1%', 'no messages', {}, false],
  ['error_rate<1%', 'one of the first hundred', scheduled(100, 0.01), false],
  ['error_rate<1%', 'two of two hundred', scheduled(200, 0.01), true],
  ['error_rate<1%', 'less', scheduled(200, 0.005), false],
  ['error_rate<0.1%', 'of too few', scheduled(1999, 0.01), false],
  ['error_rate<0.1%', 'of enough', scheduled(2000, 0.002), true],
  ['error_rate<50%', 'of too few', scheduled(19, 1), false],
  ['error_rate<50%', 'of enough', scheduled(20, 1), true],
  ['error_rate==0', 'the first', scheduled(1, 1), true],
  ['error_rate<=0%', 'the first', scheduled(5, 0.2), true],
  ['error_rate==0', 'none', scheduled(1000, 0), false],
  ['error_rate>0', 'none', scheduled(1000, 0), false],
];
for (const [expression, name, so, crossed] of rows) {
  test(`${expression}: ${name}`, () => {
    const verdict = abortable(parseThreshold(expression), figures(so));
    assert.equal(verdict !== undefined, crossed);
    if (verdict) assert.deepEqual([verdict.expression, verdict.ok], [expression, false]);
  });
}

test('nothing is crossed before anything happened, whatever is asked', () => {
  const all = [
    ...counterMetrics.map((name) => `${name}OP0`),
    ...timeMetrics.flatMap((name) =>
      ['count', 'min', 'mean', 'max', 'p50', 'p99'].map(
        (stat) => `${name}.${stat}OP${stat === 'count' ? '5' : '5ms'}`,
      ),
    ),
    ...derivedMetrics.map((name) => `${name}OP5`),
  ];
  for (const text of all) {
    for (const op of ['<=', '==', '>', '>=', '!=']) {
      const expression = text.replace('OP', op);
      assert.equal(abortable(parseThreshold(expression), start), undefined, expression);
    }
  }
});
