// How the first attempts to connect end, over all workers of a run: when none ever opens, the rest would only take time.

const openedAt = 0;
const failedAt = 1;

/** A count that threads share. */
export class Attempts {
  /** What threads share: give it to each of them. */
  readonly counts: Int32Array;

  constructor(counts: Int32Array = new Int32Array(new SharedArrayBuffer(8))) {
    this.counts = counts;
  }

  opened(): void {
    Atomics.store(this.counts, openedAt, 1);
  }

  /** Counts one that failed; returns how many have, or 0 when one ever opened. */
  failed(): number {
    const failed = Atomics.add(this.counts, failedAt, 1) + 1;
    return Atomics.load(this.counts, openedAt) === 0 ? failed : 0;
  }
}
