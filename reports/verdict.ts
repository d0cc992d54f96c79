// What every report says first: how a run ended, and by how much.
import { formatDuration } from '../lib/duration.ts';
import type {
  ConformResult,
  Outcome,
  QuickResult,
  ReasonCode,
  Result,
  StressResult,
} from '../lib/result/result.ts';
import { tallyAgent } from '../lib/result/verdicts.ts';
import { count, planNumber } from './figures.ts';
import { connectionsAsked, rateAsked, turnoverWords } from './load-course.ts';

/** The word for an outcome. */
export const outcomeWords: Record<Outcome, string> = {
  passed: 'PASSED',
  failed: 'FAILED',
  inconclusive: 'INCONCLUSIVE',
  interrupted: 'INTERRUPTED',
};

/** How many checks ended how. */
export function tally(result: QuickResult): {
  passed: number;
  failed: number;
  skipped: number;
  total: number;
} {
  const of = (status: string): number => result.checks.filter((check) => check.status === status).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped'), total: result.checks.length };
}

/** How many cases ended how, those of all agents together. */
export function tallyCases({ agents, failOn }: ConformResult): {
  passed: number;
  failed: number;
  notRun: number;
  total: number;
} {
  const tallies = agents.map((agent) => tallyAgent(agent, failOn));
  const sum = (key: 'passed' | 'failed' | 'notRun' | 'total'): number =>
    tallies.reduce((all, tally) => all + tally[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), notRun: sum('notRun'), total: sum('total') };
}

/** The few words after the outcome: `12 of 14 checks, 2 skipped, in 9 s` or `4 of 4 thresholds`. */
export function score(result: Result): string {
  const cause = causeWord(result);
  if (result.kind === 'quick') {
    const { passed, failed, skipped, total } = tally(result);
    const parts = [
      // A run that was stopped knows nothing of the checks that it never came to.
      result.run.complete
        ? `${passed} of ${total} checks passed`
        : `${passed} of the ${total} checks that ran passed`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ];
    const took = formatDuration(roundedMs(result.run.durationMs));
    return `${parts.join(', ')} in ${took}${cause === '' ? '' : `, ${cause}`}`;
  }
  if (result.kind === 'conform') {
    const { passed, failed, notRun, total } = tallyCases(result);
    const parts = [
      total === 0
        ? 'no case ran'
        : notRun === 0
          ? `${count(passed)} of ${count(total)} cases passed`
          : `${count(passed)} of the ${count(total)} cases that ran passed`,
      ...(failed > 0 ? [`${count(failed)} failed`] : []),
      ...(notRun > 0 ? [`${count(notRun)} not run`] : []),
    ];
    const took = formatDuration(roundedMs(result.run.durationMs));
    return `${parts.join(', ')} in ${took}${cause === '' ? '' : `, ${cause}`}`;
  }
  const { thresholds } = result;
  const met = thresholds.filter((threshold) => threshold.ok).length;
  const judged = thresholds.length === 0 ? 'no thresholds' : `${met} of ${thresholds.length} thresholds`;
  return cause === '' ? judged : `${cause}, ${judged}`;
}

const roundedMs = (value: number): number =>
  value < 1000 ? Math.round(value) : Math.round(value / 100) * 100;

/** Whether a reason is what checks, thresholds or cases say. */
export function isJudgement(code: ReasonCode): boolean {
  return code === 'check' || code === 'threshold' || code === 'verdict';
}

/** The kind of trouble, when it is not the checks, thresholds or cases that say it. */
function causeWord(result: Result): string {
  const code = result.reasons.find((reason) => !isJudgement(reason.code))?.code;
  if (code === undefined) return '';
  return code === 'sigint' || code === 'sigterm' ? code.toUpperCase() : code;
}

/** The plan of a stress run in a few words; the parts that are known. */
export function loadWords(result: StressResult): string[] {
  const connections = connectionsAsked(result);
  const rate = rateAsked(result);
  const size = messageBytes(result);
  const warmup = result.phases.warmupMs;
  const measured = formatDuration(Math.round(result.phases.measureMs / 10) * 10);
  const model = result.model === 'open' ? 'open model' : 'closed model';
  return [
    ...(connections === null ? [] : [connections]),
    rate === null ? model : `${model}, ${rate}`,
    ...turnoverWords(result),
    ...(result.generator.workers > 1 ? [`${count(result.generator.workers)} workers`] : []),
    ...(size === null || size === 0 ? [] : [`${count(size)} B`]),
    result.phases.measureMs === 0
      ? 'nothing measured'
      : warmup > 0
        ? `${measured} after ${formatDuration(Math.round(warmup / 10) * 10)} warm-up`
        : measured,
  ];
}

/** Bytes of one message. The size that the plan has is that of the target's request, which a message of one's own replaces. */
function messageBytes(result: StressResult): number | null {
  if (result.plan.options.message === undefined) return planNumber(result, 'sizeBytes');
  const sent = result.counters['messages.sent'];
  return sent === 0 ? null : Math.round(result.counters['bytes.sent'] / sent);
}
