// What is to be done later, in the order of its time.

/** A heap of things by when they are due; equal times come in any order. */
export class Agenda<T> {
  readonly #times: number[] = [];
  readonly #things: T[] = [];

  /** When the first is due; Infinity: there is none. */
  get nextUs(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  add(atUs: number, thing: T): void {
    let at = this.#times.length;
    for (let above = (at - 1) >> 1; at > 0 && this.#timeAt(above) > atUs; above = (at - 1) >> 1) {
      this.#put(at, this.#timeAt(above), this.#things[above] as T);
      at = above;
    }
    this.#put(at, atUs, thing);
  }

  /** Takes out the first that is due at `atUs`; undefined: there is none. */
  take(atUs: number): T | undefined {
    if (this.nextUs > atUs) return undefined;
    const [first] = this.#things;
    const lastUs = this.#times.pop() as number;
    const last = this.#things.pop() as T;
    const { length } = this.#times;
    if (length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && this.#timeAt(below + 1) < this.#timeAt(below)) below++;
      if (this.#timeAt(below) >= lastUs) break;
      this.#put(at, this.#timeAt(below), this.#things[below] as T);
      at = below;
    }
    this.#put(at, lastUs, last);
    return first;
  }

  #timeAt(at: number): number {
    return this.#times[at] as number;
  }

  #put(at: number, atUs: number, thing: T): void {
    this.#times[at] = atUs;
    this.#things[at] = thing;
  }
}
