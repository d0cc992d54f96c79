// UTF-8 checked as it arrives: fails at the first byte that no continuation can mend. RFC 3629, RFC 6455 §8.1
import { isAscii, isUtf8 } from 'node:buffer';

// The native check is faster per byte, and a call into it costs as much as this many bytes here.
const nativeFromBytes = 48;

/**
 * An incremental validator. Its state is what the last bytes promised: how many continuation bytes are to come, and in which
 * range the next of them must lie (which is what excludes overlong forms, surrogates and what lies above U+10FFFF).
 */
export class Utf8Validator {
  /** Bytes accepted so far. */
  position = 0;
  #needed = 0;
  #lower = 0x80;
  #upper = 0xbf;

  /** True between code points: here a text may end. */
  get isComplete(): boolean {
    return this.#needed === 0;
  }

  reset(): void {
    this.position = 0;
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  /** Takes more bytes. False: the byte at {@link position} is wrong, and no further ones may be pushed. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    let at = start;
    const base = this.position - start;
    if (this.#needed === 0 && end - at >= nativeFromBytes) {
      const rest = bytes.subarray(at, end);
      if (isAscii(rest) || isUtf8(rest)) {
        this.position += end - at;
        return true;
      }
    }
    let needed = this.#needed;
    let lower = this.#lower;
    let upper = this.#upper;
    for (; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (needed > 0) {
        if (byte < lower || byte > upper) return this.#failed(base + at);
        needed--;
        lower = 0x80;
        upper = 0xbf;
        continue;
      }
      if (byte < 0x80) continue;
      if (byte < 0xc2 || byte > 0xf4) return this.#failed(base + at);
      needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      if (byte === 0xe0) lower = 0xa0;
      else if (byte === 0xed) upper = 0x9f;
      else if (byte === 0xf0) lower = 0x90;
      else if (byte === 0xf4) upper = 0x8f;
    }
    this.#needed = needed;
    this.#lower = lower;
    this.#upper = upper;
    this.position = base + end;
    return true;
  }

  #failed(position: number): false {
    this.position = position;
    return false;
  }
}
