// Reads as much of a server's frames as it takes to find the close frame among them.

/** Finds the code of the first close frame among a server's frames, in memory that does not grow with what it sends. */
export class CloseFinder {
  /** The code, 1005 for a close frame without one; undefined while there was none. */
  code: number | undefined;
  #rest = Buffer.alloc(0);
  #skip = 0;

  /** Takes the next bytes of the stream. */
  push(chunk: Buffer): void {
    if (this.code !== undefined) return;
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(skipped)]);
    while (this.#skip === 0 && this.#step());
  }

  /** Goes over one frame; false when its head, or the code in it, is not there yet. */
  #step(): boolean {
    const bytes = this.#rest;
    const short = bytes.length < 2 ? 0 : bytes.readUInt8(1) & 0x7f;
    const masked = bytes.length >= 2 && (bytes.readUInt8(1) & 0x80) !== 0;
    const lengthAt = short === 126 ? 4 : short === 127 ? 10 : 2;
    const head = lengthAt + (masked ? 4 : 0);
    if (bytes.length < head) return false;
    const length =
      short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if ((bytes.readUInt8(0) & 0x0f) === 0x8) {
      if (length >= 2 && bytes.length < head + 2) return false;
      // No server may mask, but its code can be read all the same.
      const mask = masked ? bytes.readUInt16BE(lengthAt) : 0;
      this.code = length < 2 ? 1005 : bytes.readUInt16BE(head) ^ mask;
      return false;
    }
    const end = Math.min(bytes.length, head + length);
    this.#skip = head + length - end;
    this.#rest = bytes.subarray(end);
    return this.#rest.length > 0;
  }
}
