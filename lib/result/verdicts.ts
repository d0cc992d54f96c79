// What conformance verdicts amount to: which fail a run, and which of two is worse. Pure.
import type { AgentRecord, Behavior, CloseBehavior, FailOn, VerdictRecord } from './result.ts';

/** The two columns of a verdict. */
export type Verdict = Pick<VerdictRecord, 'behavior' | 'behaviorClose'>;

/** What happened, from best to worst. */
const behaviorRanks: Record<Behavior, number> = {
  OK: 0,
  INFORMATIONAL: 0,
  'NON-STRICT': 1,
  UNIMPLEMENTED: 2,
  FAILED: 3,
};

/** How it ended, from best to worst. */
const closeRanks: Record<CloseBehavior, number> = {
  OK: 0,
  INFORMATIONAL: 0,
  UNCLEAN: 1,
  'WRONG CODE': 2,
  'FAILED BY CLIENT': 3,
  FAILED: 4,
};

/** Every behaviour, best first. */
export const behaviors = Object.keys(behaviorRanks) as readonly Behavior[];
/** Every close behaviour, best first. */
export const closeBehaviors = Object.keys(closeRanks) as readonly CloseBehavior[];

/** Below 0 when the first is better, above 0 when it is worse. */
export function rankBehavior(one: Behavior, other: Behavior): number {
  return behaviorRanks[one] - behaviorRanks[other];
}

/** Likewise for how it ended. */
export function rankClose(one: CloseBehavior, other: CloseBehavior): number {
  return closeRanks[one] - closeRanks[other];
}

/** What fails a run by the close column. */
export function closeFails(close: CloseBehavior, failOn: FailOn): boolean {
  return closeRanks[close] >= (failOn === 'failed' ? closeRanks['WRONG CODE'] : closeRanks.UNCLEAN);
}

/** What fails a run by the behaviour column. UNIMPLEMENTED never does: compression is an extension. */
export function behaviorFails(behavior: Behavior, failOn: FailOn): boolean {
  return behavior === 'FAILED' || (failOn === 'non-strict' && behavior === 'NON-STRICT');
}

/**
 * Whether a verdict fails its run. Where verdicts were expected, those decide: `against` says worse, and a failure that was
 * expected is none.
 */
export function failsRun(verdict: VerdictRecord, failOn: FailOn): boolean {
  if (verdict.against !== undefined) return verdict.against === 'worse';
  return behaviorFails(verdict.behavior, failOn) || closeFails(verdict.behaviorClose, failOn);
}

/** Whether there is nothing to say of a verdict. */
export function isSpotless({ behavior, behaviorClose }: Verdict): boolean {
  return rankBehavior(behavior, 'OK') === 0 && rankClose(behaviorClose, 'OK') === 0;
}

/** `OK`, `FAILED`, `OK, close UNCLEAN`: both columns, the second where it says something. */
export function verdictWords({ behavior, behaviorClose }: Verdict): string {
  const isSame = behavior === behaviorClose || rankClose(behaviorClose, 'OK') === 0;
  return isSame ? behavior : `${behavior}, close ${behaviorClose}`;
}

// In these the echo of what came before races against the close for what is broken: neither order is wrong.
const racy: ReadonlySet<string> = new Set('3.2 3.3 3.4 4.1.3 4.1.4 4.1.5 4.2.3 4.2.4 4.2.5 5.15'.split(' '));

/** Whether a case may be OK in one run and NON-STRICT in the next, with nothing changed. */
export function isRacy(caseId: string): boolean {
  return racy.has(caseId);
}

/** The number of the section that a case is in: `12` for `12.1.3`. */
export function sectionOf(caseId: string): string {
  return caseId.split('.', 1)[0] ?? caseId;
}

/** Below 0 when the first case comes first: `2.9` before `2.10`. */
export function compareCaseIds(one: string, other: string): number {
  const [left, right] = [one.split('.').map(Number), other.split('.').map(Number)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? -1) - (right[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How the cases of one agent ended. */
export interface AgentTally {
  total: number;
  /** Verdicts that do not fail the run. */
  passed: number;
  failed: number;
  notRun: number;
}

/** Counts the verdicts of an agent. */
export function tallyAgent({ verdicts, notRun }: AgentRecord, failOn: FailOn): AgentTally {
  const failed = verdicts.filter((verdict) => failsRun(verdict, failOn)).length;
  return {
    total: verdicts.length,
    passed: verdicts.length - failed,
    failed,
    notRun: notRun?.caseIds.length ?? 0,
  };
}
