// --abort-on-fail: whether a run is to end before its time because a threshold is crossed for good. Pure.
import { formatDuration, formatRate } from '../duration.ts';
import { abortable } from '../result/abortable.ts';
import { describeThreshold } from '../result/describe-threshold.ts';
import type { Reason } from '../result/result.ts';
import { type Course, valueAt } from './course.ts';
import { figuresSoFar } from './figures.ts';
import type { StressPlan } from './plan.ts';
import { connectionCourse, type LoadPlan, rateCourse } from './profile.ts';
import type { Share } from './share.ts';

/** Why a run ends before its time. */
export interface Abort {
  /** The threshold, as it was written. */
  expression: string;
  /** `aborted after 12 s: rtt.p99 31 ms, wanted < 20 ms` */
  reason: Reason;
}

/** ` at 3400/s, 80 connections`: what was asked for then, of what changes; nothing, where nothing does. */
function loadWords(plan: LoadPlan, elapsedMs: number): string {
  const [rate, connections] = [rateCourse(plan), connectionCourse(plan)];
  const changes = (course: Course): boolean => new Set(course.flatMap(({ from, to }) => [from, to])).size > 1;
  const at = (course: Course): number => Math.round(valueAt(course, elapsedMs * 1000));
  const words = [
    ...(plan.model === 'open' && changes(rate) ? [formatRate(at(rate))] : []),
    ...(changes(connections) ? [`${at(connections)} connections`] : []),
  ];
  return words.length === 0 ? '' : ` at ${words.join(', ')}`;
}

/**
 * Looks at the figures so far.
 *
 * @param share what all engines counted so far
 * @param elapsedMs how much of the measure phase has passed
 */
export function abortOf(
  plan: Pick<StressPlan, 'abortOnFail' | 'delayAbortMs' | 'thresholds' | 'timeoutMs'> & LoadPlan,
  share: Share,
  elapsedMs: number,
): Abort | undefined {
  if (!plan.abortOnFail || !share.measured || elapsedMs < plan.delayAbortMs) return undefined;
  const figures = figuresSoFar(
    share,
    plan.thresholds.map(({ metric }) => metric),
  );
  for (const threshold of plan.thresholds) {
    const crossed = abortable(threshold, figures);
    if (!crossed) continue;
    const after = formatDuration(Math.max(0, Math.round(elapsedMs / 100) * 100));
    const message = `aborted after ${after}${loadWords(plan, elapsedMs)}: ${describeThreshold(crossed, plan.timeoutMs)}`;
    return { expression: threshold.expression, reason: { code: 'threshold', message } };
  }
  return undefined;
}
