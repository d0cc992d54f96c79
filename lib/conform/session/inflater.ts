// Inflates a peer's messages as zlib's stream does that Autobahn uses: no stricter, and no less.
import { constants, inflateRawSync } from 'node:zlib';
import { type DeflateDirection, deflateTail, historyOf, MessageInflater } from '../../protocol/deflate.ts';
import type { History } from '../../protocol/history.ts';
import type { Strictness } from '../plan.ts';

/** An empty final block: only an inflater that stands between two blocks comes to its end with it. */
const lastBlock = Buffer.from([0x01, 0x00, 0x00, 0xff, 0xff]);
// Autobahn's largest message is 16 MiB.
const maxBytes = 64 * 1024 * 1024;
// zlib's output is handed on in pieces of so many bytes; what reaches back further than a piece must be in the window.
const smallWindowPiece = 16 * 1024;
// With the largest window it may be of any size: room for what most messages come to, made anew for each.
const leastPieceBytes = 1024;
const mostPieceBytes = 128 * 1024;
const usualRatio = 8;

/** Inflates messages: each comes to its bytes, or to what is wrong with it. */
export interface Inflater {
  inflate(payload: Uint8Array): Buffer | string;
}

/** What inflates a peer's messages: as RFC 7692 has it, final blocks and all, or as Autobahn has it. */
export function inflaterOf(direction: DeflateDirection, strictness: Strictness): Inflater {
  if (strictness === 'autobahn') return new PeerInflater(direction);
  const inner = new MessageInflater(direction, maxBytes);
  return {
    inflate: (payload) => {
      const message = inner.inflate(payload);
      return Buffer.isBuffer(message) ? message : message.reason;
    },
  };
}

/** Inflates the messages of one direction with one stream, or with one for each message. RFC 7692 §7.2.2 */
class PeerInflater implements Inflater {
  readonly #direction: DeflateDirection;
  readonly #history: History;
  /** A message broke off within a block: with its context kept, the next one is read as the rest of that block. */
  #residue: string | undefined;
  /** A final block ended the stream: with its context kept, nothing comes out of it any more. */
  #isEnded = false;

  constructor(direction: DeflateDirection) {
    this.#direction = direction;
    this.#history = historyOf(direction);
  }

  /** The message; or what is wrong with it. */
  inflate(payload: Uint8Array): Buffer | string {
    if (this.#residue !== undefined) return this.#residue;
    if (this.#isEnded) return Buffer.alloc(0);
    const { windowBits, contextTakeover } = this.#direction;
    const dictionary = this.#history.read();
    const options = {
      windowBits,
      chunkSize: windowBits < 15 ? smallWindowPiece : pieceBytes(payload.length),
      maxOutputLength: maxBytes,
      ...(dictionary.length > 0 ? { dictionary } : {}),
    };
    let message: Buffer;
    try {
      const input = Buffer.concat([payload, deflateTail, lastBlock]);
      // The types of Node do not know what `info` returns.
      const { buffer, engine } = inflateRawSync(input, { ...options, info: true }) as unknown as {
        buffer: Buffer;
        engine: { bytesWritten: number };
      };
      message = buffer;
      this.#isEnded = contextTakeover && engine.bytesWritten < input.length;
    } catch {
      // Not where a block ends: a stream gives what it has, and waits for more.
      try {
        message = inflateRawSync(Buffer.concat([payload, deflateTail]), {
          ...options,
          finishFlush: constants.Z_SYNC_FLUSH,
        });
      } catch (error) {
        return (error as Error).message;
      }
      if (contextTakeover) this.#residue = 'the last message did not end where a block does';
    }
    this.#history.add(message);
    return message;
  }
}

function pieceBytes(compressedBytes: number): number {
  return Math.min(mostPieceBytes, Math.max(leastPieceBytes, usualRatio * compressedBytes));
}
