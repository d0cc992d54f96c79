// Buckets of closed connections, kept under their key for the next connections of that key.
import { TokenBucket } from './bucket.ts';
import type { MessageLimits } from './presets.ts';
import { Sketch } from './sketch.ts';

/**
 * Hands out buckets by key (`sub`, or the IP of the anonymous), so that reconnecting gains nothing. Every closed connection
 * leaves its own: were they merged into one, a client could take that one with a connection that stays idle, and get a full
 * bucket for every other. So however connections come and go, n of them at a time have n budgets. Bounded: of keys that there
 * is no room for, a table of fixed size knows the strictest bucket that was left, which then counts for all of the key.
 */
export class ParkedBuckets {
  readonly #limits: MessageLimits;
  readonly #maxKeys: number;
  readonly #maxPerKey: number;
  readonly #parked = new Map<string, TokenBucket[]>();
  #overflow: { full: Sketch; penalty: Sketch } | undefined;

  /** @param maxPerKey buckets kept for one key; more than connections that a key may have at a time are never needed */
  constructor(limits: MessageLimits, maxKeys = 10_000, maxPerKey = 64) {
    this.#limits = limits;
    this.#maxKeys = maxKeys;
    this.#maxPerKey = maxPerKey;
  }

  /** Keys under which something waits. */
  get size(): number {
    return this.#parked.size;
  }

  /** The strictest bucket that waits under this key, or a full one. A bucket is handed out once. */
  adopt(key: string, nowMs: number): TokenBucket {
    return this.find(key, nowMs) ?? new TokenBucket(this.#limits, nowMs);
  }

  /** The strictest bucket that waits under this key, if there is one. A bucket is handed out once. */
  find(key: string, nowMs: number): TokenBucket | undefined {
    const waiting = this.#parked.get(key);
    const bucket = waiting?.sort((a, b) => a.compare(b, nowMs)).shift();
    if (waiting?.length === 0) this.#parked.delete(key);
    bucket?.forgetNotices();
    const spilled = this.#spilled(key, nowMs);
    if (bucket && spilled) bucket.merge(spilled, nowMs);
    return bucket ?? spilled;
  }

  /** Keeps a bucket. Where too many wait already, the two least strict become one. */
  park(key: string, bucket: TokenBucket, nowMs: number): void {
    const waiting = [...(this.#parked.get(key) ?? []), bucket].filter((each) => !each.isFresh(nowMs));
    this.#parked.delete(key);
    this.#dropFresh(nowMs);
    if (waiting.length === 0) return;
    if (waiting.length > this.#maxPerKey) {
      const spare = waiting.sort((a, b) => a.compare(b, nowMs)).pop();
      if (spare) waiting.at(-1)?.merge(spare, nowMs);
    }
    this.#parked.set(key, waiting);
    if (this.#parked.size > this.#maxKeys) this.#spillOldest(nowMs);
  }

  /** Takes out whatever waits, as pairs of key and bucket. */
  takeAll(): [key: string, bucket: TokenBucket][] {
    const all = [...this.#parked].flatMap(([key, buckets]) =>
      buckets.map((bucket): [string, TokenBucket] => [key, bucket]),
    );
    this.#parked.clear();
    return all;
  }

  clear(): void {
    this.#parked.clear();
    this.#overflow = undefined;
  }

  // The oldest entries recover first; what has recovered need not be kept.
  #dropFresh(nowMs: number): void {
    for (const [key, buckets] of this.#parked) {
      if (!buckets.every((bucket) => bucket.isFresh(nowMs))) break;
      this.#parked.delete(key);
    }
  }

  #spillOldest(nowMs: number): void {
    for (const [key, buckets] of this.#parked) {
      this.#parked.delete(key);
      this.#overflow ??= { full: new Sketch(), penalty: new Sketch() };
      for (const bucket of buckets) {
        const { fullInMs, penaltyMs } = bucket.rest(nowMs);
        this.#overflow.full.change(key, () => nowMs + fullInMs);
        if (penaltyMs > 0) this.#overflow.penalty.change(key, () => nowMs + penaltyMs);
      }
      return;
    }
  }

  #spilled(key: string, nowMs: number): TokenBucket | undefined {
    if (!this.#overflow) return undefined;
    const { full, penalty } = this.#overflow;
    const fullInMs = Math.max(0, full.get(key) - nowMs);
    const penaltyMs = Math.max(0, penalty.get(key) - nowMs);
    if (fullInMs === 0 && penaltyMs === 0) return undefined;
    return TokenBucket.from(this.#limits, { fullInMs, penaltyMs, refusals: 0 }, nowMs);
  }
}
