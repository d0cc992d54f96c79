// A rate per key without a penalty: upgrades and status requests per IP.
import type { Rate } from './presets.ts';
import { Sketch } from './sketch.ts';

/** Sums of fractions may come out a hair above what they are. */
const roundingMs = 1e-6;

/**
 * Lets `rate.burst` pass at once and `rate.perMinute` on average, for each key. What it keeps of a key is when its bucket will be
 * full again, in memory of a fixed size, so however many keys come, none that has used its rate up is let through early.
 */
export class RateGate {
  readonly #rate: Rate;
  readonly #emptyAtMs: number | undefined;
  #fullAt: Sketch | undefined;

  /** @param emptyAtMs when every bucket was empty; by default they start full */
  constructor(rate: Rate, emptyAtMs?: number) {
    this.#rate = rate;
    this.#emptyAtMs = emptyAtMs;
  }

  /** Takes `cost` and returns 0, or returns the milliseconds until there is so much for this key. */
  take(key: string, nowMs: number, cost = 1): number {
    const eachMs = 60_000 / this.#rate.perMinute;
    const capacityMs = this.#rate.burst * eachMs;
    this.#fullAt ??= new Sketch(this.#emptyAtMs === undefined ? 0 : this.#emptyAtMs + capacityMs);
    let waitMs = 0;
    this.#fullAt.change(key, (fullMs) => {
      const nextMs = Math.max(nowMs, fullMs) + cost * eachMs;
      waitMs = Math.max(0, Math.ceil(nextMs - nowMs - capacityMs - roundingMs));
      return waitMs > 0 ? undefined : nextMs;
    });
    return waitMs;
  }

  clear(): void {
    this.#fullAt = undefined;
  }
}
