// Follows the bytes of one peer by their frame headers (RFC 6455 §5.2), to know whether a message of it is unfinished.
// What is wrong with a frame is found by `ws`, which closes; here it only has to do no harm.

const opcodes = { close: 8 } as const;

/** Counts the bytes of the message that has begun and not ended. Payloads are skipped, not read. */
export class FrameReader {
  readonly #header = new Uint8Array(14);
  #have = 0;
  #need = 2;
  #payloadLeft = 0;
  /** Whether the frame that is being read ends its message; control frames are messages of their own. */
  #isControl = false;
  #ends = true;
  /** Whether a fragmented message has begun. */
  #isFragmented = false;
  #messageBytes = 0;
  #frameBytes = 0;

  /** Bytes of what has begun and not ended; 0 between messages. */
  get unfinishedBytes(): number {
    return this.#messageBytes + this.#frameBytes;
  }

  /** Whether something has begun and not ended: also a fragmented message without a byte of payload. */
  get isUnfinished(): boolean {
    return this.#isFragmented || this.#frameBytes > 0;
  }

  /** Takes what has arrived. Returns whether a message, or a frame of its own, ended in it. */
  read(chunk: Uint8Array): boolean {
    let ended = false;
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        at += taken;
        this.#frameBytes += taken;
        this.#payloadLeft -= taken;
        if (this.#payloadLeft === 0) ended = this.#endFrame() || ended;
        continue;
      }
      this.#header[this.#have++] = chunk[at++] ?? 0;
      this.#frameBytes += 1;
      if (this.#have === 2) this.#need = headerBytes(this.#header[1] ?? 0);
      if (this.#have < this.#need) continue;
      this.#beginFrame();
      if (this.#payloadLeft === 0) ended = this.#endFrame() || ended;
    }
    return ended;
  }

  #beginFrame(): void {
    const first = this.#header[0] ?? 0;
    this.#isControl = (first & 0x0f) >= opcodes.close;
    this.#ends = (first & 0x80) !== 0;
    this.#payloadLeft = this.#payloadBytes();
    this.#have = 0;
    this.#need = 2;
  }

  #payloadBytes(): number {
    const short = (this.#header[1] ?? 0) & 0x7f;
    if (short < 126) return short;
    const view = new DataView(this.#header.buffer);
    return short === 126 ? view.getUint16(2) : view.getUint32(2) * 2 ** 32 + view.getUint32(6);
  }

  #endFrame(): boolean {
    const bytes = this.#frameBytes;
    this.#frameBytes = 0;
    if (this.#isControl) return !this.#isFragmented;
    this.#isFragmented = !this.#ends;
    this.#messageBytes = this.#ends ? 0 : this.#messageBytes + bytes;
    return this.#ends;
  }
}

function headerBytes(second: number): number {
  const short = second & 0x7f;
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  return 2 + lengthBytes + ((second & 0x80) === 0 ? 0 : 4);
}
