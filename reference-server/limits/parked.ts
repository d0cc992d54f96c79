// Buckets of closed connections, kept under their key for the next connections of that key.
import { TokenBucket } from './bucket.ts';
import type { MessageLimits } from './presets.ts';

/**
 * Hands out buckets by key (`sub`, or the IP of the anonymous), so that reconnecting gains nothing. Every closed connection
 * leaves its own: were they merged into one, a client could take that one with a connection that stays idle, and get a full
 * bucket for every other. So however connections come and go, n of them at a time have n budgets. Bounded.
 */
export class ParkedBuckets {
  readonly #limits: MessageLimits;
  readonly #maxKeys: number;
  readonly #maxPerKey: number;
  readonly #parked = new Map<string, TokenBucket[]>();

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
    const waiting = this.#parked.get(key);
    const bucket = waiting?.sort((a, b) => a.compare(b, nowMs)).shift();
    if (waiting?.length === 0) this.#parked.delete(key);
    if (!bucket) return new TokenBucket(this.#limits, nowMs);
    bucket.forgetNotices();
    return bucket;
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
    if (this.#parked.size > this.#maxKeys) this.#dropOldest();
  }

  /**
   * What a connection goes on with when AUTH moves it from its IP to its `sub`: the stricter of its own bucket and the one
   * parked under `sub`. A copy stays parked under the IP. So neither AUTH after an anonymous burst, nor an anonymous
   * connection after that, finds a fuller bucket than it left.
   */
  rekey(bucket: TokenBucket, fromKey: string, toKey: string, nowMs: number): void {
    this.park(fromKey, bucket.copy(), nowMs);
    bucket.merge(this.adopt(toKey, nowMs), nowMs);
  }

  clear(): void {
    this.#parked.clear();
  }

  // The oldest entries recover first; what has recovered need not be kept.
  #dropFresh(nowMs: number): void {
    for (const [key, buckets] of this.#parked) {
      if (!buckets.every((bucket) => bucket.isFresh(nowMs))) break;
      this.#parked.delete(key);
    }
  }

  #dropOldest(): void {
    for (const key of this.#parked.keys()) {
      this.#parked.delete(key);
      return;
    }
  }
}
