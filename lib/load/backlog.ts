// Does the number of unanswered messages grow across the measure phase? Then the target does not keep up.

/** Watches the number of outstanding messages in the first and in the last quarter of a phase. */
export class Backlog {
  readonly #startUs: number;
  readonly #endUs: number;
  #firstMost = 0;
  #lastLeast = Number.POSITIVE_INFINITY;

  constructor(startUs: number, endUs: number) {
    this.#startUs = startUs;
    this.#endUs = endUs;
  }

  sample(atUs: number, outstanding: number): void {
    const share = (atUs - this.#startUs) / (this.#endUs - this.#startUs);
    if (share >= 0 && share < 0.25) this.#firstMost = Math.max(this.#firstMost, outstanding);
    if (share >= 0.75 && share <= 1) this.#lastLeast = Math.min(this.#lastLeast, outstanding);
  }

  /**
   * How much the backlog grew, or 0. The least of the last quarter is compared with the most of the first, so that a
   * target that stalls now and then, but recovers, is not taken for one that falls behind. A twentieth of a second's
   * messages is noise.
   */
  growth(ratePerSecond: number): number {
    if (!Number.isFinite(this.#lastLeast)) return 0;
    const grown = this.#lastLeast - this.#firstMost;
    return grown > Math.max(10, 0.05 * ratePerSecond) ? grown : 0;
  }
}
