// Skips of one kind take one line, so that what was checked stays in sight.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileReport, renderText } from '../../reports/index.ts';
import { quickPassed } from '../fixtures/results.ts';

const skipped = (id: string, detail: string) => ({
  id,
  title: id,
  status: 'skipped' as const,
  durationMs: 0,
  detail,
});

function rendered(...skips: ReturnType<typeof skipped>[]): string {
  const result = quickPassed();
  return renderText([{ ...result, checks: [...result.checks.slice(0, 2), ...skips] }], fileReport);
}

test('three skips with one reason are gathered, and each id is named', () => {
  const text = rendered(...['a-one', 'b-two', 'c-three'].map((id) => skipped(id, 'needs --preset wsbench')));
  assert.match(text, /– 3 skipped: needs --preset wsbench \(a-one, b-two, c-three\)/);
  assert.equal(text.match(/needs --preset wsbench/g)?.length, 1);
});

test('two of a kind, and others beside them, keep their lines', () => {
  const text = rendered(
    skipped('a-one', 'needs a key'),
    skipped('b-two', 'needs a key'),
    skipped('c-three', 'other'),
  );
  assert.match(text, /– a-one +skipped: needs a key\n/);
  assert.match(text, /– b-two +skipped: needs a key\n/);
  assert.match(text, /– c-three +skipped: other\n/);
});
