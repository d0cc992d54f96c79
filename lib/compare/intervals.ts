// Intervals for the figures of two stress runs, by block bootstrap over their seconds.
import { highestOfPlaceUs, lowestOfPlaceUs, readPayload } from '../metrics/payload.ts';
import type { StressResult } from '../result/result.ts';
import { changeInterval } from './change-interval.ts';
import type { ComparisonRow } from './comparison.ts';
import { RankTable, type SecondOfTimes } from './percentile-statistic.ts';
import { ratioStatistic, type Statistic } from './statistic.ts';

/** A series that is shorter has too few blocks to draw from. */
export const leastSeconds = 20;

/** The figures that get an interval. */
const intervalMetrics = ['rtt.mean', 'rtt.p50', 'rtt.p90', 'rtt.p99', 'throughput', 'error_rate'] as const;
type IntervalMetric = (typeof intervalMetrics)[number];

/**
 * The rows, those of round trips, message rate and error rate with an interval, where the series of both runs are long and
 * whole enough; and why not, where they are not.
 */
export function withIntervals(
  rows: readonly ComparisonRow[],
  before: StressResult,
  after: StressResult,
): { rows: ComparisonRow[]; missing?: string } {
  const [was, is] = [secondsOf(before, 'before'), secondsOf(after, 'after')];
  if ('missing' in was) return { rows: [...rows], missing: was.missing };
  if ('missing' in is) return { rows: [...rows], missing: is.missing };
  const mayJudge = before.outcome !== 'inconclusive' && after.outcome !== 'inconclusive';
  const [from, to] = [statistics(was), statistics(is)];
  return {
    rows: rows.map((row) => {
      const metric = intervalMetrics.find((name) => name === row.metric);
      if (!metric || row.direction === 'n/a') return row;
      const [one, other] = [from(metric), to(metric)];
      const interval = one && other && changeInterval(one, other, row.better, mayJudge);
      return interval ? { ...row, interval } : row;
    }),
  };
}

interface Seconds {
  result: StressResult;
  /** Whole seconds of the measure phase. */
  count: number;
  times: SecondOfTimes[];
}

/** The seconds of a run, or why they cannot be drawn from. */
function secondsOf(result: StressResult, side: 'before' | 'after'): Seconds | { missing: string } {
  const { due, secondsPerRow = 1 } = result.series;
  const count = Math.min(due.length, Math.floor(result.phases.measureMs / 1000 + 1e-6));
  const none = (why: string) => ({ missing: `No intervals: the run ${side} has ${why}.` });
  if (count * secondsPerRow < leastSeconds) {
    return none(`${count === 1 ? '1 s' : `${count} s`} of series, and ${leastSeconds} s are the least`);
  }
  const seconds = due.slice(0, count);
  if (seconds.some(({ matched, hdr }) => matched > 0 && hdr === undefined)) {
    return none('no histogram for each of its seconds, as runs of more than an hour have none');
  }
  try {
    const times = seconds.map(({ hdr, lost, unsent }) => {
      const { places, counts } = hdr === undefined ? noTimes : readPayload(hdr);
      return { places, counts, censored: lost + unsent };
    });
    return { result, count, times };
  } catch {
    return none('histograms in its series that cannot be read');
  }
}

const noTimes = { places: new Uint32Array(), counts: new Uint32Array() };

/** The figures of one run, each made when it is asked for; undefined: its series does not tell. */
function statistics(seconds: Seconds): (metric: IntervalMetric) => Statistic | undefined {
  const table = new RankTable(seconds.times);
  return (metric) => {
    if (metric === 'throughput') return throughput(seconds);
    if (metric === 'error_rate') return errorRate(seconds);
    if (metric === 'rtt.mean') return mean(seconds);
    return table.statistic(Number(metric.slice('rtt.p'.length)));
  };
}

function mean({ times }: Seconds): Statistic {
  const sums = times.map(sumUs);
  const counts = times.map(({ counts: some }) => some.reduce((sum, count) => sum + count, 0));
  const censored = times.map((second) => second.censored);
  return ratioStatistic(Float64Array.from(sums), Float64Array.from(counts), Float64Array.from(censored));
}

/** The mean of a result is exact; of places, the middle is near enough to draw from. */
function sumUs({ places, counts }: SecondOfTimes): number {
  return places.reduce(
    (sum, place, i) => sum + ((counts[i] ?? 0) * (lowestOfPlaceUs(place) + highestOfPlaceUs(place))) / 2,
    0,
  );
}

function throughput({ result, count }: Seconds): Statistic | undefined {
  const { counters } = result;
  const replies = counters['messages.matched'] + counters['messages.rejected'];
  // The series has all that came. Where much of that is pushed, it says nothing about replies.
  if (replies < 0.99 * counters['messages.received']) return undefined;
  const wall = result.series.wall.slice(0, count);
  return ratioStatistic(
    Float64Array.from(wall, (second) => second.received),
    Float64Array.from(wall, () => 1),
  );
}

function errorRate({ result, count }: Seconds): Statistic | undefined {
  // Which second a corrupt reply belongs to is not in the series.
  if (result.counters['messages.corrupt'] > 0) return undefined;
  const due = result.series.due.slice(0, count);
  const errors = due.map(({ rejected, lost, unsent }) => rejected + lost + unsent);
  return ratioStatistic(
    Float64Array.from(errors),
    Float64Array.from(due, ({ matched }, at) => matched + (errors[at] ?? 0)),
  );
}
