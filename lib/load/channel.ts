// Events from callbacks to an async generator.

/** A queue with one reader. `push` never waits: what a slow reader has not taken is bounded by `keep`. */
export class Channel<T> {
  readonly #items: T[] = [];
  readonly #keep: (items: T[], next: T) => void;
  #wake: (() => void) | undefined;
  #ended = false;

  /** @param keep puts the next item into the queue, and may drop others */
  constructor(keep: (items: T[], next: T) => void) {
    this.#keep = keep;
  }

  push(item: T): void {
    this.#keep(this.#items, item);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Yields items until {@link end}. */
  async *read(): AsyncGenerator<T, void, void> {
    for (;;) {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
