// Histograms and series of shards as those of one run, place by place.
import { Histogram, type HistogramData, type TimeStats, timeStats } from '../metrics/histogram.ts';
import { highestOfPlaceUs, lowestOfPlaceUs, payloadConfig, readPayload } from '../metrics/payload.ts';
import type { DueSecond, Series, WallSecond } from '../metrics/series.ts';
import { damaged, refused } from './merge-refusals.ts';

/** What a shard tells of times: a payload, and what it says more exactly than its places do. In ms. */
interface Told {
  hdr?: string;
  min?: number | null;
  mean?: number | null;
  max: number | null;
}

/** Something of one shard, with the name that messages call it. */
export interface Of<T> {
  name: string;
  one: T;
}

/**
 * The stats of one time metric over all shards. Counts are exact, so percentiles are those of one histogram of all samples; minimum
 * and maximum are exact, where the shards have them, and a mean is the mean of means, which results hold to 1 µs.
 *
 * @throws WsbenchError `USAGE` when a shard has times and no payload, or one that does not fit its count
 */
export function mergeTimes(metric: string, shards: readonly Of<TimeStats>[]): TimeStats {
  const histogram = new Histogram();
  const censored = shards.reduce((sum, { one }) => sum + one.censored, 0);
  for (const { name, one } of shards) {
    histogram.addData(timesOf(name, `metrics.${metric}`, one, one.count, censored));
  }
  return timeStats(histogram, censored);
}

/** Both series, second by second. */
export function mergeSeries(shards: readonly Of<Series>[]): Series {
  const [first] = shards;
  const step = first?.one.secondsPerRow ?? 1;
  for (const { name, one } of shards) {
    if ((one.secondsPerRow ?? 1) === step) continue;
    throw refused(
      name,
      `a row of its series is ${one.secondsPerRow ?? 1} s, and ${step} s in ${first?.name}`,
    );
  }
  const scratch = new Histogram();
  const rows = Math.max(0, ...shards.map(({ one }) => one.due.length));
  const due = Array.from({ length: rows }, (_, row) => {
    const some = shards.flatMap(({ name, one }) => (one.due[row] ? [{ name, one: one.due[row] }] : []));
    return mergeDue(row * step, some, scratch);
  });
  const seconds = Math.max(0, ...shards.map(({ one }) => one.wall.length));
  const wall = Array.from({ length: seconds }, (_, row) =>
    mergeWall(
      row * step,
      shards.flatMap(({ one }) => one.wall[row] ?? []),
    ),
  );
  return { due, wall, ...(step > 1 ? { secondsPerRow: step } : {}) };
}

function mergeDue(second: number, rows: readonly Of<DueSecond>[], scratch: Histogram): DueSecond {
  scratch.reset();
  const sum = (key: 'matched' | 'rejected' | 'lost' | 'unsent'): number =>
    rows.reduce((total, { one }) => total + one[key], 0);
  const [matched, rejected, lost, unsent] = [sum('matched'), sum('rejected'), sum('lost'), sum('unsent')];
  for (const { name, one } of rows) {
    if (one.second !== second) throw damaged(name, `second ${second} of its series is called ${one.second}`);
    scratch.addData(timesOf(name, `second ${second} of its series`, one, one.matched, lost + unsent));
  }
  const { p50, p99, max, hdr } = timeStats(scratch, lost + unsent);
  return { second, matched, rejected, lost, unsent, p50, p99, max, ...(hdr === undefined ? {} : { hdr }) };
}

/** A shard that is over has no rows any more, and no connections. */
function mergeWall(second: number, rows: readonly WallSecond[]): WallSecond {
  const sum = (key: 'sent' | 'received' | 'open'): number => rows.reduce((total, row) => total + row[key], 0);
  return { second, sent: sum('sent'), received: sum('received'), open: sum('open') };
}

/**
 * The times of one shard as data that can be added.
 *
 * @param censored messages of all shards without a reply. One of them leaves its shard without a maximum, and the end of the
 *   last place then stands for that of all: no percentile depends on which shard it was
 */
function timesOf(name: string, what: string, told: Told, count: number, censored: number): HistogramData {
  if (told.hdr === undefined) {
    if (count === 0) return { places: noPlaces, counts: noPlaces, sumUs: 0, minUs: 0, maxUs: 0 };
    throw refused(
      name,
      `${what} has ${count} times and no histogram of them; without one they cannot be added exactly (runs of more than an hour have none for their seconds)`,
    );
  }
  const { config, places, counts, count: held } = readable(name, what, told.hdr);
  for (const key of ['lowestUs', 'highestUs', 'digits'] as const) {
    if (config[key] === payloadConfig[key]) continue;
    throw refused(name, `the histogram of ${what} has ${key} ${config[key]}, and ${payloadConfig[key]} here`);
  }
  if (held !== count) throw damaged(name, `${what} counts ${count} times, and its histogram holds ${held}`);
  const [first = 0, last = 0] = [places[0], places.at(-1)];
  const minUs = exactly(told.min, lowestOfPlaceUs(first));
  const maxUs = exactly(told.max, highestOfPlaceUs(last));
  const isWithin = minUs >= lowestOfPlaceUs(first) && maxUs <= highestOfPlaceUs(last) && minUs <= maxUs;
  if (held > 0 && !isWithin) throw damaged(name, `the extremes of ${what} do not fit its histogram`);
  const sumUs = exactly(told.mean, 0) * count;
  const lastUs = censored > 0 ? highestOfPlaceUs(last) : maxUs;
  return { places, counts, sumUs, minUs: Math.max(1, minUs), maxUs: lastUs };
}

const noPlaces = new Uint32Array();

const exactly = (ms: number | null | undefined, otherwiseUs: number): number =>
  ms === null || ms === undefined ? otherwiseUs : Math.round(ms * 1000);

function readable(name: string, what: string, hdr: string): ReturnType<typeof readPayload> {
  try {
    return readPayload(hdr);
  } catch (cause) {
    throw damaged(name, `the histogram of ${what} cannot be read`, cause);
  }
}
