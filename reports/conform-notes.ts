// What is worth saying of verdicts that fail nothing: by kind, with the ids of the cases.
import type { AgentRecord, FailOn, VerdictRecord } from '../lib/result/result.ts';
import { failsRun, isSpotless, verdictWords } from '../lib/result/verdicts.ts';
import { caseRanges } from './case-ranges.ts';

/** One kind of thing, and where it was seen. */
export interface ConformNote {
  label: string;
  /** Ids of cases, neighbours as ranges; or sentences. */
  parts: string[];
}

/**
 * Verdicts that are neither fine nor a failure, cases that flicker, that were repeated alone, that are judged otherwise than
 * Autobahn does, that are better than expected, that did not run.
 *
 * @param dash between the ends of a range
 */
export function conformNotes(agent: AgentRecord, failOn: FailOn, dash: string): ConformNote[] {
  const { verdicts, notRun } = agent;
  const quiet = verdicts.filter((verdict) => !failsRun(verdict, failOn));
  const notes: ConformNote[] = [];
  const add = (label: string, found: readonly VerdictRecord[]): void => {
    if (found.length > 0)
      notes.push({
        label,
        parts: caseRanges(
          found.map(({ caseId }) => caseId),
          dash,
        ),
      });
  };
  const expected = quiet.filter((verdict) => verdict.against === 'as-expected' && fails(verdict));
  const rest = quiet.filter((verdict) => !expected.includes(verdict));
  add(
    'NON-STRICT',
    rest.filter(({ behavior }) => behavior === 'NON-STRICT'),
  );
  add(
    'INFORMATIONAL',
    rest.filter(({ behavior }) => behavior === 'INFORMATIONAL'),
  );
  add(
    'UNIMPLEMENTED',
    rest.filter(({ behavior }) => behavior === 'UNIMPLEMENTED'),
  );
  add(
    'UNCLEAN',
    rest.filter(({ behaviorClose }) => behaviorClose === 'UNCLEAN'),
  );
  add('Failed as expected', expected);
  add(
    'Better than expected',
    verdicts.filter(({ against }) => against === 'better'),
  );
  add(
    'Repeated alone',
    verdicts.filter(({ repeated }) => repeated),
  );
  const flaky = verdicts.filter((verdict) => verdict.flaky !== undefined);
  if (flaky.length > 0) notes.push({ label: 'Flaky', parts: flaky.map(flakyWords) });
  for (const [rule, ids] of byRule(verdicts)) {
    notes.push({ label: 'Other than Autobahn', parts: [`${rule}: ${caseRanges(ids, dash).join(', ')}`] });
  }
  if (notRun && notRun.caseIds.length > 0) {
    const ids = caseRanges(notRun.caseIds, dash).join(', ');
    notes.push({ label: 'Not run', parts: [`${notRun.caseIds.length} cases, ${notRun.reason}: ${ids}`] });
  }
  return notes;
}

/** A failure by itself, whatever was expected. */
function fails({ against: _, ...verdict }: VerdictRecord): boolean {
  return !isSpotless(verdict) && failsRun(verdict, 'failed');
}

function flakyWords({ caseId, flaky = [] }: VerdictRecord): string {
  return `${caseId}: ${flaky.map((one) => `${one.count} × ${verdictWords(one)}`).join(', ')}`;
}

function byRule(verdicts: readonly VerdictRecord[]): Map<string, string[]> {
  const rules = new Map<string, string[]>();
  for (const { rule, caseId } of verdicts) {
    if (rule !== undefined) rules.set(rule, [...(rules.get(rule) ?? []), caseId]);
  }
  return rules;
}

const failing: Record<FailOn, string> = {
  failed: 'FAILED, WRONG CODE, FAILED BY CLIENT',
  unclean: 'FAILED, WRONG CODE, FAILED BY CLIENT, UNCLEAN',
  'non-strict': 'all but OK, INFORMATIONAL and UNIMPLEMENTED',
};

/** What the run was made with, in a few words. */
export function conformPlanWords(result: {
  strictness: string;
  failOn: FailOn;
  messages: number;
  agents: readonly AgentRecord[];
}): string[] {
  const hasLoads = result.agents.some(({ verdicts }) =>
    verdicts.some(({ caseId }) => /^1[23]\./.test(caseId)),
  );
  const load =
    result.messages === 1000
      ? '1,000 messages a case in sections 12 and 13, as Autobahn sends'
      : `${result.messages} messages a case in sections 12 and 13 (Autobahn: 1,000)`;
  return [`strictness ${result.strictness}`, `fails: ${failing[result.failOn]}`, ...(hasLoads ? [load] : [])];
}
