// Limits of changes: what is understood, what is not, and when one is crossed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults } from '../../lib/compare/compare.ts';
import { parseChangeLimit } from '../../lib/compare/limits.ts';
import type { Result, StressResult } from '../../lib/result/result.ts';
import { comparisonFailures } from '../../reports/index.ts';
import { conformFailed, conformPassed } from '../fixtures/conform-results.ts';
import {
  quickFailed,
  quickPassed,
  stressLost,
  stressPassed,
  stressSilent,
  stressUnreachable,
} from '../fixtures/results.ts';

// biome-ignore format: a table
const understood: [text: string, kind: Result['kind'], metric: string, op: string, change: number, isRelative: boolean][] = [
  ['rtt.p99>+10%', 'stress', 'rtt.p99', '>', 0.1, true],
  [' rtt.p999 >= -2.5 % ', 'stress', 'rtt.p99.9', '>=', -0.025, true],
  ['rtt.med>+2ms', 'stress', 'rtt.p50', '>', 2, false],
  ['connect.upgrade.mean>+150us', 'stress', 'connect.upgrade.mean', '>', 0.15, false],
  ['throughput<-5%', 'stress', 'throughput', '<', -0.05, true],
  ['throughput<−100/s', 'stress', 'throughput', '<', -100, false],
  ['error_rate>+0.5pp', 'stress', 'error_rate', '>', 0.5, false],
  ['error_rate>+50%', 'stress', 'error_rate', '>', 0.5, true],
  ['messages.lost>0', 'stress', 'messages.lost', '>', 0, false],
  ['rtt.count<-10', 'stress', 'rtt.count', '<', -10, false],
  ['rtt.p99>0%', 'stress', 'rtt.p99', '>', 0, true],
  ['pass_rate<-1pp', 'quick', 'pass_rate', '<', -1, false],
  ['checks.skipped>+2', 'quick', 'checks.skipped', '>', 2, false],
  ['cases.non_strict>+0', 'conform', 'cases.non_strict', '>', 0, false],
];
for (const [text, kind, metric, op, change, isRelative] of understood) {
  test(`understood: ${text}`, () => {
    const limit = parseChangeLimit(text, kind);
    assert.deepEqual([limit.metric, limit.op, limit.isRelative], [metric, op, isRelative]);
    assert.ok(Math.abs(limit.change - change) < 1e-12, `${limit.change}`);
  });
}

// biome-ignore format: a table
const notUnderstood: [text: string, kind: Result['kind'], says: RegExp][] = [
  ['rtt.p99', 'stress', /expected metric, operator and signed change; write it like rtt\.p99>\+10%/],
  ['rtt.p99>10%', 'stress', /a change has a sign; write rtt\.p99>\+10% or rtt\.p99>-10%/],
  ['rt.p99>+10%', 'stress', /unknown metric "rt\.p99"; did you mean "rtt\.p99"\?/],
  ['troughput<-5%', 'stress', /did you mean "throughput"\?/],
  ['messages.losst>0', 'stress', /did you mean "messages\.lost"\?/],
  ['rtt>+10%', 'stress', /rtt needs a statistic, such as rtt\.p99/],
  ['rtt.p98>+10%', 'stress', /unknown statistic "p98" of rtt/],
  ['throughput.p99>+1%', 'stress', /throughput has no statistics/],
  ['rtt.p99>+10', 'stress', /"10" has no unit/],
  ['error_rate>+1ms', 'stress', /neither % of what it was nor percentage points \(pp\)/],
  ['messages.lost>+2ms', 'stress', /"2ms" is not a number/],
  ['rtt.p99>+x%', 'stress', /"x%" is not a percentage/],
  ['rtt.p99==+1%', 'stress', /expected metric, operator/],
  ['rtt.p99>+10%', 'quick', /unknown metric "rtt\.p99" of quick runs; there are pass_rate, checks\.passed/],
  ['checks.failed>0', 'conform', /unknown metric "checks\.failed" of conform runs/],
];
for (const [text, kind, says] of notUnderstood) {
  test(`not understood: ${text} (${kind})`, () => {
    assert.throws(() => parseChangeLimit(text, kind), { code: 'USAGE', message: says });
  });
}

