// What a native connection receives, message by message: inflated where it was compressed, then given on.

import type { CloseBody } from '../../protocol/close.ts';
import type { MessageInflater } from '../../protocol/deflate.ts';
import type { MessageSink } from '../../protocol/message.ts';
import type { Violation } from '../../protocol/rules.ts';
import { violation } from '../../protocol/rules.ts';
import { Utf8Validator } from '../../protocol/utf8.ts';
import { never } from '../clock.ts';
import type { Sink } from './driver.ts';

/** What the connection does itself. */
export interface IncomingOwner {
  pinged(buf: Buffer, start: number, end: number): void;
  ponged(buf: Buffer, start: number, end: number, atUs: number): void;
  peerClosed(body: CloseBody): void;
  peerBroke(broken: Violation): void;
}

const utf8 = new Utf8Validator();

/** The receiving end of one connection. */
export class Incoming implements MessageSink {
  /** When what is being read was read. */
  atUs = never;
  readonly #sink: Sink;
  readonly #owner: IncomingOwner;
  readonly #inflater: MessageInflater | undefined;

  constructor(sink: Sink, owner: IncomingOwner, inflater: MessageInflater | undefined) {
    this.#sink = sink;
    this.#owner = owner;
    this.#inflater = inflater;
  }

  message(opcode: 1 | 2, buf: Buffer, start: number, end: number): void {
    this.#sink.message(buf, start, end, opcode, this.atUs);
  }

  compressed(opcode: 1 | 2, payload: Buffer): void {
    const message = this.#inflater?.inflate(payload) ?? violation('inflate');
    if ('rule' in message) {
      this.#owner.peerBroke(message);
      return;
    }
    if (opcode === 1) {
      utf8.reset();
      if (!utf8.push(message) || !utf8.isComplete) {
        this.#owner.peerBroke(violation('utf8'));
        return;
      }
    }
    this.#sink.message(message, 0, message.length, opcode, this.atUs);
  }

  ping(buf: Buffer, start: number, end: number): void {
    this.#owner.pinged(buf, start, end);
  }

  pong(buf: Buffer, start: number, end: number): void {
    this.#owner.ponged(buf, start, end, this.atUs);
  }

  close(body: CloseBody): void {
    this.#owner.peerClosed(body);
  }

  violation(broken: Violation): void {
    this.#owner.peerBroke(broken);
  }
}
