// The limits of a server that stands alone: everything is here, and answered at once.
import type { Clock } from '../clock.ts';
import type { TokenBucket } from './bucket.ts';
import { RateGate } from './gate.ts';
import { ParkedBuckets } from './parked.ts';
import type { Limits } from './presets.ts';
import { type Entered, fullRetryMs, type GateName, rateOf, type SharedLimits } from './shared.ts';

export class MemoryLimits implements SharedLimits {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #gates: Record<GateName, RateGate | null>;
  readonly #parked: ParkedBuckets | null;
  readonly #seats = new Map<string, number>();

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    const gate = (name: GateName): RateGate | null => {
      const rate = rateOf(limits, name);
      return rate && new RateGate(rate);
    };
    this.#gates = { upgrades: gate('upgrades'), status: gate('status') };
    this.#parked = limits.messages && new ParkedBuckets(limits.messages);
  }

  pass(gate: GateName, key: string): number {
    return this.#gates[gate]?.take(key, this.#clock.nowMs()) ?? 0;
  }

  enter(key: string, wantsBucket: boolean): Entered {
    const taken = this.#seats.get(key) ?? 0;
    if (taken >= this.#limits.connectionsPerUser) return { ok: false, why: 'full', retryMs: fullRetryMs };
    this.#seats.set(key, taken + 1);
    return { ok: true, bucket: wantsBucket ? this.#parked?.adopt(key, this.#clock.nowMs()) : undefined };
  }

  leave(key: string, bucket?: TokenBucket): void {
    const left = (this.#seats.get(key) ?? 0) - 1;
    if (left > 0) this.#seats.set(key, left);
    else this.#seats.delete(key);
    if (bucket) this.#parked?.park(key, bucket, this.#clock.nowMs());
  }

  async close(): Promise<void> {
    this.#seats.clear();
    this.#parked?.clear();
    for (const gate of Object.values(this.#gates)) gate?.clear();
  }
}
