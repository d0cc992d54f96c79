// Verdicts that are expected of a server: whether a verdict is one of them, worse or better. Pure.
import type { Behavior, CloseBehavior, FailOn, VerdictRecord } from '../result/result.ts';
import {
  behaviorFails,
  closeFails,
  compareCaseIds,
  isRacy,
  rankBehavior,
  rankClose,
  type Verdict,
} from '../result/verdicts.ts';

/** What is expected of one case: any of these. */
export interface Expectation {
  behavior: readonly Behavior[];
  /** Left out: what the run accepts anyway; anything where FAILED is expected. */
  close?: readonly CloseBehavior[];
}

/** Expectations by case id. */
export type Expectations = ReadonlyMap<string, Expectation>;

/**
 * A verdict against what is expected of its case: `worse` when either column is, then `better`, else `as-expected`. Undefined when
 * nothing is expected of the case.
 */
export function judgeExpected(
  verdict: Verdict,
  expectation: Expectation | undefined,
  failOn: FailOn,
): VerdictRecord['against'] {
  if (!expectation) return undefined;
  const sides = [
    side(verdict.behavior, expectation.behavior, rankBehavior),
    closeSide(verdict.behaviorClose, expectation, failOn),
  ];
  if (sides.includes('worse')) return 'worse';
  return sides.includes('better') ? 'better' : 'as-expected';
}

function closeSide(
  close: CloseBehavior,
  { behavior, close: expected }: Expectation,
  failOn: FailOn,
): 'as-expected' | 'worse' | 'better' {
  if (expected) return side(close, expected, rankClose);
  return !behavior.includes('FAILED') && closeFails(close, failOn) ? 'worse' : 'as-expected';
}

/** Between the best and the worst of a set is nothing to tell of. */
function side<Word>(
  word: Word,
  expected: readonly Word[],
  rank: (one: Word, other: Word) => number,
): 'as-expected' | 'worse' | 'better' {
  if (expected.includes(word)) return 'as-expected';
  if (expected.every((one) => rank(word, one) > 0)) return 'worse';
  return expected.every((one) => rank(word, one) < 0) ? 'better' : 'as-expected';
}

/** The verdicts of one case, of every time that it ran. */
function all(verdict: VerdictRecord): Verdict[] {
  return [verdict, ...(verdict.flaky ?? [])];
}

/**
 * What is expected once a run is taken as the measure: its verdicts, and both OK and NON-STRICT where either may come in any run.
 * What was expected before stays where the verdict still is one of those, and of cases that did not run.
 */
export function updateExpectations(
  before: Expectations,
  verdicts: readonly VerdictRecord[],
  failOn: FailOn,
): Map<string, Expectation> {
  const after = new Map(before);
  for (const verdict of verdicts) {
    const known = before.get(verdict.caseId);
    const holds = all(verdict).every((one) => judgeExpected(one, known, failOn) === 'as-expected');
    if (!known || !holds) after.set(verdict.caseId, expectationOf(verdict));
  }
  return new Map([...after].sort(([one], [other]) => compareCaseIds(one, other)));
}

function expectationOf(verdict: VerdictRecord): Expectation {
  const seen = all(verdict);
  const behavior = [...new Set(seen.map((one) => one.behavior))];
  const isRace = isRacy(verdict.caseId) && behavior.every((one) => one === 'OK' || one === 'NON-STRICT');
  const close = [...new Set(seen.map((one) => one.behaviorClose))];
  return {
    behavior: isRace ? ['OK', 'NON-STRICT'] : behavior.sort(rankBehavior),
    ...(close.every((one) => one === 'OK') && !behavior.some((one) => behaviorFails(one, 'failed'))
      ? {}
      : { close: close.sort(rankClose) }),
  };
}
