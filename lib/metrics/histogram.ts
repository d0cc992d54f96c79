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

/** A mergeable histogram of times in µs. */
export class Histogram {
  readonly #hdr: Hdr;
  #sumUs = 0;
  /** False once times came in from a payload, which carries no exact sum. */
  #isExact: boolean;

  constructor(
    hdr: Hdr = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: maxTimeUs,
      numberOfSignificantValueDigits: 3,
    }),
  ) {
    this.#hdr = hdr;
    this.#isExact = hdr.totalCount === 0;
  }

  /** Records one time in µs, rounded to whole µs. NaN and negative times are bugs and throw `INTERNAL`. */
  record(timeUs: number): void {
    // hdr-histogram-js counts NaN silently as 0.
    if (!(timeUs >= 0)) throw new WsbenchError('INTERNAL', `a time of ${timeUs} µs cannot be recorded`);
    const us = Math.min(maxTimeUs, Math.max(1, Math.round(timeUs)));
    this.#hdr.recordValue(us);
    this.#sumUs += us;
  }

  /** Number of recorded times. */
  get count(): number {
    return this.#hdr.totalCount;
  }

  /** Smallest recorded time in µs; 0 when empty. */
  get minUs(): number {
    return this.count === 0 ? 0 : this.#hdr.minNonZeroValue;
  }

  /** Largest recorded time in µs; 0 when empty. */
  get maxUs(): number {
    return this.count === 0 ? 0 : this.#hdr.maxValue;
  }

  /** Mean in µs (exact unless some of it was decoded from a payload); 0 when empty. */
  get meanUs(): number {
    if (this.count === 0) return 0;
    return this.#isExact ? this.#sumUs / this.count : this.#hdr.mean;
  }

  /** The time in µs at a 1-based rank among the recorded ones. */
  valueAtRank(rank: number): number {
    invariant(rank >= 1 && rank <= this.count, `rank ${rank} of ${this.count}`);
    return Math.min(this.#hdr.getValueAtPercentile((100 * rank) / this.count), this.maxUs);
  }

  /** Adds all times of `other`. */
  add(other: Histogram): void {
    this.#hdr.add(other.#hdr);
    this.#sumUs += other.#sumUs;
    this.#isExact &&= other.#isExact;
  }

  /** Forgets everything, so that the memory can be used again. */
  reset(): void {
    this.#hdr.reset();
    this.#sumUs = 0;
    this.#isExact = true;
  }

  /** The HdrHistogram V2 compressed payload, base64: readable by every HdrHistogram library. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#hdr);
  }

  /** Reads what {@link encode} wrote. */
  static decode(payload: string): Histogram {
    return new Histogram(decodeFromCompressedBase64(payload));
  }
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

/** Summarises a histogram for a result. */
export function timeStats(histogram: Histogram, censored = 0): TimeStats {
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
    ...(some ? { hdr: histogram.encode() } : {}),
  };
}
