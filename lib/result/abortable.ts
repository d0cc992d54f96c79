// Which thresholds can be known to be crossed before a run is over, and when they are. Pure.
import { type CounterMetric, type DerivedMetric, timeMetrics } from '../metrics/names.ts';
import type { ThresholdRecord } from './result.ts';
import { type Figures, judgeThreshold, type Threshold } from './thresholds.ts';

/**
 * How a figure moves while a run goes on:
 *
 * - `grows`: never falls, so that what it has passed it has passed for good.
 * - `so far`: a percentile, mean or ratio; it moves both ways, and enough of it is known to judge the part that there is.
 * - `end`: says nothing before the end, or is low until then.
 */
type Course = 'grows' | 'so far' | 'end';

const derivedCourses: Record<DerivedMetric, Course> = {
  errors: 'grows',
  error_rate: 'so far',
  throughput: 'end',
  uptime: 'end',
  'backlog.end': 'end',
};

// Attempts that are given up at the end are taken back.
const endCounters: readonly CounterMetric[] = ['connections.attempted'];

const timeCourses: Record<NonNullable<Threshold['stat']>, Course> = {
  count: 'grows',
  max: 'grows',
  // Falls: a high one means nothing yet.
  min: 'end',
  mean: 'so far',
  p50: 'so far',
  p90: 'so far',
  p95: 'so far',
  p99: 'so far',
  p999: 'so far',
};

// Below it a percentile is the largest or the second-largest of all: one hiccup would end the run.
const leastSamples: Partial<Record<NonNullable<Threshold['stat']>, number>> = {
  p95: 40,
  p99: 200,
  p999: 2000,
};
const fewestSamples = 20;

/**
 * The verdict on a threshold that is crossed although the run is not over; undefined: it holds, or cannot be known yet.
 *
 * Only thresholds that want little (`<`, `<=`, `==` of what only grows) are judged: a figure that is low at the start says
 * nothing. Messages that are outstanding are no part of `figures`, so that they are not taken for lost.
 *
 * @param figures those of the measure phase so far
 */
export function abortable(threshold: Threshold, figures: Figures): ThresholdRecord | undefined {
  const course = courseOf(threshold);
  const { op } = threshold;
  if (course === 'end' || !(op === '<' || op === '<=' || (op === '==' && canOnlyRise(threshold, course)))) {
    return undefined;
  }
  const judged = judgeThreshold(threshold, figures);
  if (judged.ok || (judged.actual === null && judged.reason !== 'lost')) return undefined;
  // What is below the value that is wanted may still reach it.
  if (op === '==' && judged.actual !== null && judged.actual < threshold.limit) return undefined;
  return canOnlyRise(threshold, course) || isEnough(threshold, figures) ? judged : undefined;
}

function courseOf({ metric, stat }: Threshold): Course {
  if (stat !== null) return timeCourses[stat];
  if (metric in derivedCourses) return derivedCourses[metric as DerivedMetric];
  return endCounters.includes(metric as CounterMetric) ? 'end' : 'grows';
}

/** What is passed is passed for good; a ratio of 0, too. */
function canOnlyRise({ limit, metric }: Threshold, course: Course): boolean {
  return course === 'grows' || (metric === 'error_rate' && limit === 0);
}

function isEnough({ metric, stat, limit }: Threshold, { metrics, counters }: Figures): boolean {
  if (metric === 'error_rate') {
    // Two failures more or less must not decide.
    return counters['messages.scheduled'] >= Math.max(fewestSamples, 200 / limit);
  }
  const time = timeMetrics.find((name) => name === metric);
  if (time === undefined || stat === null) return true;
  const { count, censored } = metrics[time];
  return count + censored >= (leastSamples[stat] ?? fewestSamples);
}
