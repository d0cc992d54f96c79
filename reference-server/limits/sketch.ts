// Times by key in memory that never grows: what is asked of it may be later than what was put in, but never earlier.
import { createHash, randomBytes } from 'node:crypto';

const rows = 4;
const slotBits = 17;

function placeIn(row: number, digest: Buffer): number {
  return row * 2 ** slotBits + (digest.readUInt32LE(row * 4) >>> (32 - slotBits));
}

/**
 * The latest time of each key, in a table of fixed size (4 MiB, of which only what is used becomes resident). Keys share places, so a
 * key may be told the time of others; that takes four collisions at once, and chance that nobody outside knows decides on them. No
 * key is ever told an earlier time than its own: nothing has to be forgotten to make room.
 */
export class Sketch {
  readonly #times: Float64Array;
  readonly #salt = randomBytes(16);

  /** @param startMs the time of keys that nothing is known of, on a clock that starts at 0 or later */
  constructor(startMs = 0) {
    this.#times = new Float64Array(rows * 2 ** slotBits);
    if (startMs > 0) this.#times.fill(startMs);
  }

  get(key: string): number {
    return this.#least(this.#digest(key));
  }

  /** Puts what `next` makes of a key's time in its place, if that is later. Undefined: it stays as it is. */
  change(key: string, next: (timeMs: number) => number | undefined): void {
    const digest = this.#digest(key);
    const timeMs = next(this.#least(digest));
    if (timeMs === undefined) return;
    for (let row = 0; row < rows; row++) {
      const place = placeIn(row, digest);
      if ((this.#times[place] ?? 0) < timeMs) this.#times[place] = timeMs;
    }
  }

  #least(digest: Buffer): number {
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < rows; row++) least = Math.min(least, this.#times[placeIn(row, digest)] ?? 0);
    return least;
  }

  #digest(key: string): Buffer {
    return createHash('sha1').update(this.#salt).update(key).digest();
  }
}
