// What one instance may still admit while it cannot ask the others: its share, and only of what has become free since then.
import { TokenBucket } from './bucket.ts';
import { RateGate } from './gate.ts';
import type { Limits, MessageLimits, Rate } from './presets.ts';
import { type GateName, rateOf } from './shared.ts';

/**
 * The n-th part of every rate, from buckets that were all empty when the instances lost sight of one another: whatever was spent
 * before, by whomever, together they stay within the rate. Where there never was anybody to ask, all of it.
 */
export class LocalShare {
  readonly #limits: Limits;
  readonly #instances: number;
  readonly #isAlone: boolean;
  readonly #gates: Record<GateName, RateGate | null>;
  readonly #messages: RateGate | null;

  /** @param sinceMs when the others could be asked last; undefined: never */
  constructor(limits: Limits, instances: number, sinceMs: number | undefined) {
    this.#limits = limits;
    this.#instances = instances;
    this.#isAlone = sinceMs === undefined;
    const gate = (rate: Rate | null): RateGate | null =>
      rate && new RateGate(shareOf(rate, instances), sinceMs);
    this.#gates = { upgrades: gate(rateOf(limits, 'upgrades')), status: gate(rateOf(limits, 'status')) };
    const { messages } = limits;
    this.#messages = gate(messages && { perMinute: messages.messagesPerMinute, burst: messages.burstLimit });
  }

  /** Connections that one key may have here. */
  get connectionsPerUser(): number {
    return Math.max(1, Math.floor(this.#limits.connectionsPerUser / this.#instances));
  }

  pass(gate: GateName, key: string, nowMs: number): number {
    return this.#gates[gate]?.take(key, nowMs) ?? 0;
  }

  /**
   * A bucket for a connection of which nobody knows what it left elsewhere, paid for in advance: half a burst, enough to say who one
   * is. Or the milliseconds until there is so much for its key.
   */
  bucket(messages: MessageLimits, key: string, nowMs: number): TokenBucket | number {
    if (this.#isAlone || !this.#messages) return new TokenBucket(messages, nowMs);
    const tokens = Math.max(1, Math.floor(messages.burstLimit / 2 / this.#instances));
    const waitMs = this.#messages.take(key, nowMs, tokens);
    if (waitMs > 0) return waitMs;
    const fullInMs = ((messages.burstLimit - tokens) * 60_000) / messages.messagesPerMinute;
    return TokenBucket.from(messages, { fullInMs, penaltyMs: 0, refusals: 0 }, nowMs);
  }
}

/** At least one must fit in, or nothing ever passes. */
function shareOf({ perMinute, burst }: Rate, instances: number): Rate {
  return { perMinute: perMinute / instances, burst: Math.max(1, burst / instances) };
}
