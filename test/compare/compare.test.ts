import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults } from '../../lib/compare/compare.ts';
import type { ComparisonRow } from '../../lib/compare/comparison.ts';
import type { StressResult } from '../../lib/result/result.ts';
import {
  quickFailed,
  quickPassed,
  stressInconclusive,
  stressInterrupted,
  stressLost,
  stressPassed,
  stressSilent,
  stressUnreachable,
} from '../fixtures/results.ts';

function row(before: StressResult, after: StressResult, metric: string): ComparisonRow {
  const found = compareResults(before, after).rows.find((candidate) => candidate.metric === metric);
  assert.ok(found, metric);
  return found;
}

const withDerived = (derived: Partial<StressResult['derived']>): StressResult => {
  const result = stressPassed();
  return { ...result, derived: { ...result.derived, ...derived } };
};

test('the first rows of two stress runs are pass rate, message rate, error rate and stability', () => {
  const { rows } = compareResults(stressPassed(), stressLost());
  assert.deepEqual(
    rows.slice(0, 4).map(({ metric, better, unit }) => [metric, better, unit]),
    [
      ['pass_rate', 'higher', '%'],
      ['throughput', 'higher', '/s'],
      ['error_rate', 'lower', '%'],
      ['uptime', 'higher', '%'],
    ],
  );
  assert.deepEqual(
    rows.slice(4).map(({ metric }) => metric),
    [
      'rtt.mean',
      'rtt.p50',
      'rtt.p90',
      'rtt.p99',
      'rtt.p99.9',
      'rtt.max',
      'service.p99',
      'connect.p99',
      'messages.lost',
      'connections.failed',
    ],
  );
});

// biome-ignore format: a table
const changes: [before: number | null, after: number | null, change: number | null, throughput: string, errorRate: string][] = [
  [100, 110, 0.1, 'better', 'worse'],
  [100, 50, -0.5, 'worse', 'better'],
  [100, 100, 0, 'same', 'same'],
  [0, 5, null, 'better', 'worse'],
  [5, 0, -1, 'worse', 'better'],
  [0, 0, null, 'same', 'same'],
  [null, 5, null, 'n/a', 'n/a'],
  [5, null, null, 'n/a', 'n/a'],
  [null, null, null, 'n/a', 'n/a'],
];
for (const [before, after, change, throughput, errorRate] of changes) {
  test(`${before} to ${after}`, () => {
    const higher = row(withDerived({ throughput: before }), withDerived({ throughput: after }), 'throughput');
    assert.deepEqual([higher.before, higher.after, higher.direction], [before, after, throughput]);
    if (change === null) assert.equal(higher.change, null);
    else assert.ok(Math.abs((higher.change ?? Number.NaN) - change) < 1e-12);
    const lower = row(withDerived({ error_rate: before }), withDerived({ error_rate: after }), 'error_rate');
    assert.equal(lower.direction, errorRate);
  });
}

test('a lost percentile ranks above every number', () => {
  const toLost = row(stressPassed(), stressLost(), 'rtt.p99');
  assert.deepEqual(
    [toLost.direction, toLost.change, toLost.after, toLost.afterReason],
    ['worse', null, null, 'lost'],
  );
  const fromLost = row(stressLost(), stressPassed(), 'rtt.p99');
  assert.deepEqual(
    [fromLost.direction, fromLost.beforeReason, fromLost.afterReason],
    ['better', 'lost', undefined],
  );
  assert.equal(row(stressSilent(), stressLost(), 'rtt.p99').direction, 'same');
  assert.equal(row(stressUnreachable(), stressLost(), 'rtt.p99').direction, 'n/a');
  assert.equal(row(stressUnreachable(), stressLost(), 'rtt.p99').beforeReason, 'no samples');
});

test('swapping the runs mirrors every direction', () => {
  const mirror = { better: 'worse', worse: 'better', same: 'same', 'n/a': 'n/a' } as const;
  const there = compareResults(stressPassed(), stressLost()).rows;
  const back = compareResults(stressLost(), stressPassed()).rows;
  assert.deepEqual(
    back.map(({ direction }) => direction),
    there.map(({ direction }) => mirror[direction]),
  );
});

