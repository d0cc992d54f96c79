// The last bytes of one direction, as far as its window reaches: what a next message may refer to. RFC 7692 §7.1
const empty = Buffer.alloc(0);

/** A ring that grows up to its bound. */
export class History {
  #ring: Buffer = empty;
  #size = 0;
  /** Where the next byte goes once the ring is full. */
  #at = 0;
  readonly #most: number;

  /** @param most bytes that are kept; 0: none are */
  constructor(most: number) {
    this.#most = most;
  }

  add(bytes: Uint8Array): void {
    if (this.#most === 0 || bytes.length === 0) return;
    const kept = bytes.length > this.#most ? bytes.subarray(bytes.length - this.#most) : bytes;
    this.#reserve(Math.min(this.#most, this.#size + kept.length));
    const first = Math.min(kept.length, this.#ring.length - this.#at);
    this.#ring.set(kept.subarray(0, first), this.#at);
    this.#ring.set(kept.subarray(first), 0);
    this.#at = (this.#at + kept.length) % this.#most;
    this.#size = Math.min(this.#most, this.#size + kept.length);
  }

  /** The bytes, oldest first: a copy. */
  read(): Buffer {
    if (this.#size < this.#most) return Buffer.from(this.#ring.subarray(0, this.#size));
    return Buffer.concat([this.#ring.subarray(this.#at), this.#ring.subarray(0, this.#at)]);
  }

  #reserve(size: number): void {
    if (size <= this.#ring.length) return;
    const grown = Buffer.alloc(Math.min(this.#most, Math.max(size, 2 * this.#ring.length)));
    this.#ring.copy(grown);
    this.#ring = grown;
  }
}
