import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ErrorCode } from '../../lib/errors.ts';
import { decidingReason, exitCode, exitCodeOfError, strongest } from '../../lib/result/exit-code.ts';
import type { ReasonCode } from '../../lib/result/result.ts';

// Strongest first; those of one row share a code.
const ladder: [code: number, reasons: ReasonCode[]][] = [
  [70, ['bug']],
  [2, ['target-description']],
  [4, ['generator-limited', 'generator-resources', 'lost-worker']],
  [130, ['sigint', 'aborted', 'killed']],
  [143, ['sigterm']],
  [3, ['unreachable']],
  [99, ['threshold']],
  [1, ['check', 'verdict']],
];

const result = (...codes: ReasonCode[]) => ({ reasons: codes.map((code) => ({ code, message: code })) });

test('a result without reasons is 0', () => {
  assert.equal(exitCode(result()), 0);
  assert.equal(decidingReason(result()), undefined);
});

for (const [code, reasons] of ladder) {
  for (const reason of reasons)
    test(`${reason} is ${code}`, () => assert.equal(exitCode(result(reason)), code));
}

test('of several reasons the strongest decides, whatever their order', () => {
  const flat = ladder.flatMap(([code, reasons]) => reasons.map((reason) => ({ code, reason })));
  flat.forEach((strong, index) => {
    for (const weak of flat.slice(index + 1)) {
      assert.equal(exitCode(result(strong.reason, weak.reason)), strong.code);
      assert.equal(exitCode(result(weak.reason, strong.reason)), strong.code);
      if (weak.code !== strong.code) {
        assert.equal(decidingReason(result(weak.reason, strong.reason))?.code, strong.reason);
      }
    }
  });
});

test('of reasons with one code, the cause is named before what came of it', () => {
  for (const cause of ['generator-resources', 'lost-worker'] as const) {
    assert.equal(decidingReason(result('generator-limited', cause))?.code, cause);
    assert.equal(decidingReason(result(cause, 'generator-limited', 'threshold'))?.code, cause);
  }
  assert.equal(decidingReason(result('threshold', 'generator-limited'))?.code, 'generator-limited');
  assert.equal(
    decidingReason(result('lost-worker', 'generator-resources'))?.code,
    'lost-worker',
    'else the first',
  );
});

test('a report that could not be written (6) stands between inconclusive and interrupted', () => {
  assert.equal(strongest([6, 130, 99, 1, 0]), 6);
  assert.equal(strongest([6, 4]), 4);
  assert.equal(strongest([0]), 0);
});

test('a code that nobody knows is a bug', () => {
  assert.equal(strongest([]), 70);
  assert.equal(strongest([42]), 70);
});

// The compiler keeps this complete.
const byError: Record<ErrorCode, number> = {
  USAGE: 2,
  CONFIG: 2,
  SERVER_START: 2,
  RESOURCES: 2,
  REPORT_WRITE: 6,
  INTERNAL: 70,
};

for (const [error, exit] of Object.entries(byError)) {
  test(`exit code of ${error}`, () => assert.equal(exitCodeOfError(error as ErrorCode), exit));
}

test('README lists every kind of exception with its exit code', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` *\| (\d+) /gm)];
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row[1], Number(row[2])])), byError);
});
