// permessage-deflate for load: one zlib stream a connection and direction, on zlib's own threads, in order. RFC 7692 §7.2
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';
import {
  type DeflateDirection,
  deflateOptions,
  deflateTail,
  emptyBlock,
  historyOf,
  MessageInflater,
  tooLarge,
} from './deflate.ts';
import type { History } from './history.ts';
import type { Violation } from './rules.ts';

type Job = () => void;

/** Jobs that run one after another. */
class Queue {
  readonly #waiting: Job[] = [];
  #isBusy = false;
  #isDraining = false;
  #isClosed = false;

  /** Runs a job at once, or when those before it are done. */
  add(job: Job): void {
    if (this.#isClosed) return;
    this.#waiting.push(job);
    this.#drain();
  }

  /** The job that runs is done. */
  next(): void {
    this.#isBusy = false;
    this.#drain();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  // A loop: thousands of jobs that are done at once must not be as many calls within each other.
  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (;;) {
      const job = this.#isBusy ? undefined : this.#waiting.shift();
      if (!job) break;
      this.#isBusy = true;
      job();
    }
    this.#isDraining = false;
  }
}

/** Compresses the messages of one direction, one after another. */
export class DeflateStream {
  readonly #direction: DeflateDirection;
  readonly #level: number;
  readonly #queue = new Queue();
  #stream: DeflateRaw | undefined;
  #chunks: Buffer[] = [];

  /** @param level 0 to 9, as zlib's; -1 is its default */
  constructor(direction: DeflateDirection, level: number = constants.Z_DEFAULT_COMPRESSION) {
    this.#direction = direction;
    this.#level = level;
  }

  /** Compresses a message, which must not change until `done` is called. */
  deflate(message: Uint8Array, done: (payload: Buffer) => void): void {
    this.#queue.add(() => this.#deflate(message, done));
  }

  /** Frees what zlib holds. What is not done yet is never called back. */
  close(): void {
    this.#queue.close();
    this.#stream?.close();
    this.#stream = undefined;
  }

  #deflate(message: Uint8Array, done: (payload: Buffer) => void): void {
    if (message.length === 0) {
      // zlib has nothing to flush.
      done(Buffer.from(emptyBlock));
      this.#queue.next();
      return;
    }
    const stream = this.#open();
    this.#chunks = [];
    stream.write(message);
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      if (stream !== this.#stream) return;
      const compressed = joined(this.#chunks);
      this.#chunks = [];
      if (!this.#direction.contextTakeover) stream.reset();
      done(compressed.subarray(0, compressed.length - deflateTail.length));
      this.#queue.next();
    });
  }

  #open(): DeflateRaw {
    if (this.#stream) return this.#stream;
    const stream = createDeflateRaw(deflateOptions(this.#direction.windowBits, this.#level));
    stream.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.#stream = stream;
    return stream;
  }
}

/**
 * Inflates the messages of one direction, one after another, with bounded output.
 *
 * Gives what {@link MessageInflater} gives, but for one thing: a payload that breaks off within a block is not seen as such; it
 * gives what it has, and the next message fails.
 */
export class InflateStream {
  readonly #direction: DeflateDirection;
  readonly #maxBytes: number;
  readonly #history: History;
  readonly #queue = new Queue();
  #stream: InflateRaw | undefined;
  /** For what a stream cannot do: it took the place of the stream. */
  #slow: MessageInflater | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #finish: ((broken: boolean) => void) | undefined;

  /** @param maxBytes the most that one message may inflate to */
  constructor(direction: DeflateDirection, maxBytes: number) {
    this.#direction = direction;
    this.#maxBytes = maxBytes;
    this.#history = historyOf(direction);
  }

  /** Inflates a payload, which must not change until `done` is called with the message, or the rule that the payload breaks. */
  inflate(payload: Uint8Array, done: (message: Buffer | Violation) => void): void {
    this.#queue.add(() => this.#inflate(payload, done));
  }

  /** Calls back when everything before is done: at once, if it is. For what must keep its place among compressed messages. */
  inOrder(done: () => void): void {
    this.#queue.add(() => {
      done();
      this.#queue.next();
    });
  }

  /** Frees what zlib holds. What is not done yet is never called back. */
  close(): void {
    this.#queue.close();
    this.#finish = undefined;
    this.#stream?.close();
    this.#stream = undefined;
  }

  #inflate(payload: Uint8Array, done: (message: Buffer | Violation) => void): void {
    const slow = this.#slow;
    if (slow) {
      done(slow.inflate(payload));
      this.#queue.next();
      return;
    }
    const stream = this.#open();
    this.#chunks = [];
    this.#bytes = 0;
    this.#finish = (broken) => {
      this.#finish = undefined;
      done(this.#result(stream, payload, broken));
      this.#queue.next();
    };
    stream.write(payload);
    stream.write(deflateTail);
    stream.flush(() => this.#finish?.(false));
  }

  #result(stream: InflateRaw, payload: Uint8Array, broken: boolean): Buffer | Violation {
    const chunks = this.#chunks;
    this.#chunks = [];
    if (this.#bytes > this.#maxBytes) {
      this.#discard(stream);
      return tooLarge(this.#maxBytes);
    }
    if (broken || stream.readableEnded) {
      // Broken, or a final block (RFC 7692 §7.2.3.4), after which a stream takes no more.
      this.#discard(stream);
      this.#slow = new MessageInflater(this.#direction, this.#maxBytes, this.#history);
      return this.#slow.inflate(payload);
    }
    if (!this.#direction.contextTakeover) stream.reset();
    const message = joined(chunks);
    this.#history.add(message);
    return message;
  }

  #discard(stream: InflateRaw): void {
    this.#stream = undefined;
    stream.close();
  }

  #open(): InflateRaw {
    if (this.#stream) return this.#stream;
    const stream = createInflateRaw({ windowBits: this.#direction.windowBits });
    stream.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#maxBytes) this.#finish?.(true);
      else this.#chunks.push(chunk);
    });
    stream.on('error', () => this.#finish?.(true));
    this.#stream = stream;
    return stream;
  }
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first ? first : Buffer.concat(chunks);
}
