// When messages are due: pure functions of their number. The clock stays outside.
import { invariant, WsbenchError } from '../errors.ts';
import { type Course, timeOfCount } from './course.ts';

/** When message `n` (0, 1, 2, …) is due, in µs after the schedule's start. Asked in ascending order. */
export type Pacer = (n: number) => number;

/** How events are spread over time around their rate. */
export interface Arrivals {
  arrival: 'constant' | 'poisson';
  seed: number;
}

/** What has a schedule of its own, and so random numbers of its own: none shifts those of another. */
export type Scheduled = 'connect' | 'warmup' | 'measure';

const salts: Record<Scheduled, number> = { connect: 0x2545f491, warmup: 0x5bd1e995, measure: 0 };

/** The pacer of a rate over time, with constant or random arrivals. */
export function pacerOf(course: Course, { arrival, seed }: Arrivals, what: Scheduled): Pacer {
  const rates = new Set(course.flatMap(({ from, to }) => [from, to]));
  const [rate = 0] = rates;
  if (rate === 0 && rates.size <= 1) return () => Number.POSITIVE_INFINITY;
  const own = seed ^ salts[what];
  if (rates.size > 1) return coursePacer(course, arrival === 'constant' ? undefined : own);
  return arrival === 'constant' ? constantPacer(rate) : poissonPacer(rate, own);
}

/**
 * Message n is due where the area under the rate reaches n; with a seed, where it reaches the n-th arrival of a Poisson process
 * of one a second, which makes it a Poisson process whose mean follows the rate. After the course: never.
 */
export function coursePacer(course: Course, seed?: number): Pacer {
  const whenCount = timeOfCount(course);
  if (seed === undefined) return whenCount;
  const arrivals = poissonPacer(1, seed);
  return (n) => whenCount(arrivals(n) / 1e6);
}

/** Evenly spaced: message n is due at n/R. */
export function constantPacer(ratePerSecond: number): Pacer {
  invariant(ratePerSecond > 0, `a rate of ${ratePerSecond}/s has no schedule`);
  // A product of n, not a sum of intervals: rounding does not accumulate.
  return (n) => (n * 1e6) / ratePerSecond;
}

/**
 * A Poisson process of the given mean rate: independent exponential gaps, by inverse transform of a seeded
 * generator, so that equal seeds give equal schedules. Message 0 comes after the first gap.
 */
export function poissonPacer(ratePerSecond: number, seed: number): Pacer {
  invariant(ratePerSecond > 0, `a rate of ${ratePerSecond}/s has no schedule`);
  const random = seededRandom(seed);
  let asked = -1;
  let atUs = 0;
  return (n) => {
    if (n < asked) throw new WsbenchError('INTERNAL', `message ${n} asked after ${asked}`);
    for (; asked < n; asked++) atUs += (-Math.log(1 - random()) * 1e6) / ratePerSecond;
    return atUs;
  };
}

/** Uniform numbers in [0, 1) from a 32-bit seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