const withRtt = (p99: number | null, reason?: 'lost'): StressResult => {
  const result = stressPassed();
  const { reason: _reason, ...rtt } = result.metrics.rtt;
  const stats = { ...rtt, p99, ...(reason ? { reason } : {}) };
  return { ...result, metrics: { ...result.metrics, rtt: stats } };
};
const withRate = (error_rate: number | null): StressResult => {
  const result = stressPassed();
  return { ...result, derived: { ...result.derived, error_rate } };
};

// biome-ignore format: a table
const judged: [name: string, limit: string, before: Result, after: Result, says: RegExp | null][] = [
  ['at the limit', 'rtt.p99>+10%', withRtt(10), withRtt(11), null],
  ['beyond it', 'rtt.p99>+10%', withRtt(10), withRtt(11.1), /^--fail-on rtt\.p99>\+10%: \+11\.0 % \(10\.00 ms → 11\.10 ms\)$/],
  ['at the limit, inclusive', 'rtt.p99>=+10%', withRtt(10), withRtt(11), /\+10\.0 %/],
  ['less than wanted', 'rtt.p99>-5%', withRtt(10), withRtt(9.8), /−2\.0 %/],
  ['absolute', 'rtt.p99>+2ms', withRtt(10), withRtt(12.5), /\+25\.0 %/],
  ['absolute, within', 'rtt.p99>+2ms', withRtt(10), withRtt(11.5), null],
  ['lost after, not before', 'rtt.p99>+1000%', stressPassed(), stressLost(), /^--fail-on rtt\.p99>\+1000%: 4\.05 ms → > 5 s \(lost\)$/],
  ['lost after, not before, absolute', 'rtt.p99>+1h', stressPassed(), stressLost(), /lost/],
  ['lost before, not after', 'rtt.p99>+10%', stressLost(), stressPassed(), null],
  ['lost on both sides', 'rtt.p99>0%', stressSilent(), stressLost(), null],
  ['no samples after', 'rtt.p99>+10%', stressPassed(), stressUnreachable(), /cannot be judged, the run after has no such figure/],
  ['no samples before', 'rtt.p99>+10%', stressUnreachable(), stressPassed(), /cannot be judged, the run before has no such figure/],
  ['from nothing to something', 'error_rate>+500%', withRate(0), withRate(0.001), /0 % → 0\.1 %/],
  ['from nothing to nothing', 'error_rate>0%', withRate(0), withRate(0), null],
  ['percentage points', 'error_rate>+0.5pp', withRate(0.001), withRate(0.007), /\+600\.0 %/],
  ['percentage points, within', 'error_rate>+0.5pp', withRate(0.001), withRate(0.006), null],
  ['a count that is no row', 'messages.unsent>0', stressPassed(), stressLost(), /0 → 60/],
  ['a time that is no row', 'service.p90>+1ms', stressPassed(), stressLost(), /service\.p90>\+1ms: /],
  ['a rate that fell', 'throughput<-3%', stressPassed(), stressLost(), /−4\.1 %/],
  ['checks', 'pass_rate<-10pp', quickPassed(), quickFailed(), /−40\.0 % \(100 % → 60 %\)/],
  ['cases', 'cases.failed>0', conformPassed(), conformFailed(), /cases\.failed>0: /],
];
for (const [name, limit, before, after, says] of judged) {
  test(`judged: ${name}`, () => {
    const comparison = compareResults(before, after, { failOn: [limit] });
    const failures = comparisonFailures(comparison).slice(comparison.regressions.length);
    assert.equal(failures.length, says ? 1 : 0, failures.join());
    if (says) assert.match(failures[0] ?? '', says);
    assert.equal(comparison.limits?.[0]?.crossed, says !== null);
  });
}

test('kinds that differ are said before a limit that fits neither', () => {
  assert.throws(() => compareResults(quickPassed(), stressPassed(), { failOn: ['nonsense'] }), {
    code: 'USAGE',
    message: /cannot compare a quick run with a stress run/,
  });
});
