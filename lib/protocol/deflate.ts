// permessage-deflate, message by message: a function of payload and window. RFC 7692 §7.2
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { type Violation, violation } from './rules.ts';

/** What ends every flushed block, and is left out on the wire. §7.2.1 */
const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const empty = Buffer.alloc(0);
/** An empty stored block without its last four bytes: what an empty message is compressed to. §7.2.3.6 */
const emptyBlock = Buffer.from([0x00]);

/** How one direction is compressed. */
export interface DeflateDirection {
  /** Base-2 logarithm of the window, 8 to 15. */
  windowBits: number;
  /** False: each message stands alone. */
  contextTakeover: boolean;
}

/** The last bytes that were seen, as far as the window reaches. */
class History {
  bytes: Buffer = empty;
  readonly #most: number;

  constructor({ windowBits, contextTakeover }: DeflateDirection) {
    this.#most = contextTakeover ? 2 ** windowBits : 0;
  }

  add(message: Buffer): void {
    if (this.#most === 0) return;
    if (message.length >= this.#most) this.bytes = Buffer.from(message.subarray(-this.#most));
    else this.bytes = Buffer.concat([this.bytes, message]).subarray(-this.#most);
  }
}

/** Compresses the messages of one direction. About 100 µs a message: for conformance, not for load. */
export class MessageDeflater {
  readonly #direction: DeflateDirection;
  readonly #history: History;
  readonly #level: number;

  /** @param level 0 to 9, as zlib's; -1 is its default */
  constructor(direction: DeflateDirection, level = constants.Z_DEFAULT_COMPRESSION) {
    this.#direction = direction;
    this.#history = new History(direction);
    this.#level = level;
  }

  /** The compressed payload of a message. */
  deflate(message: Uint8Array): Buffer {
    const bytes = Buffer.from(message);
    if (bytes.length === 0) return Buffer.from(emptyBlock);
    const { windowBits } = this.#direction;
    const dictionary = this.#history.bytes;
    const compressed = deflateRawSync(bytes, {
      level: this.#level,
      finishFlush: constants.Z_SYNC_FLUSH,
      // zlib makes 9 of a window of 8 bits, and would look back further than the peer does: then it must not look back.
      windowBits: Math.max(9, windowBits),
      strategy: windowBits === 8 ? constants.Z_HUFFMAN_ONLY : constants.Z_DEFAULT_STRATEGY,
      ...(dictionary.length > 0 && windowBits > 8 ? { dictionary } : {}),
    });
    this.#history.add(bytes);
    return compressed.subarray(0, compressed.length - tail.length);
  }
}

/** Inflates the messages of one direction. Output is bounded, whatever a peer sends. */
export class MessageInflater {
  readonly #direction: DeflateDirection;
  readonly #history: History;
  readonly #maxBytes: number;

  /** @param maxBytes the most that one message may inflate to */
  constructor(direction: DeflateDirection, maxBytes: number) {
    this.#direction = direction;
    this.#history = new History(direction);
    this.#maxBytes = maxBytes;
  }

  /** The message, or the rule that its compressed payload breaks. */
  inflate(payload: Uint8Array): Buffer | Violation {
    const dictionary = this.#history.bytes;
    try {
      const message = inflateRawSync(Buffer.concat([payload, tail]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        windowBits: this.#direction.windowBits,
        // zlib's own error for more than this comes before the memory is taken.
        maxOutputLength: Math.max(1, this.#maxBytes),
        ...(dictionary.length > 0 ? { dictionary } : {}),
      });
      if (message.length > this.#maxBytes) return violation('too-large', `more than ${this.#maxBytes} bytes`);
      this.#history.add(message);
      return message;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ERR_BUFFER_TOO_LARGE'
        ? violation('too-large', `more than ${this.#maxBytes} bytes`)
        : violation('inflate', message);
    }
  }
}
