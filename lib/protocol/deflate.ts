// permessage-deflate, message by message: a function of payload and window. RFC 7692 §7.2
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { History } from './history.ts';
import { type Violation, violation } from './rules.ts';

/** What ends every flushed block, and is left out on the wire. §7.2.1 */
export const deflateTail = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** An empty final block: only an inflater that stands between two blocks comes to its end with it. */
const lastBlock = Buffer.from([0x01, 0x00, 0x00, 0xff, 0xff]);
/** An empty stored block without its last four bytes: what an empty message is compressed to. §7.2.3.6 */
export const emptyBlock = Buffer.from([0x00]);

// A peer may end a block with BFINAL as often as it likes (§7.2.3.4), but each one makes us begin anew.
const maxFinalBlocks = 64;

/** How one direction is compressed. */
export interface DeflateDirection {
  /** Base-2 logarithm of the window, 8 to 15. */
  windowBits: number;
  /** False: each message stands alone. */
  contextTakeover: boolean;
}

/** The history that a direction needs. */
export function historyOf({ windowBits, contextTakeover }: DeflateDirection): History {
  return new History(contextTakeover ? 2 ** windowBits : 0);
}

/**
 * What zlib is told to compress into a window.
 *
 * @param level 0 to 9, as zlib's; -1 is its default
 * @param memLevel 1 to 9: how much memory it takes, and so how long it takes to begin
 */
export function deflateOptions(
  windowBits: number,
  level: number,
  memLevel: number = constants.Z_DEFAULT_MEMLEVEL,
): ZlibOptions {
  return {
    level,
    memLevel,
    // zlib makes 9 of a window of 8 bits, and might look back further than the peer does: then it must not look back.
    windowBits: Math.max(9, windowBits),
    strategy: windowBits === 8 ? constants.Z_HUFFMAN_ONLY : constants.Z_DEFAULT_STRATEGY,
  };
}

/** Compresses the messages of one direction. 10 to 70 µs for a small message: the less, the smaller window and `memLevel` are. */
export class MessageDeflater {
  readonly #options: ZlibOptions;
  readonly #looksBack: boolean;
  readonly #history: History;

  /**
   * @param level 0 to 9, as zlib's; -1 is its default
   * @param memLevel 1 to 9, as zlib's
   */
  constructor(
    direction: DeflateDirection,
    level: number = constants.Z_DEFAULT_COMPRESSION,
    memLevel: number = constants.Z_DEFAULT_MEMLEVEL,
  ) {
    this.#options = {
      ...deflateOptions(direction.windowBits, level, memLevel),
      finishFlush: constants.Z_SYNC_FLUSH,
    };
    this.#looksBack = direction.contextTakeover && direction.windowBits > 8;
    this.#history = historyOf(direction);
  }

  /** The compressed payload of a message. */
  deflate(message: Uint8Array): Buffer {
    if (message.length === 0) return Buffer.from(emptyBlock);
    const dictionary = this.#looksBack ? this.#history.read() : emptyBlock.subarray(1);
    const compressed = deflateRawSync(message, {
      ...this.#options,
      ...(dictionary.length > 0 ? { dictionary } : {}),
    });
    if (this.#looksBack) this.#history.add(message);
    return compressed.subarray(0, compressed.length - deflateTail.length);
  }
}

/**
 * Inflates the messages of one direction. Output is bounded, whatever a peer sends, and a payload must end where a block does.
 *
 * References further back than the window are a violation from a quarter of the window on; zlib itself sees fewer of them.
 */
export class MessageInflater {
  readonly #windowBits: number;
  readonly #history: History;
  readonly #maxBytes: number;

  /**
   * @param maxBytes the most that one message may inflate to
   * @param history what came before, if anything did
   */
  constructor(direction: DeflateDirection, maxBytes: number, history: History = historyOf(direction)) {
    this.#windowBits = direction.windowBits;
    this.#history = history;
    this.#maxBytes = maxBytes;
  }

  /** The message, or the rule that its compressed payload breaks. */
  inflate(payload: Uint8Array): Buffer | Violation {
    const input = Buffer.concat([payload, deflateTail, lastBlock]);
    const parts: Buffer[] = [];
    let dictionary = this.#history.read();
    let at = 0;
    let left = this.#maxBytes;
    try {
      // Once, unless the peer has final blocks of its own: after each a new stream begins, with the same window.
      while (at < input.length) {
        if (parts.length > maxFinalBlocks)
          return violation('inflate', `more than ${maxFinalBlocks} final blocks`);
        const { buffer, consumed } = inflateStream(input.subarray(at), this.#windowBits, left, dictionary);
        left -= buffer.length;
        if (left < 0) return tooLarge(this.#maxBytes);
        parts.push(buffer);
        at += consumed;
        if (at < input.length)
          dictionary = Buffer.concat([dictionary, buffer]).subarray(-(2 ** this.#windowBits));
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(this.#maxBytes) : violation('inflate', message);
    }
    const message = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
    this.#history.add(message);
    return message;
  }
}

/** What a payload that inflates to more than is allowed breaks. */
export function tooLarge(maxBytes: number): Violation {
  return violation('too-large', `more than ${maxBytes} bytes`);
}

/** Inflates up to the end of a final block, and tells how much of the input that was. */
function inflateStream(
  input: Buffer,
  windowBits: number,
  maxBytes: number,
  dictionary: Buffer,
): { buffer: Buffer; consumed: number } {
  const { buffer, engine } = inflateRawSync(input, {
    windowBits,
    // zlib looks for what is further back than its output so far in the window, and finds there what is in the window.
    chunkSize: 2 ** (windowBits - 2),
    // zlib's own error for more than this comes before the memory is taken.
    maxOutputLength: Math.max(1, maxBytes),
    ...(dictionary.length > 0 ? { dictionary } : {}),
    info: true,
    // The types of Node do not know what `info` returns.
  }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
  return { buffer, consumed: engine.bytesWritten };
}
