// What reports say of windows: before, after, and all at once within them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecoveryRecord } from '../../lib/result/result.ts';
import { recoveryFacts, windowSentence } from '../../reports/recovery-words.ts';
import { stormPassed } from '../fixtures/storm-results.ts';

test('clients that keep to a window and do not spread over it are called by their peak', () => {
  const result = stormPassed();
  const { recovery } = result;
  assert.ok(recovery);
  const come = (peakPerSecond: number, changes: Partial<RecoveryRecord> = {}): RecoveryRecord => ({
    ...recovery,
    lost: 200,
    windows: { given: 200, early: 0, late: 0, minMs: 100, maxMs: 5000 },
    connects: { peakPerSecond, meanPerSecond: 41 },
    ...changes,
  });
  const facts = (record: RecoveryRecord): unknown =>
    recoveryFacts({ ...result, recovery: record })
      .find(({ label }) => label === 'Windows')
      ?.parts.at(-1);
  // 4 in 100 ms on average; twice that, and by chance a few more.
  for (const honest of [41, 80, 120]) {
    assert.match(windowSentence(come(honest)), /every client kept to it\.$/);
    assert.equal(facts(come(honest)), 'all honoured');
  }
  const herd = come(2000);
  assert.match(
    windowSentence(herd),
    /did not spread over it: the peak was 2,000 connects\/s, evenly .* 40\.8\.$/,
  );
  assert.equal(facts(herd), 'kept, and NOT spread over');
  // Retry-After has no end: nobody can say what even would be.
  const open = come(2000, { windows: { given: 200, early: 0, late: 0, minMs: 1000, maxMs: 1000 } });
  assert.match(windowSentence(open), /every client kept to it\.$/);
});
