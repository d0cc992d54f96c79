// Finds frame lengths that are written in more bytes than needed. ws takes them (RFC 6455 §5.2 says they MUST be minimal), and has
// no option for it; so the bytes are looked at before ws gets them.

/** Follows the frames of one peer by their headers alone; payloads are passed over. */
export class LengthWatch {
  /** Bytes of masking key and payload that are still to come. */
  #skip = 0;
  /** Where in a header the next byte stands: 0 and 1, or in a length of more bytes. */
  #at = 0;
  #maskBytes = 0;
  /** Bytes of the length that are still to come, how many there were, and what they say so far. */
  #lengthLeft = 0;
  #lengthBytes = 0;
  #length = 0;

  /** Takes the next bytes. False: a length in them is longer than it needs to be. */
  push(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
      } else if (!this.#header(chunk[at++] ?? 0)) return false;
    }
    return true;
  }

  #header(byte: number): boolean {
    if (this.#at === 0) {
      this.#at = 1;
      return true;
    }
    if (this.#at === 1) {
      const short = byte & 0x7f;
      this.#maskBytes = byte & 0x80 ? 4 : 0;
      if (short < 126) {
        this.#payloadFollows(short);
        return true;
      }
      this.#at = 2;
      this.#length = 0;
      this.#lengthBytes = short === 126 ? 2 : 8;
      this.#lengthLeft = this.#lengthBytes;
      return true;
    }
    this.#length = this.#length * 256 + byte;
    if (--this.#lengthLeft > 0) return true;
    this.#payloadFollows(this.#length);
    return this.#length > (this.#lengthBytes === 2 ? 125 : 0xffff);
  }

  #payloadFollows(bytes: number): void {
    this.#skip = this.#maskBytes + bytes;
    this.#at = 0;
  }
}
