// The bounded log of one channel, kept in memory.
import { randomUUID } from 'node:crypto';
import type { BusMessage, Position } from './bus.ts';

/** Appends messages, forgets the oldest, and knows what came after a position. */
export class ChannelLog {
  readonly epoch = randomUUID();
  readonly subscribers = new Set<(message: BusMessage) => void>();
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #messages: { message: BusMessage; bytes: number }[] = [];
  #bytes = 0;
  #offset = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** The offset of the newest message; 0 before the first. */
  get offset(): number {
    return this.#offset;
  }

  append(channel: string, data: unknown): BusMessage {
    this.#offset += 1;
    const message = { channel, epoch: this.epoch, offset: this.#offset, data };
    const bytes = JSON.stringify(data)?.length ?? 0;
    this.#messages.push({ message, bytes });
    this.#bytes += bytes;
    while (this.#messages.length > this.#maxMessages || this.#bytes > this.#maxBytes) {
      this.#bytes -= this.#messages.shift()?.bytes ?? this.#bytes;
    }
    return message;
  }

  /** What came after `since`, or undefined when some of it is gone or it belongs to another log. */
  after(since: Position): BusMessage[] | undefined {
    const oldest = this.#offset - this.#messages.length;
    if (since.epoch !== this.epoch || since.offset > this.#offset || since.offset < oldest) return undefined;
    return this.#messages.slice(since.offset - oldest).map(({ message }) => message);
  }
}
