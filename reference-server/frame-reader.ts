// Follows the bytes of one peer by their frame headers (RFC 6455 §5.2), to know whether a message of it is unfinished, and whether a
// length is written in more bytes than needed, which ws takes. Whatever else is wrong is found by ws; here it only has to do no harm.

/** Counts the bytes of the message that has begun and not ended. Payloads are passed over, not read. */
export class FrameReader {
  /** Where in a header the next byte stands: 0 and 1, then the bytes of a longer length. */
  #at = 0;
  #first = 0;
  #maskBytes = 0;
  #lengthLeft = 0;
  #length = 0;
  /** What a length in more bytes than one must exceed. */
  #lengthAbove = -1;
  /** Bytes of masking key and payload that are still to come. */
  #skip = 0;
  #frameBytes = 0;
  /** Whether a fragmented message has begun, and the bytes of its frames so far. */
  #isFragmented = false;
  #messageBytes = 0;
  #isMinimal = true;

  /** Bytes of what has begun and not ended; 0 between messages. */
  get unfinishedBytes(): number {
    return this.#messageBytes + this.#frameBytes;
  }

  /** Every length so far was written in as few bytes as it fits in: RFC 6455 §5.2 says that it MUST be. */
  get isMinimal(): boolean {
    return this.#isMinimal;
  }

  /** Takes what has arrived. Returns whether a message, or a control frame between two messages, ended in it. */
  read(chunk: Uint8Array): boolean {
    let ended = false;
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - at);
        at += taken;
        this.#frameBytes += taken;
        this.#skip -= taken;
      } else {
        this.#frameBytes += 1;
        if (!this.#header(chunk[at++] ?? 0)) continue;
      }
      if (this.#skip === 0) ended = this.#endFrame() || ended;
    }
    return ended;
  }

  /** Takes a byte of a header. Returns whether it was the last. */
  #header(byte: number): boolean {
    if (this.#at === 0) {
      this.#first = byte;
      this.#at = 1;
      return false;
    }
    if (this.#at === 1) {
      const short = byte & 0x7f;
      this.#maskBytes = byte & 0x80 ? 4 : 0;
      this.#at = 2;
      this.#length = short < 126 ? short : 0;
      this.#lengthLeft = short < 126 ? 0 : short === 126 ? 2 : 8;
      this.#lengthAbove = short < 126 ? -1 : short === 126 ? 125 : 0xffff;
    } else {
      this.#length = this.#length * 256 + byte;
      this.#lengthLeft -= 1;
    }
    if (this.#lengthLeft > 0) return false;
    if (this.#length <= this.#lengthAbove) this.#isMinimal = false;
    this.#skip = this.#maskBytes + this.#length;
    this.#at = 0;
    return true;
  }

  #endFrame(): boolean {
    const bytes = this.#frameBytes;
    this.#frameBytes = 0;
    const isControl = (this.#first & 0x08) !== 0;
    if (isControl) return !this.#isFragmented;
    const ends = (this.#first & 0x80) !== 0;
    this.#isFragmented = !ends;
    this.#messageBytes = ends ? 0 : this.#messageBytes + bytes;
    return ends;
  }
}
