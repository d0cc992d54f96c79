// How a reply finds its request. Pure: bytes in, a number out.
import { compileAny, pathOf, type Received, valueAt } from '../target/matcher.ts';
import { compileRefusal } from '../target/refusal.ts';
import type { Target } from '../target/target.ts';
import type { MessageView } from './message-view.ts';

/** The reply answers the oldest request in line on its connection. */
export const inOrder = -1;
/** The message answers nothing that we know. */
export const noNumber = -2;
/** The message was pushed by the server. */
export const pushed = -3;

const digits = 12;

/** What a {@link Correlator} goes by. */
export interface CorrelationRules {
  by: Target['match']['by'];
  prefix: string;
  markerAt: number;
  pointer?: string | undefined;
  error?: Target['error'];
  push?: Target['push'];
}

/** Finds the number of the request that a message answers. */
export class Correlator {
  /** After {@link read}: the code of a typed refusal, null when the message was none. */
  refusal: string | null = null;

  readonly #by: CorrelationRules['by'];
  readonly #prefix: Buffer;
  readonly #prefixText: string;
  readonly #markerAt: number;
  readonly #id: string[] | undefined;
  readonly #refusalOf: (message: Received) => string | null;
  readonly #refusalName: string;
  readonly #isPush: ((message: Received) => boolean) | undefined;

  constructor(rules: CorrelationRules) {
    this.#by = rules.by;
    this.#prefix = Buffer.from(rules.prefix);
    this.#prefixText = rules.prefix;
    this.#markerAt = rules.markerAt;
    this.#id = rules.by === 'id' && rules.pointer !== undefined ? pathOf(rules.pointer) : undefined;
    const { error, push } = rules;
    this.#refusalOf = compileRefusal(error);
    this.#refusalName = typeof error?.equals === 'string' ? error.equals : 'error';
    this.#isPush = push && push.length > 0 ? compileAny(push) : undefined;
  }

  /** The number of the request that the message answers, or {@link inOrder}, {@link noNumber} or {@link pushed}. */
  read(message: MessageView): number {
    this.refusal = null;
    if (this.#isPush?.(message)) return pushed;
    const refusal = this.#refusalOf(message);
    this.refusal = refusal === '' ? this.#refusalName : refusal;
    if (this.#by === 'order') return inOrder;
    return this.#by === 'id' ? this.#numberOfId(message.body) : this.#numberOfMarker(message);
  }

  #numberOfId(body: unknown): number {
    const id = this.#id && valueAt(body, this.#id);
    if (typeof id !== 'string' || !id.startsWith(this.#prefixText)) return noNumber;
    const number = id.slice(this.#prefixText.length);
    return /^\d{12}$/.test(number) ? Number(number) : noNumber;
  }

  #numberOfMarker({ buf, start, end }: MessageView): number {
    // An echo has the marker where we put it; anything else may have wrapped it.
    const there = this.#numberAt(buf, start + this.#markerAt, end);
    if (there >= 0) return there;
    const width = this.#prefix.length + digits;
    if (this.#prefix.length === 0) {
      for (let at = start; at + width <= end; at++) {
        const number = this.#numberAt(buf, at, end);
        if (number >= 0) return number;
      }
      return noNumber;
    }
    const message = buf.subarray(start, end);
    for (let at = message.indexOf(this.#prefix); at >= 0; at = message.indexOf(this.#prefix, at + 1)) {
      const number = this.#numberAt(message, at, message.length);
      if (number >= 0) return number;
    }
    return noNumber;
  }

  #numberAt(buf: Buffer, at: number, end: number): number {
    const from = at + this.#prefix.length;
    if (from + digits > end) return noNumber;
    for (let i = 0; i < this.#prefix.length; i++) if (buf[at + i] !== this.#prefix[i]) return noNumber;
    let number = 0;
    for (let i = from; i < from + digits; i++) {
      const digit = (buf[i] ?? 0) - 48;
      if (digit < 0 || digit > 9) return noNumber;
      number = number * 10 + digit;
    }
    return number;
  }
}
