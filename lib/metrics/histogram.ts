// One histogram type for every time: HdrHistogram, µs, 1 µs to 1 h, 3 significant digits.
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram as Hdr,
} from 'hdr-histogram-js';
import { invariant, WsbenchError } from '../errors.ts';

/** The largest time that a histogram holds: one hour, in µs. */
export const maxTimeUs = 3_600_000_000;

// The layout of an HdrHistogram with three digits: times below 2048 µs each have a place of their own; from there on every
// doubling has 1024 places.
const halfBits = 10;
const half = 1 << halfBits;
const lastIndex = indexOf(maxTimeUs);

/** A histogram as plain data, which threads can send each other: places that hold something, and what they hold. */
export interface HistogramData {
  places: Uint32Array;
  counts: Uint32Array;
  sumUs: number;
  /** Smallest and largest time; 0 when there is none. */
  minUs: number;
  maxUs: number;
}

/**
 * A mergeable histogram of times in µs. Recording is a few instructions on a typed array; hdr-histogram-js, whose layout it
 * has, writes and reads its payloads.
 */
export class Histogram {
  readonly #counts = new Uint32Array(lastIndex + 1);
  #count = 0;
  #sumUs = 0;
  #minUs = 0;
  #maxUs = 0;

  /** Records one time in µs, rounded to whole µs. NaN and negative times are bugs and throw `INTERNAL`. */
  record(timeUs: number): void {
    if (!(timeUs >= 0)) throw notATime(timeUs);
    const us = timeUs < 1.5 ? 1 : timeUs < maxTimeUs ? (timeUs + 0.5) >>> 0 : maxTimeUs;
    const index = indexOf(us);
    // Index and array were made for each other: there is such a place.
    (this.#counts[index] as number)++;
    this.#sumUs += us;
    if (us > this.#maxUs) this.#maxUs = us;
    if (us < this.#minUs || this.#count === 0) this.#minUs = us;
    this.#count++;
  }

  /** Number of recorded times. */
  get count(): number {
    return this.#count;
  }

  /** Smallest recorded time in µs; 0 when empty. */
  get minUs(): number {
    return this.#minUs;
  }

  /** Largest recorded time in µs; 0 when empty. */
  get maxUs(): number {
    return this.#maxUs;
  }

  /** Mean in µs (exact unless some of it was decoded from a payload); 0 when empty. */
  get meanUs(): number {
    return this.#count === 0 ? 0 : this.#sumUs / this.#count;
  }

  /** The time in µs at a 1-based rank among the recorded ones. */
  valueAtRank(rank: number): number {
    invariant(rank >= 1 && rank <= this.count, `rank ${rank} of ${this.count}`);
    let below = 0;
    for (let index = this.#first; index <= this.#last; index++) {
      below += this.#counts[index] ?? 0;
      if (below >= rank) return Math.min(highestAt(index), this.#maxUs);
    }
    return this.#maxUs;
  }

  /** Adds all times of `other`. */
  add(other: Histogram): void {
    if (other.#count === 0) return;
    for (let index = other.#first; index <= other.#last; index++) {
      const count = other.#counts[index] ?? 0;
      if (count > 0) this.#counts[index] = (this.#counts[index] ?? 0) + count;
    }
    this.#addFigures(other.#count, other.#sumUs, other.#minUs, other.#maxUs);
  }

  /** All of it as plain data. */
  data(): HistogramData {
    // Once a second, among messages that are due: twice through the places is far quicker than lists that grow.
    const [first, last] = [this.#first, this.#last];
    let used = 0;
    for (let index = first; index <= last; index++) if (this.#counts[index] !== 0) used++;
    const places = new Uint32Array(used);
    const counts = new Uint32Array(used);
    let at = 0;
    for (let index = first; index <= last; index++) {
      const count = this.#counts[index] as number;
      if (count === 0) continue;
      places[at] = index;
      counts[at++] = count;
    }
    return { places, counts, sumUs: this.#sumUs, minUs: this.#minUs, maxUs: this.#maxUs };
  }

  /** Adds what {@link data} gave. */
  addData({ places, counts, sumUs, minUs, maxUs }: HistogramData): void {
    let added = 0;
    for (let i = 0; i < places.length; i++) {
      const index = places[i] ?? 0;
      const count = counts[i] ?? 0;
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
      added += count;
    }
    if (added > 0) this.#addFigures(added, sumUs, minUs, maxUs);
  }

  /** Forgets everything, so that the memory can be used again. */
  reset(): void {
    this.#counts.fill(0, this.#first, this.#last + 1);
    this.#count = 0;
    this.#sumUs = 0;
    this.#minUs = 0;
    this.#maxUs = 0;
  }

  /** The HdrHistogram V2 compressed payload, base64: readable by every HdrHistogram library. */
  encode(): string {
    const hdr = emptyHdr();
    for (let index = this.#first; index <= this.#last; index++) {
      const count = this.#counts[index] ?? 0;
      if (count > 0) hdr.recordValueWithCount(Math.min(this.#maxUs, highestAt(index)), count);
    }
    return encodeIntoCompressedBase64(hdr);
  }

  /** Reads what {@link encode} wrote. */
  static decode(payload: string): Histogram {
    const hdr = decodeFromCompressedBase64(payload) as unknown as HdrPlaces;
    const histogram = new Histogram();
    for (let at = 0; at < hdr.countsArrayLength; at++) {
      const count = hdr.getCountAtIndex(at);
      if (count === 0) continue;
      const us = Math.max(1, hdr.highestEquivalentValue(hdr.valueFromIndex(at)));
      const index = indexOf(Math.min(maxTimeUs, us));
      histogram.#counts[index] = (histogram.#counts[index] ?? 0) + count;
      const middleUs = (Math.max(1, lowestAt(index)) + highestAt(index)) / 2;
      histogram.#addFigures(count, count * middleUs, Math.max(1, lowestAt(index)), us);
    }
    return histogram;
  }

  /** The places that may hold something: once a second all histograms of a run are read, and most are nearly empty. */
  get #first(): number {
    return this.#count === 0 ? 0 : indexOf(this.#minUs);
  }

  get #last(): number {
    return this.#count === 0 ? -1 : indexOf(this.#maxUs);
  }

  #addFigures(count: number, sumUs: number, minUs: number, maxUs: number): void {
    this.#minUs = this.#count === 0 ? minUs : Math.min(this.#minUs, minUs);
    this.#maxUs = Math.max(this.#maxUs, maxUs);
    this.#count += count;
    this.#sumUs += sumUs;
  }
}

// Not where it is thrown: of a time that several histograms record, the compiler would make the text before the first of
// them, each time.
function notATime(timeUs: number): WsbenchError {
  return new WsbenchError('INTERNAL', `a time of ${timeUs} µs cannot be recorded`);
}

/** What the interface of hdr-histogram-js leaves out of its histograms. */
interface HdrPlaces {
  countsArrayLength: number;
  getCountAtIndex(index: number): number;
  valueFromIndex(index: number): number;
  highestEquivalentValue(value: number): number;
}

function emptyHdr(): Hdr {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: maxTimeUs,
    numberOfSignificantValueDigits: 3,
  });
}

/** The place of a time in whole µs. */
function indexOf(us: number): number {
  if (us < 2 * half) return us;
  const shift = 31 - halfBits - Math.clz32(us);
  return (shift << halfBits) + (us >>> shift);
}

/** The smallest time of a place, in µs. */
function lowestAt(index: number): number {
  if (index < 2 * half) return index;
  const shift = (index >>> halfBits) - 1;
  return (half + (index & (half - 1))) * 2 ** shift;
}

/** The largest. */
function highestAt(index: number): number {
  return lowestAt(index) + (index < 2 * half ? 1 : 2 ** ((index >>> halfBits) - 1)) - 1;
}

/**
 * What a result says of one time metric. Times are in milliseconds.
 * `count` samples are finite; `censored` messages (lost or never sent) rank above all of them,
 * so that a percentile, mean or maximum that they reach is `null` with `reason: 'lost'`.
 */
export interface TimeStats {
  count: number;
  censored: number;
  min: number | null;
  mean: number | null;
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  p999: number | null;
  max: number | null;
  unit: 'ms';
  /** Why a figure is null. */
  reason?: 'lost' | 'no samples';
  /** HdrHistogram V2 payload of the finite samples, in µs. */
  hdr?: string;
}

/** The percentiles that every result carries: field name to percentile. */
export const percentiles = { p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9 } as const;

/**
 * The time in µs at a percentile of finite and censored samples together; `null` when the rank falls among the
 * censored ones or there are none.
 */
export function percentileUs(histogram: Histogram, percentile: number, censored = 0): number | null {
  const total = histogram.count + censored;
  if (total === 0) return null;
  // The subtraction keeps 99.9 % of 1000 at rank 999 in floating point.
  const rank = Math.max(1, Math.ceil((percentile / 100) * total - 1e-9));
  return rank > histogram.count ? null : histogram.valueAtRank(rank);
}

/**
 * Summarises a histogram for a result.
 *
 * @param withPayload false: without its HdrHistogram payload, which takes longer than all the rest
 */
export function timeStats(histogram: Histogram, censored = 0, withPayload = true): TimeStats {
  const ms = (us: number | null): number | null => (us === null ? null : Math.round(us) / 1000);
  const at = (percentile: number): number | null => ms(percentileUs(histogram, percentile, censored));
  const some = histogram.count > 0;
  const whole = some && censored === 0;
  return {
    count: histogram.count,
    censored,
    min: some ? ms(histogram.minUs) : null,
    mean: whole ? ms(histogram.meanUs) : null,
    p50: at(percentiles.p50),
    p90: at(percentiles.p90),
    p95: at(percentiles.p95),
    p99: at(percentiles.p99),
    p999: at(percentiles.p999),
    max: whole ? ms(histogram.maxUs) : null,
    unit: 'ms',
    ...(censored > 0 ? { reason: 'lost' as const } : some ? {} : { reason: 'no samples' as const }),
    ...(some && withPayload ? { hdr: histogram.encode() } : {}),
  };
}
