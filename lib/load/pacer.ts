// When messages are due: pure functions of their number. The clock stays outside.
import { invariant, WsbenchError } from '../errors.ts';

/** When message `n` (0, 1, 2, …) is due, in µs after the schedule's start. Asked in ascending order. */
export type Pacer = (n: number) => number;

/** What a plan says of arrivals. */
export interface PacerPlan {
  arrival: 'constant' | 'poisson';
  ratePerSecond: number;
  seed: number;
}

/** The pacer of a window: its own part of the random numbers, so that the warm-up's length does not shift the rest. */
export function pacerOf(plan: PacerPlan, window: 'warmup' | 'measure'): Pacer {
  if (plan.arrival === 'constant') return constantPacer(plan.ratePerSecond);
  return poissonPacer(plan.ratePerSecond, plan.seed ^ (window === 'warmup' ? 0x5bd1e995 : 0));
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
