// Where a relative change may lie, and what can be said of it at most.
import { resample, widening } from './bootstrap.ts';
import type { ChangeInterval, ComparisonRow } from './comparison.ts';
import { seededRandom } from './random.ts';
import { allOf, type Statistic } from './statistic.ts';

const level = 0.95;
// The ends of the interval then are off by about a twentieth of its length.
const resamples = 2000;
// Smaller changes mean nothing to anybody, however sure they are.
const leastChange = 0.03;

/**
 * The interval of (after − before) ÷ before, from resamples of both sides; undefined when there is no figure before to divide
 * by. The same input gives the same interval. Pure.
 *
 * @param better which way is good
 * @param mayJudge false: a run proves nothing, so the verdict is `no evidence`
 */
export function changeInterval(
  before: Statistic,
  after: Statistic,
  better: ComparisonRow['better'],
  mayJudge: boolean,
): ChangeInterval | undefined {
  const from = before.of(allOf(before.seconds));
  const to = after.of(allOf(after.seconds));
  if (!(from > 0) || from === Number.POSITIVE_INFINITY || Number.isNaN(to)) return undefined;
  const point = Math.log(to / from);
  const wider = Math.max(widening(before.seconds), widening(after.seconds));
  const was = resample(before, resamples, seededRandom(1));
  const is = resample(after, resamples, seededRandom(2));
  const logs = was
    .map((one, sample) => logRatio(one, is[sample] ?? Number.NaN))
    .filter((log) => !Number.isNaN(log))
    .map((log) => (Number.isFinite(point) ? point + wider * (log - point) : log))
    .sort();
  if (logs.length < resamples / 2) return undefined;
  const tail = Math.floor((logs.length * (1 - level)) / 2);
  const [low, high] = [logs[tail] ?? 0, logs[logs.length - 1 - tail] ?? 0];
  const change = Math.expm1(point);
  const verdict = mayJudge && Math.abs(change) >= leastChange ? judge(low, high, better) : 'no evidence';
  return { low: bound(low), high: bound(high), level, verdict };
}

/** A lost figure is beyond every number: two of them are the same, and from one to a number is all the way down. */
function logRatio(from: number, to: number): number {
  if (from === to) return 0;
  return Math.log(to / from);
}

function judge(low: number, high: number, better: ComparisonRow['better']): ChangeInterval['verdict'] {
  if (low <= 0 && high >= 0) return 'no evidence';
  return high < 0 === (better === 'lower') ? 'likely better' : 'likely worse';
}

const bound = (log: number): number | null => (log === Number.POSITIVE_INFINITY ? null : Math.expm1(log));
