// Which of two verdicts is worse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareResults } from '../../lib/compare/compare.ts';
import type { Behavior, CloseBehavior, ConformResult } from '../../lib/result/result.ts';
import { conformPassed, verdict } from '../fixtures/conform-results.ts';

type Pair = [Behavior, CloseBehavior];

function one(id: string, pair: Pair | undefined, name = 'a'): ConformResult {
  const verdicts = pair ? [verdict(id, 'title', { behavior: pair[0], behaviorClose: pair[1] })] : [];
  return { ...conformPassed(), agents: [{ name, url: 'ws://a/', verdicts }] };
}

// biome-ignore format: a table
const rows: [id: string, before: Pair | undefined, after: Pair | undefined, change: string | undefined][] = [
  ['1.1.1', ['OK', 'OK'], ['OK', 'OK'], undefined],
  ['1.1.1', ['OK', 'OK'], ['FAILED', 'FAILED'], 'worse'],
  ['1.1.1', ['OK', 'OK'], ['OK', 'UNCLEAN'], 'worse'],
  ['1.1.1', ['OK', 'UNCLEAN'], ['OK', 'FAILED BY CLIENT'], 'worse'],
  ['1.1.1', ['FAILED', 'OK'], ['OK', 'UNCLEAN'], 'worse'],
  ['1.1.1', ['FAILED', 'FAILED'], ['FAILED', 'UNCLEAN'], 'better'],
  ['1.1.1', ['NON-STRICT', 'OK'], ['OK', 'OK'], 'better'],
  ['12.1.1', ['OK', 'OK'], ['UNIMPLEMENTED', 'OK'], 'worse'],
  ['3.2', ['OK', 'OK'], ['NON-STRICT', 'OK'], 'racy'],
  ['3.4', ['NON-STRICT', 'OK'], ['OK', 'OK'], 'racy'],
  ['3.2', ['OK', 'OK'], ['FAILED', 'OK'], 'worse'],
  ['3.2', ['OK', 'OK'], ['NON-STRICT', 'UNCLEAN'], 'worse'],
  ['6.4.1', ['OK', 'OK'], ['NON-STRICT', 'OK'], 'worse'],
  ['7.1.6', ['INFORMATIONAL', 'INFORMATIONAL'], ['OK', 'OK'], 'same'],
  ['1.1.1', undefined, ['FAILED', 'OK'], 'new'],
  ['1.1.1', ['FAILED', 'OK'], undefined, 'gone'],
];

for (const [id, before, after, change] of rows) {
  test(`${id} from ${before?.join('/')} to ${after?.join('/')} is ${change ?? 'no change'}`, () => {
    const { verdicts, regressions } = compareResults(one(id, before), one(id, after));
    assert.deepEqual(
      verdicts.map((found) => found.change),
      change === undefined ? [] : [change],
    );
    assert.equal(regressions.length, change === 'worse' ? 1 : 0);
  });
}

test('two agents that are alone belong together, whatever they are called; of several, those of one name', () => {
  const alone = compareResults(one('1.1.1', ['OK', 'OK'], 'old'), one('1.1.1', ['FAILED', 'OK'], 'new'));
  assert.deepEqual(alone.regressions, ['1.1.1: OK before, FAILED now']);
  const several = (first: Behavior, second: Behavior): ConformResult => ({
    ...conformPassed(),
    agents: [...one('1.1.1', [first, 'OK'], 'a').agents, ...one('1.1.1', [second, 'OK'], 'b').agents],
  });
  const both = compareResults(several('OK', 'OK'), several('FAILED', 'FAILED'));
  assert.deepEqual(both.regressions, [
    '1.1.1 on a: OK before, FAILED now',
    '1.1.1 on b: OK before, FAILED now',
  ]);
});

test('another strictness is said', () => {
  const before = one('1.1.1', ['OK', 'OK']);
  const { warnings } = compareResults(before, { ...before, strictness: 'rfc' });
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['strictness-differs'],
  );
});
