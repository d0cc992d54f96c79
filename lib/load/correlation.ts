// How a reply finds its request. Pure: a message in, a number out.
import { compileAny, pathOf, type Received, valueAt } from '../target/matcher.ts';
import { compileRefusal } from '../target/refusal.ts';
import type { Target } from '../target/target.ts';
import { digits, seqPrefix } from './message.ts';
import type { MessageView } from './message-view.ts';

/** The reply answers the oldest request in line on its connection. */
export const inOrder = -1;
/** The message answers nothing that we know. */
export const noNumber = -2;
/** The message was pushed by the server. */
export const pushed = -3;

const seqBase = 10 ** digits;
const halfDigits = digits / 2;
const halfBase = 10 ** halfDigits;
// A {{ seq }} looks like the time in ms since 1970, which messages are full of. No run gets this far, and no clock is that
// far back (July 2017).
const mostFoundSeq = seqBase / 2;

/** What a {@link Correlator} goes by. */
export interface CorrelationRules {
  by: Target['match']['by'];
  /** What may stand before the digits of a number; the first is that of the marker. */
  prefixes: readonly string[];
  /** Where the marker stands in the request. */
  markerAt: number;
  pointer?: string | undefined;
  pattern?: string | undefined;
  error?: Target['error'];
  push?: Target['push'];
}

/** Finds the number of the request that a message answers. */
export class Correlator {
  /** After {@link read}: the code of a typed refusal, null when the message was none. */
  refusal: string | null = null;

  readonly #by: CorrelationRules['by'];
  readonly #prefixes: readonly string[];
  readonly #marker: Buffer;
  readonly #markerAt: number;
  readonly #markerIsSeq: boolean;
  readonly #hasSeq: boolean;
  readonly #id: string[] | undefined;
  readonly #pattern: RegExp | undefined;
  readonly #refusalOf: (message: Received) => string | null;
  readonly #refusalName: string;
  /** Where a refusal has the id, when that is elsewhere than in a reply. */
  readonly #refusalId: string[] | undefined;
  readonly #isPush: ((message: Received) => boolean) | undefined;

  constructor({ by, prefixes, markerAt, pointer, pattern, error, push }: CorrelationRules) {
    this.#by = by;
    this.#prefixes = prefixes;
    this.#marker = Buffer.from(prefixes[0] ?? '');
    this.#markerAt = markerAt;
    this.#markerIsSeq = prefixes[0] === seqPrefix;
    this.#hasSeq = prefixes.includes(seqPrefix);
    this.#id = by === 'id' && pointer !== undefined ? pathOf(pointer) : undefined;
    this.#pattern = by === 'regex' && pattern !== undefined ? new RegExp(pattern, 'u') : undefined;
    this.#refusalOf = compileRefusal(error);
    this.#refusalName = typeof error?.equals === 'string' ? error.equals : 'error';
    this.#refusalId = error?.id === undefined ? undefined : pathOf(error.id);
    this.#isPush = push && push.length > 0 ? compileAny(push) : undefined;
  }

  /** The number of the request that the message answers, or {@link inOrder}, {@link noNumber} or {@link pushed}. */
  read(message: MessageView): number {
    this.refusal = null;
    // Where pongs are the replies, whatever else comes was not asked for.
    if (this.#by === 'pong' || this.#isPush?.(message)) return pushed;
    const refusal = this.#refusalOf(message);
    this.refusal = refusal === '' ? this.#refusalName : refusal;
    if (this.#by === 'marker') return this.#numberOfMarker(message);
    if (this.#id) {
      const id = (refusal !== null && this.#refusalId) || this.#id;
      return this.#numberOf(valueAt(message.body, id));
    }
    if (this.#pattern) return this.#numberOf(this.#pattern.exec(message.text)?.[1]);
    return inOrder;
  }

  /** The number in an `{{ id }}`, or in a `{{ seq }}` as number or text. */
  #numberOf(value: unknown): number {
    if (typeof value === 'number') {
      const isSeq = this.#hasSeq && Number.isInteger(value) && value >= seqBase && value < 2 * seqBase;
      return isSeq ? value - seqBase : noNumber;
    }
    if (typeof value !== 'string') return noNumber;
    for (const prefix of this.#prefixes) {
      if (value.length !== prefix.length + digits || !value.startsWith(prefix)) continue;
      const number = value.slice(prefix.length);
      if (/^\d+$/.test(number)) return Number(number);
    }
    return noNumber;
  }

  #numberOfMarker({ buf, start, end }: MessageView): number {
    // An echo has the marker where we put it; anything else may have wrapped it.
    const there = this.#numberAt(buf, start + this.#markerAt, end);
    if (there >= 0) return there;
    const message = buf.subarray(start, end);
    for (let at = message.indexOf(this.#marker); at >= 0; at = message.indexOf(this.#marker, at + 1)) {
      const number = this.#numberAt(message, at, message.length);
      if (number >= 0 && (!this.#markerIsSeq || isWholeSeq(message, at, number))) return number;
    }
    return noNumber;
  }

  #numberAt(buf: Buffer, at: number, end: number): number {
    const from = at + this.#marker.length;
    if (from + digits > end) return noNumber;
    for (let i = 0; i < this.#marker.length; i++) if (buf[at + i] !== this.#marker[i]) return noNumber;
    const upper = numberIn(buf, from, from + halfDigits);
    const lower = numberIn(buf, from + halfDigits, from + digits);
    return upper < 0 || lower < 0 ? noNumber : upper * halfBase + lower;
  }
}

/** The number that a few bytes write, or {@link noNumber}: few enough digits for 32 bits, which is faster. */
function numberIn(buf: Buffer, from: number, end: number): number {
  let number = 0;
  for (let i = from; i < end; i++) {
    const digit = (buf[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return noNumber;
    number = number * 10 + digit;
  }
  return number;
}

/** Whether digits that were found anywhere in a message may be a `{{ seq }}`: no part of a longer number, and no clock. */
function isWholeSeq(message: Buffer, at: number, number: number): boolean {
  const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;
  const end = at + seqPrefix.length + digits;
  return number < mostFoundSeq && !isDigit(message[at - 1]) && !isDigit(message[end]);
}
