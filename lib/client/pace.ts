// How fast this client may send: the server's token bucket, kept on this side so that it never runs dry over there.
import type { ClientClock } from './clock.ts';
import type { Welcome } from './messages.ts';

/** Tokens that are left to heartbeats. */
const reserve = 2;

/** What is sent evenly here arrives in a heap there when the first of it is late by more than the last: by so much it may be. */
const latenessMs = 250;

/** A share of the announced rate, as clocks do not run alike. */
const caution = 0.98;

/** Counts what is sent against the limits of WELCOME. It outlives connections, as the server's bucket does. */
export class Pace {
  readonly #clock: ClientClock;
  #limits: Welcome['limits'];
  #level = 0;
  #atMs = 0;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** A connection has these limits. */
  adopt(limits: Welcome['limits']): void {
    const isNew = this.#limits?.burstLimit !== limits?.burstLimit;
    this.#limits = limits;
    if (limits && isNew) {
      this.#level = capacityOf(limits);
      this.#atMs = this.#clock.nowMs();
    }
  }

  /** Takes a token and returns 0, or returns how many milliseconds remain until there is one. */
  take(): number {
    if (!this.#limits) return 0;
    this.#refill(this.#limits);
    if (this.#level < 1) return this.#msUntilOne(this.#limits);
    this.#level -= 1;
    return 0;
  }

  /** Something had to be sent at once. */
  charge(): void {
    if (!this.#limits) return;
    this.#refill(this.#limits);
    this.#level -= 1;
  }

  #refill(limits: NonNullable<Welcome['limits']>): void {
    const nowMs = this.#clock.nowMs();
    const gained = ((nowMs - this.#atMs) * limits.messagesPerMinute * caution) / 60_000;
    this.#level = Math.min(capacityOf(limits), this.#level + gained);
    this.#atMs = nowMs;
  }

  #msUntilOne(limits: NonNullable<Welcome['limits']>): number {
    return Math.ceil(((1 - this.#level) * 60_000) / (limits.messagesPerMinute * caution)) || 1;
  }
}

/** How many may be sent at once: what the server takes at once, without the reserves, which are half of it at most. */
function capacityOf({ burstLimit, messagesPerMinute }: NonNullable<Welcome['limits']>): number {
  const late = (latenessMs * messagesPerMinute) / 60_000;
  return Math.max(1, burstLimit / 2, burstLimit - reserve - late);
}
