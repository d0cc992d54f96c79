// What is due when, the next first.

/** Numbers with the time at which they are due. */
export class DueHeap {
  readonly #items: { what: number; atUs: number }[] = [];

  /** When the next is due; Infinity: there is none. */
  get nextUs(): number {
    return this.#items[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  add(what: number, atUs: number): void {
    const items = this.#items;
    const item = { what, atUs };
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above];
      if (!parent || parent.atUs <= atUs) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  /** Takes the next one if it is due by `atUs`. */
  take(atUs: number): number | undefined {
    const items = this.#items;
    const [first] = items;
    if (!first || first.atUs > atUs) return undefined;
    const last = items.pop();
    if (last && items.length > 0) this.#sink(last);
    return first.what;
  }

  clear(): void {
    this.#items.length = 0;
  }

  /** Puts an item at the top, and lets it find its place. */
  #sink(item: { what: number; atUs: number }): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [items[below], items[below + 1]];
      if (!left) break;
      if (right && right.atUs < left.atUs) below++;
      const child = right && right.atUs < left.atUs ? right : left;
      if (child.atUs >= item.atUs) break;
      items[at] = child;
      at = below;
    }
    items[at] = item;
  }
}
