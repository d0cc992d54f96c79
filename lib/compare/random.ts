// Random numbers that are the same for the same seed: a comparison says the same of the same two files, today and next year.

/** Whole numbers from 0 up to, and without, a limit of at most 2³². */
export type Random = (limit: number) => number;

/** Mulberry32: 32 bits of state, which is plenty for a few million draws of small numbers. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}
