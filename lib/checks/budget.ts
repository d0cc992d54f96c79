// Keeps checks that are not about limits within the announced ones, so that no refusal is their own doing.
import type { Target } from '../target/target.ts';
import type { Limits } from './message.ts';

/**
 * The client's side of a token bucket: how long to wait before the next message. Time is passed in, in ms. It counts from the
 * same start as the server does, with one token in reserve for heartbeats.
 */
export class Budget {
  readonly #capacity: number;
  readonly #perMs: number;
  #tokens: number;
  #atMs: number;

  constructor(limits: Pick<Limits, 'messagesPerMinute' | 'burstLimit'>, nowMs: number) {
    this.#capacity = Math.max(1, (limits.burstLimit ?? Number.POSITIVE_INFINITY) - 2);
    this.#perMs = (limits.messagesPerMinute ?? Number.POSITIVE_INFINITY) / 60_000;
    this.#tokens = this.#capacity;
    this.#atMs = nowMs;
  }

  /** Takes one token, if need be in advance, and says how many ms to wait for it. */
  take(nowMs: number): number {
    if (this.#capacity === Number.POSITIVE_INFINITY || this.#perMs === Number.POSITIVE_INFINITY) return 0;
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs);
  }
}

/** The budget of one connection to a target whose description limits messages; null where it does not. */
export function budgetOfTarget(target: Target | null, nowMs: number): Budget | null {
  const perSecond = target?.limits.messages;
  if (perSecond === undefined) return null;
  return new Budget({ messagesPerMinute: perSecond * 60, burstLimit: perSecond }, nowMs);
}
