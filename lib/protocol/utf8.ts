// UTF-8 checked as it arrives: fails at the first byte that no continuation can mend. RFC 3629, RFC 6455 §8.1
import { isUtf8 } from 'node:buffer';

// A call to the native check costs as much as this many bytes that are not ASCII here, and as this many that are.
const nativeFromBytes = 96;
const nativeFromAscii = 512;
const highBits = 0x80808080 | 0;

/**
 * An incremental validator. Its state is what the last bytes promised: how many continuation bytes are to come, and in which
 * range the next of them must lie (which is what excludes overlong forms, surrogates and what lies above U+10FFFF).
 */
export class Utf8Validator {
  /** Bytes accepted so far; after a failure the index of the byte that was wrong. */
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
    // A code point that the last bytes began.
    while (this.#needed > 0 && at < end) {
      if (!this.#step(bytes[at] ?? 0)) return false;
      at++;
    }
    // Most texts are ASCII: short ones need no native call, and so no view of their bytes, which would be an allocation.
    if (end - at < nativeFromAscii) at = this.#passAscii(bytes, at, end);
    if (end - at >= nativeFromBytes) {
      const whole = endOfWhole(bytes, at, end);
      if (isUtf8(bytes.subarray(at, whole))) {
        this.position += whole - at;
        at = whole;
      }
      // Else the loop below finds the place.
    }
    for (; at < end; at++) if (!this.#step(bytes[at] ?? 0)) return false;
    return true;
  }

  /** Goes over ASCII, four bytes at a time; returns where it ends. */
  #passAscii(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    const shift = bytes.byteOffset;
    while (at < end && ((shift + at) & 3) !== 0 && (bytes[at] ?? 0) < 0x80) at++;
    if (((shift + at) & 3) === 0) {
      const seen = wordsOf(bytes.buffer);
      let index = (shift + at) >> 2;
      const last = (shift + end) >> 2;
      while (
        index < last - 3 &&
        (((seen[index] ?? 0) | (seen[index + 1] ?? 0) | (seen[index + 2] ?? 0) | (seen[index + 3] ?? 0)) &
          highBits) ===
          0
      ) {
        index += 4;
      }
      while (index < last && ((seen[index] ?? 0) & highBits) === 0) index++;
      if (index << 2 > shift + at) at = (index << 2) - shift;
      while (at < end && (bytes[at] ?? 0) < 0x80) at++;
    }
    this.position += at - start;
    return at;
  }

  #step(byte: number): boolean {
    if (this.#needed > 0) {
      if (byte < this.#lower || byte > this.#upper) return false;
      this.#needed--;
      this.#lower = 0x80;
      this.#upper = 0xbf;
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return false;
      this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      if (byte === 0xe0) this.#lower = 0xa0;
      else if (byte === 0xed) this.#upper = 0x9f;
      else if (byte === 0xf0) this.#lower = 0x90;
      else if (byte === 0xf4) this.#upper = 0x8f;
    }
    this.position++;
    return true;
  }
}

/** The end, or where a code point begins that may go on after it: a chunk must not count as wrong for where it was cut. */
function endOfWhole(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) return at;
  }
  return end;
}

let viewed: ArrayBufferLike | undefined;
let words: Int32Array = new Int32Array(0);

/** A buffer as words. Kept for the next text, which is most often in the same read. */
function wordsOf(buffer: ArrayBufferLike): Int32Array {
  if (buffer !== viewed) {
    viewed = buffer;
    words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
  }
  return words;
}