test('a check that passed and fails now is a regression; other changes are listed only', () => {
  const { checks, regressions, rows } = compareResults(quickPassed(), quickFailed());
  assert.deepEqual(regressions, ['invalid: passed before, fails now']);
  assert.deepEqual(
    checks.map(({ id, before, after }) => [id, before, after]),
    [
      ['invalid', 'passed', 'failed'],
      ['dashboard', 'passed', 'skipped'],
      ['close', null, 'failed'],
      ['rate-limit', 'passed', 'skipped'],
    ],
  );
  assert.deepEqual([rows[0]?.metric, rows[0]?.before, rows[0]?.after], ['pass_rate', 100, 60]);
  const back = compareResults(quickFailed(), quickPassed());
  assert.deepEqual(back.regressions, []);
  assert.deepEqual(back.checks.at(-1), {
    id: 'close',
    title: 'Connections close cleanly, whoever of the two begins it',
    before: 'failed',
    after: null,
  });
});

test('stress runs have no regressions without limits', () => {
  assert.deepEqual(compareResults(stressPassed(), stressSilent()).regressions, []);
});

test('runs of different kinds cannot be compared', () => {
  for (const [one, other] of [
    [quickPassed(), stressPassed()],
    [stressPassed(), quickPassed()],
  ] as const) {
    assert.throws(() => compareResults(one, other), {
      code: 'USAGE',
      message: /cannot compare a (quick|stress) run/,
    });
  }
});

test('a run compared with itself is the same everywhere, without a warning', () => {
  for (const result of [quickPassed(), quickFailed(), stressPassed(), stressLost()]) {
    const { rows, warnings, checks, regressions } = compareResults(result, result);
    assert.deepEqual([warnings, checks, regressions], [[], [], []]);
    assert.ok(rows.every(({ direction }) => direction === 'same'));
  }
});

test('what makes runs incomparable is said', () => {
  const passed = stressPassed();
  const messages = (after: StressResult): string =>
    compareResults(passed, after)
      .warnings.map(({ message }) => message)
      .join('\n');
  const replanned = {
    ...passed,
    plan: {
      ...passed.plan,
      hash: 'other',
      options: { ...passed.plan.options, ratePerSecond: 200, sizeBytes: undefined },
    },
  };
  assert.equal(messages(replanned), 'not the same plan: ratePerSecond 100 and 200, sizeBytes 32 and nothing');
  const elsewhere = { ...passed.plan.options, url: 'ws://other', seed: 7 };
  assert.equal(messages({ ...passed, plan: { ...passed.plan, hash: 'other', options: elsewhere } }), '');
  assert.match(
    messages({ ...passed, plan: { ...passed.plan, hash: 'other' } }),
    /not the same plan: ab12cd34 and other/,
  );
  assert.match(
    messages({ ...passed, host: { ...passed.host, cpus: 2 } }),
    /machine or runtime: cpus 8 and 2/,
  );
  assert.match(messages({ ...passed, target: { ...passed.target, embedded: false } }), /embedded server/);
  assert.match(
    messages({ ...passed, run: { ...passed.run, wsbench: '9.9.9' } }),
    /not the same wsbench: 0.1.0 and 9.9.9/,
  );
  assert.match(messages(stressInconclusive()), /the run after is inconclusive: send lag/);
  assert.match(messages(stressInterrupted()), /the run after was interrupted/);
});

test('nobody is told that one pair proves anything', () => {
  assert.match(
    compareResults(stressPassed(), stressLost()).note,
    /not whether the difference is significant/,
  );
});

test('a message rate that was asked for differently is neither better nor worse', () => {
  const before = stressPassed();
  const other = withDerived({ throughput: 2 });
  const after = { ...other, plan: { ...other.plan, options: { ...other.plan.options, ratePerSecond: 7 } } };
  assert.equal(row(before, other, 'throughput').direction, 'worse');
  assert.equal(row(before, after, 'throughput').direction, 'n/a');
});
