// Indexes of connections that are over, to be used again.

/** Gives out indexes; one that was given back rests for a while, until nothing that is remembered under it can be taken for another's. */
export class SpareIndexes {
  readonly #restUs: number;
  /** The one that was given back first is the first. */
  readonly #spare: { index: number; freeUs: number }[] = [];
  /** Those under which nothing is remembered. */
  readonly #unused: number[] = [];
  #next: number;

  /** @param next the first index to give out */
  constructor(next: number, restUs: number) {
    this.#next = next;
    this.#restUs = restUs;
  }

  take(atUs: number): number {
    const unused = this.#unused.pop();
    if (unused !== undefined) return unused;
    const [oldest] = this.#spare;
    if (!oldest || oldest.freeUs > atUs) return this.#next++;
    this.#spare.shift();
    return oldest.index;
  }

  /** Gives back one that was not used: it needs no rest. */
  giveBackUnused(index: number): void {
    this.#unused.push(index);
  }

  giveBack(index: number, atUs: number): void {
    this.#spare.push({ index, freeUs: atUs + this.#restUs });
  }
}
