// Does the number of unanswered messages grow across the measure phase? Then the target does not keep up.

/** Messages outstanding in the slices of the first and of the last quarter of a phase; null: nobody looked. */
export interface BacklogData {
  /** The most in each slice. */
  first: (number | null)[];
  /** The least. */
  last: (number | null)[];
}

// Engines look at different instants. What they saw adds up slice by slice, so a slice must be short beside the quarter.
const slices = 20;

/** Nothing was seen. */
export function noBacklog(): BacklogData {
  return { first: Array(slices).fill(null), last: Array(slices).fill(null) };
}

/** Watches the number of outstanding messages in the first and in the last quarter of a phase. */
export class Backlog {
  readonly #startUs: number;
  readonly #endUs: number;
  readonly #data = noBacklog();

  constructor(startUs: number, endUs: number) {
    this.#startUs = startUs;
    this.#endUs = endUs;
  }

  sample(atUs: number, outstanding: number): void {
    const share = (atUs - this.#startUs) / (this.#endUs - this.#startUs);
    const { first, last } = this.#data;
    const slice = Math.min(slices - 1, Math.floor((share % 0.25) * 4 * slices));
    if (share >= 0 && share < 0.25) first[slice] = Math.max(first[slice] ?? 0, outstanding);
    else if (share >= 0.75 && share < 1) last[slice] = Math.min(last[slice] ?? outstanding, outstanding);
    else if (share === 1) last[slices - 1] = Math.min(last[slices - 1] ?? outstanding, outstanding);
  }

  data(): BacklogData {
    return { first: [...this.#data.first], last: [...this.#data.last] };
  }
}

/**
 * How much a backlog grew, or 0. The least of the last quarter is compared with the most of the first, so that a
 * target that stalls now and then, but recovers, is not taken for one that falls behind. A twentieth of a second's
 * messages is noise. Pure.
 */
export function backlogGrowth({ first, last }: BacklogData, ratePerSecond: number): number {
  const seen = (slice: number | null): slice is number => slice !== null;
  const least = Math.min(...last.filter(seen));
  if (!Number.isFinite(least)) return 0;
  const grown = least - Math.max(0, ...first.filter(seen));
  return grown > Math.max(10, 0.05 * ratePerSecond) ? grown : 0;
}
