// A rate per key without a penalty: upgrades and status requests per IP.
import type { Rate } from './presets.ts';

interface Entry {
  tokens: number;
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
    const perMs = this.#rate.perMinute / 60_000;
    const entry = this.#entries.get(key) ?? { tokens: this.#rate.burst, atMs: nowMs };
    entry.tokens = Math.min(this.#rate.burst, entry.tokens + Math.max(0, nowMs - entry.atMs) * perMs);
    entry.atMs = nowMs;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#maxKeys) this.#dropOldest();
    if (entry.tokens < 1) return Math.ceil((1 - entry.tokens) / perMs);
    entry.tokens -= 1;
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
