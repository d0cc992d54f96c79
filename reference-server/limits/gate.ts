// A rate per key without a penalty: upgrades and status requests per IP.
import type { Rate } from './presets.ts';

/** As in the bucket: perMinute of these a millisecond, so whole ms stay exact. */
const unitsPerToken = 60_000;

interface Entry {
  level: number;
  atMs: number;
}

/** Lets `rate.burst` pass at once and `rate.perMinute` on average, for each key. Bounded. */
export class RateGate {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #entries = new Map<string, Entry>();

  constructor(rate: Rate, maxKeys = 10_000) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
  }

  /** Returns 0 when it may pass, else the milliseconds until the next one of this key may. */
  take(key: string, nowMs: number): number {
    const capacity = this.#rate.burst * unitsPerToken;
    const entry = this.#entries.get(key) ?? { level: capacity, atMs: nowMs };
    entry.level = Math.min(capacity, entry.level + Math.max(0, nowMs - entry.atMs) * this.#rate.perMinute);
    entry.atMs = nowMs;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#maxKeys) this.#dropOldest();
    if (entry.level < unitsPerToken) return Math.ceil((unitsPerToken - entry.level) / this.#rate.perMinute);
    entry.level -= unitsPerToken;
    return 0;
  }

  clear(): void {
    this.#entries.clear();
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}
