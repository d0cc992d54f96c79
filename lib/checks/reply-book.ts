// Which message answers which request, by the rule that a target's description names. Pure: bytes in, a record a request out.
import { compileAny, pathOf, type Received, receivedText, valueAt } from '../target/matcher.ts';
import { compileRefusal } from '../target/refusal.ts';
import type { Target } from '../target/target.ts';
import { excerptOf } from './message.ts';
import type { MadeRequest } from './request-maker.ts';

/** A request that was sent, and what came of it. */
export interface Answered extends MadeRequest {
  /** Replies, typed refusals not counted. */
  replies: number;
  /** Code of a typed refusal. */
  refusal: string | null;
  /** The reply to a request that should have been echoed, if it was another. */
  altered: string | null;
}

/** The requests of one connection and their replies. */
export class ReplyBook {
  readonly sent: Answered[] = [];
  /** Messages that are neither pushes nor replies, and how the first of them begins. */
  strays = 0;
  firstStray: string | null = null;
  /** Code of a typed refusal that names no request. */
  looseRefusal: string | null = null;
  /** The first reply that came in another's place, in words; only replies in order can. */
  disorder: string | null = null;
  /** Replies in order beyond the requests. */
  surplus = 0;
  readonly #match: Target['match'];
  readonly #echoes: boolean;
  readonly #isPush: (message: Received) => boolean;
  readonly #refusal: (message: Received) => string | null;
  readonly #find: (message: Received) => Answered | undefined;
  readonly #byMarker = new Map<string, Answered>();
  #inOrder = 0;
  #open = 0;

  constructor({ match, echoes, push, error }: Target) {
    this.#match = match;
    this.#echoes = echoes;
    this.#isPush = compileAny(push);
    this.#refusal = compileRefusal(error);
    this.#find = this.#finder();
  }

  /** True when nothing is waited for any more. */
  get isDone(): boolean {
    return this.looseRefusal !== null || this.#open === 0;
  }

  /** Notes a request that is about to be sent. */
  add(request: MadeRequest): Answered {
    const entry = { ...request, replies: 0, refusal: null, altered: null };
    this.sent.push(entry);
    this.#byMarker.set(entry.id, entry).set(String(entry.seq), entry);
    this.#open++;
    return entry;
  }

  /** Takes a message that came. */
  take(data: Buffer): void {
    const message = receivedText(data.toString());
    if (this.#isPush(message)) return;
    const refusal = this.#refusal(message);
    const code = refusal === '' ? excerptOf(message.text) : refusal;
    const request = this.#find(message);
    if (!request) {
      if (code !== null) this.looseRefusal ??= code;
      else if (this.#match.by !== 'order') {
        this.strays++;
        this.firstStray ??= excerptOf(data);
      }
      return;
    }
    if (!isAnswered(request)) this.#open--;
    if (code !== null) {
      request.refusal ??= code;
      return;
    }
    request.replies++;
    if (this.#echoes && message.text !== request.text) request.altered ??= excerptOf(data);
  }

  #finder(): (message: Received) => Answered | undefined {
    const match = this.#match;
    const known = (value: unknown): Answered | undefined =>
      typeof value === 'string' || typeof value === 'number' ? this.#byMarker.get(String(value)) : undefined;
    switch (match.by) {
      case 'id': {
        const path = pathOf(match.pointer);
        return ({ body }) => known(valueAt(body, path));
      }
      case 'regex': {
        const pattern = new RegExp(match.pattern, 'u');
        return ({ text }) => known(pattern.exec(text)?.[1]);
      }
      case 'marker':
        return ({ text }) => this.#namedIn(text)[0];
      case 'order':
        return (message) => this.#next(message);
      case 'pong':
        return () => undefined;
    }
  }

  /** The request whose turn it is, or one that the reply shows to be answered once more. */
  #next({ text }: Received): Answered | undefined {
    const turn = this.sent[this.#inOrder];
    const named = this.#namedIn(text);
    const [other] = named;
    const isAnothers = other !== undefined && (turn === undefined || !named.includes(turn));
    if (isAnothers && isAnswered(other)) return other;
    if (!turn) {
      this.surplus++;
      return undefined;
    }
    this.#inOrder++;
    if (isAnothers) {
      this.disorder ??= `reply ${this.#inOrder} belongs to request ${this.sent.indexOf(other) + 1}`;
    }
    return turn;
  }

  /** Requests whose marker a reply carries among its bytes. */
  #namedIn(text: string): Answered[] {
    const named = [...text.matchAll(marker)].map(([, found = '']) => this.#byMarker.get(found));
    return named.filter((request) => request !== undefined);
  }
}

/** True when a reply or a typed refusal came. */
export const isAnswered = ({ replies, refusal }: Answered): boolean => replies > 0 || refusal !== null;

/** What a marker looks like, wherever it begins: digits may stand before it. */
const marker = /(?=([\da-f]{8}-\d{6}|1\d{12}))/g;

/** How replies find their requests, in words. */
export function describeMatch(match: Target['match']): string {
  switch (match.by) {
    case 'id':
      return `matched by the id at ${match.pointer}`;
    case 'regex':
      return `matched by ${match.pattern}`;
    case 'marker':
      return 'matched by its marker';
    case 'order':
      return 'in order';
    case 'pong':
      return 'shown by the pong to a ping frame behind it';
  }
}
