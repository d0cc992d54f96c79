// From a case and what was seen to the record of its verdict.
import { redactText } from '../result/redact.ts';
import type { VerdictRecord } from '../result/result.ts';
import type { Case } from './case.ts';
import { describeExpected, describeSeen } from './describe.ts';
import { judge } from './judge.ts';
import type { ConformPlan } from './plan.ts';
import type { Seen } from './seen.ts';

const longest = 600;

/** The verdict of one run of a case; with what was seen where it is not OK. */
export function verdictOf(
  testCase: Case,
  seen: Seen,
  plan: Pick<ConformPlan, 'strictness' | 'reproduceBase'>,
): VerdictRecord {
  const { behavior, behaviorClose, rule } = judge(testCase, seen, plan.strictness);
  const isOk = isGood(behavior) && isGood(behaviorClose);
  return {
    caseId: testCase.id,
    title: testCase.title,
    spec: testCase.spec,
    behavior,
    behaviorClose,
    remoteCloseCode: seen.remoteCloseCode,
    durationMs: Math.round(seen.durationMs * 10) / 10,
    ...(rule === undefined ? {} : { rule }),
    ...(isOk
      ? {}
      : {
          expected: oneLine(describeExpected(testCase)),
          got: oneLine(describeSeen(seen)),
          reproduce: `${plan.reproduceBase} ${testCase.id}`,
          wire: seen.wire(),
        }),
  };
}

const isGood = (word: string): boolean => word === 'OK' || word === 'INFORMATIONAL';

function oneLine(text: string): string {
  const line = redactText(text.replace(/\s+/g, ' ').trim());
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}

// From the worst to the best, for what counts when runs of a case differ.
const ranks = [
  'FAILED',
  'WRONG CODE',
  'FAILED BY CLIENT',
  'UNCLEAN',
  'UNIMPLEMENTED',
  'NON-STRICT',
  'INFORMATIONAL',
  'OK',
];
const rankOf = ({ behavior, behaviorClose }: VerdictRecord): number =>
  10 * Math.min(ranks.indexOf(behavior), ranks.indexOf(behaviorClose)) + ranks.indexOf(behavior);

/** The verdict of several runs of a case: the worst, with how often each came where they differ. */
export function mergeRuns(runs: readonly [VerdictRecord, ...VerdictRecord[]]): VerdictRecord {
  const worst = runs.reduce((one, other) => (rankOf(other) < rankOf(one) ? other : one));
  const counts = new Map<
    string,
    { behavior: VerdictRecord['behavior']; behaviorClose: VerdictRecord['behaviorClose']; count: number }
  >();
  for (const { behavior, behaviorClose } of runs) {
    const name = `${behavior}/${behaviorClose}`;
    const known = counts.get(name);
    if (known) known.count++;
    else counts.set(name, { behavior, behaviorClose, count: 1 });
  }
  return counts.size === 1 ? worst : { ...worst, flaky: [...counts.values()] };
}
