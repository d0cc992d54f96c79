// Percentiles of the round trips of any choice of seconds, without putting histograms together for each.
import { highestOfPlaceUs } from '../metrics/payload.ts';
import { allOf, type Blocks, prefixSums, type Statistic, sumOf } from './statistic.ts';

/** The round trips that were due in one second: places of a histogram, and how often; and those without a reply. */
export interface SecondOfTimes {
  places: Uint32Array;
  counts: Uint32Array;
  censored: number;
}

// Neighbouring places are joined, by ever more, until so many columns are left: 1,024 for an hour are 30 MB.
const mostColumns = 1024;

/**
 * How many round trips of a second, and of all before it, are at most as long as a limit, for every limit that matters. The
 * rank of a limit among the chosen seconds is then a sum of differences in one column, and a percentile is found by bisection.
 */
export class RankTable {
  readonly seconds: number;
  /** The limits in µs, rising. */
  readonly #limitsUs: number[] = [];
  /** Column by column: a search stays within one, which a processor keeps at hand. */
  readonly #columns: Float64Array[] = [];
  readonly #censored: Float64Array;

  constructor(seconds: readonly SecondOfTimes[]) {
    this.seconds = seconds.length;
    this.#censored = prefixSums(Float64Array.from(seconds, ({ censored }) => censored));
    const used = new Set<number>();
    for (const { places } of seconds) for (const place of places) used.add(place);
    const lastPlaces = joined([...used].sort((a, b) => a - b));
    const columnOf = columnsOf(lastPlaces);
    this.#limitsUs = lastPlaces.map(highestOfPlaceUs);
    const counts = lastPlaces.map(() => new Float64Array(seconds.length));
    for (const [second, { places, counts: often }] of seconds.entries()) {
      for (let i = 0; i < places.length; i++) {
        const own = counts[columnOf[places[i] as number] as number] as Float64Array;
        own[second] = (own[second] as number) + (often[i] as number);
      }
    }
    for (const [at, own] of counts.entries()) {
      const below = counts[at - 1];
      if (below)
        for (let second = 0; second < own.length; second++)
          own[second] = (own[second] ?? 0) + (below[second] ?? 0);
      this.#columns.push(own);
    }
    for (const [at, own] of this.#columns.entries()) this.#columns[at] = prefixSums(own);
  }

  /** A percentile: in µs, infinite when it is among those without a reply, NaN when nothing was due. */
  statistic(percentile: number): Statistic {
    const typical = this.#columnAt(percentile, allOf(this.seconds), this.#columns.length >> 1);
    return {
      seconds: this.seconds,
      of: (blocks) => this.#limitsUs[this.#columnAt(percentile, blocks, typical)] ?? this.#beyond(blocks),
    };
  }

  /** The first column whose limit is not exceeded by as many as the percentile asks for; behind the last: there is none. */
  #columnAt(percentile: number, blocks: Blocks, guess: number): number {
    const columns = this.#columns;
    const last = columns.at(-1);
    const finite = last ? sumOf(last, blocks) : 0;
    const total = finite + sumOf(this.#censored, blocks);
    const rank = Math.max(1, Math.ceil((percentile / 100) * total - 1e-9));
    if (rank > finite) return columns.length;
    const reaches = (column: number): boolean => sumOf(columns[column] as Float64Array, blocks) >= rank;
    // Most choices are much like the whole: look further and further away from there, then between.
    let [low, high] = [-1, columns.length - 1];
    let at = Math.min(Math.max(0, guess), high);
    for (let step = 1; low + 1 < high; step *= 2) {
      if (reaches(at)) {
        high = at;
        if (at - step <= low) break;
        at -= step;
      } else {
        low = at;
        if (at + step >= high) break;
        at += step;
      }
      if (step > 1 && low >= 0 && high < columns.length - 1) break;
    }
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (reaches(middle)) high = middle;
      else low = middle;
    }
    return high;
  }

  #beyond(blocks: Blocks): number {
    const last = this.#columns.at(-1);
    const total = (last ? sumOf(last, blocks) : 0) + sumOf(this.#censored, blocks);
    return total > 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  }
}

/** The column of each place. */
function columnsOf(lastPlaces: readonly number[]): Int32Array {
  const columns = new Int32Array((lastPlaces.at(-1) ?? 0) + 1);
  let place = 0;
  for (const [column, last] of lastPlaces.entries()) while (place <= last) columns[place++] = column;
  return columns;
}

/** The last place of each column: every used place, or neighbours together where there are too many. */
function joined(places: readonly number[]): number[] {
  for (let ratio = 1.0005; ; ratio = 1 + 2 * (ratio - 1)) {
    if (places.length <= mostColumns) return [...places];
    const last: number[] = [];
    let beginsUs = 0;
    for (const [at, place] of places.entries()) {
      if (beginsUs === 0) beginsUs = highestOfPlaceUs(place);
      const next = places[at + 1];
      if (next !== undefined && highestOfPlaceUs(next) <= beginsUs * ratio) continue;
      last.push(place);
      beginsUs = 0;
    }
    if (last.length <= mostColumns) return last;
  }
}
