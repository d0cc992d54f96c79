// The token bucket of one connection. Pure: time is passed in, in milliseconds on a monotonic clock.
import type { MessageLimits } from './presets.ts';

/** The verdict on a message. */
export type Decision = { accepted: true } | Refusal;

export interface Refusal {
  accepted: false;
  /** Time until the penalty ends. */
  retryAfterMs: number;
  /** Whether the client is told: at the violation, then at most once a second. */
  notify: boolean;
  /** Refusals that the client was not told of since the last notice. */
  suppressed: number;
  /** Whether the connection has been refused so often that it is closed. */
  close: boolean;
}

/** A bucket that nobody holds: what is still due from now on, which any clock can count. */
export interface Rest {
  /** Time until it is full. More than it takes to fill an empty one, where tokens were charged that it did not have. */
  fullInMs: number;
  /** Time until the penalty ends; 0: there is none. */
  penaltyMs: number;
  /** Refusals in a row so far. */
  refusals: number;
}

const accepted: Decision = { accepted: true };

/** A level is counted in 1/60,000 of a token: then messagesPerMinute is the refill per millisecond, and whole ms stay exact. */
const unitsPerToken = 60_000;
const noticeEveryMs = 1000;
const roundingMs = 1e-6;

/**
 * Accepts at most `burstLimit + messagesPerMinute / 60,000 · Δt` messages in every window of Δt ms. A message that finds
 * no token starts a penalty, in which everything is refused. Refusals never extend a penalty, and refill goes on during it.
 */
export class TokenBucket {
  readonly #limits: MessageLimits;
  #level: number;
  #refilledAtMs: number;
  #penaltyUntilMs = Number.NEGATIVE_INFINITY;
  #refusals = 0;
  #suppressed = 0;
  #noticedAtMs = Number.NEGATIVE_INFINITY;

  constructor(limits: MessageLimits, nowMs: number) {
    this.#limits = limits;
    this.#level = limits.burstLimit * unitsPerToken;
    this.#refilledAtMs = nowMs;
  }

  /** A bucket that goes on where another was left. */
  static from(limits: MessageLimits, rest: Rest, nowMs: number): TokenBucket {
    const bucket = new TokenBucket(limits, nowMs);
    bucket.#level -= rest.fullInMs * limits.messagesPerMinute;
    if (rest.penaltyMs > 0) bucket.#penaltyUntilMs = nowMs + rest.penaltyMs;
    bucket.#refusals = rest.refusals;
    return bucket;
  }

  /** Takes a token for a message that arrived at `nowMs`, or refuses it. */
  take(nowMs: number): Decision {
    if (nowMs < this.#penaltyUntilMs) return this.#refuse(nowMs, false);
    this.#refill(nowMs);
    if (this.#level >= unitsPerToken) {
      this.#level -= unitsPerToken;
      this.#refusals = 0;
      return accepted;
    }
    this.#penaltyUntilMs = nowMs + this.#limits.violationPenaltyMs;
    return this.#refuse(nowMs, true);
  }

  /** Takes a token even if there is none: the PONG that the server asked for is paid later rather than refused. */
  charge(nowMs: number): void {
    this.#refill(nowMs);
    this.#level -= unitsPerToken;
  }

  /** Takes over the stricter of both states, so that a connection that changes its key gains nothing. */
  merge(other: TokenBucket, nowMs: number): void {
    this.#refill(nowMs);
    other.#refill(nowMs);
    this.#level = Math.min(this.#level, other.#level);
    this.#penaltyUntilMs = Math.max(this.#penaltyUntilMs, other.#penaltyUntilMs);
    this.#refusals = Math.max(this.#refusals, other.#refusals);
  }

  /** What is left to be waited for. */
  rest(nowMs: number): Rest {
    this.#refill(nowMs);
    const missing = this.#limits.burstLimit * unitsPerToken - this.#level;
    return {
      fullInMs: missing / this.#limits.messagesPerMinute,
      penaltyMs: Math.max(0, this.#penaltyUntilMs - nowMs),
      refusals: this.#refusals,
    };
  }

  /** A second bucket in the same state. */
  copy(): TokenBucket {
    const copy = new TokenBucket(this.#limits, this.#refilledAtMs);
    copy.#level = this.#level;
    copy.#penaltyUntilMs = this.#penaltyUntilMs;
    copy.#refusals = this.#refusals;
    return copy;
  }

  /** Negative when this one is stricter than the other: penalised for longer, or else with fewer tokens. */
  compare(other: TokenBucket, nowMs: number): number {
    this.#refill(nowMs);
    other.#refill(nowMs);
    const leftMs = (bucket: TokenBucket): number => Math.max(0, bucket.#penaltyUntilMs - nowMs);
    return leftMs(other) - leftMs(this) || this.#level - other.#level;
  }

  /** A new connection has not been told anything yet: its first refusal is announced at once. */
  forgetNotices(): void {
    this.#noticedAtMs = Number.NEGATIVE_INFINITY;
    this.#suppressed = 0;
  }

  /** Whether it is full and unpenalised, that is, no different from a new one. */
  isFresh(nowMs: number): boolean {
    this.#refill(nowMs);
    return nowMs >= this.#penaltyUntilMs && this.#level >= this.#limits.burstLimit * unitsPerToken;
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#refilledAtMs);
    const capacity = this.#limits.burstLimit * unitsPerToken;
    this.#level = Math.min(capacity, this.#level + elapsedMs * this.#limits.messagesPerMinute);
    this.#refilledAtMs += elapsedMs;
  }

  #refuse(nowMs: number, violation: boolean): Refusal {
    this.#refusals += 1;
    const notify = violation || nowMs - this.#noticedAtMs >= noticeEveryMs;
    const suppressed = this.#suppressed;
    if (notify) {
      this.#noticedAtMs = nowMs;
      this.#suppressed = 0;
    } else {
      this.#suppressed += 1;
    }
    return {
      accepted: false,
      // (now + penalty) − now may come out a hair above the penalty: that is not another millisecond.
      retryAfterMs: Math.max(0, Math.ceil(this.#penaltyUntilMs - nowMs - roundingMs)),
      notify,
      suppressed,
      close: this.#refusals >= Math.max(100, 10 * this.#limits.burstLimit),
    };
  }
}
