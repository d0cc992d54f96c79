// Writing at exact byte boundaries.

/** Pieces of given sizes, which are written one by one. */
export interface Chop {
  /** In bytes, again and again. */
  sizes: readonly number[];
  /** Between two pieces; 0 by default. */
  delayMs?: number;
}

/** Writes bytes and calls back when the system has taken them. */
type Write = (bytes: Uint8Array, written: () => void) => void;

/** Writes pieces in order, each when the last one has left: what waits together would be written together. */
export class PieceWriter {
  readonly #write: Write;
  readonly #idle: () => void;
  #pieces: { bytes: Uint8Array; delayMs: number }[] = [];
  #waitingBytes = 0;
  #isBusy = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param idle called when all is written */
  constructor(write: Write, idle: () => void) {
    this.#write = write;
    this.#idle = idle;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Bytes whose turn has not come yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Bytes that must not change until they are written.
   *
   * @param chop without one they are written in one piece
   * @throws RangeError for sizes that never come to an end
   */
  add(bytes: Uint8Array, { sizes, delayMs = 0 }: Chop = { sizes: [bytes.length || 1] }): void {
    if (sizes.length === 0 || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
      throw new RangeError('the sizes of pieces are whole numbers above 0');
    }
    this.#waitingBytes += bytes.length;
    let at = 0;
    for (let turn = 0; at < bytes.length; turn++) {
      const end = at + (sizes[turn % sizes.length] ?? bytes.length);
      this.#pieces.push({ bytes: bytes.subarray(at, end), delayMs });
      at = end;
    }
    if (!this.#isBusy) this.#next();
  }

  /** What is not written yet never will be. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#pieces = [];
    this.#waitingBytes = 0;
  }

  #next(): void {
    const piece = this.#pieces.shift();
    this.#isBusy = piece !== undefined;
    if (!piece) this.#idle();
    else {
      this.#waitingBytes -= piece.bytes.length;
      this.#write(piece.bytes, () => {
        this.#timer = setTimeout(() => this.#next(), this.#pieces.length === 0 ? 0 : piece.delayMs);
      });
    }
  }
}
