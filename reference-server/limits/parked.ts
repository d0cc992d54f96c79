// Buckets of closed connections, kept under their key for the next connection of that key.
import { TokenBucket } from './bucket.ts';
import type { MessageLimits } from './presets.ts';

/** Hands out buckets by key (`sub`, or the IP of the anonymous), so that reconnecting gains nothing. Bounded. */
export class ParkedBuckets {
  readonly #limits: MessageLimits;
  readonly #maxKeys: number;
  readonly #parked = new Map<string, TokenBucket>();

  constructor(limits: MessageLimits, maxKeys = 10_000) {
    this.#limits = limits;
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#parked.size;
  }

  /** The bucket that waits under this key, or a full one. A bucket is handed out once. */
  adopt(key: string, nowMs: number): TokenBucket {
    const bucket = this.#parked.get(key);
    if (!bucket) return new TokenBucket(this.#limits, nowMs);
    this.#parked.delete(key);
    bucket.forgetNotices();
    return bucket;
  }

  /** Keeps a bucket. Where one waits already, the stricter state of both is kept. */
  park(key: string, bucket: TokenBucket, nowMs: number): void {
    const waiting = this.#parked.get(key);
    if (waiting) bucket.merge(waiting, nowMs);
    this.#parked.delete(key);
    this.#dropFresh(nowMs);
    if (bucket.isFresh(nowMs)) return;
    this.#parked.set(key, bucket);
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
    for (const [key, bucket] of this.#parked) {
      if (!bucket.isFresh(nowMs)) break;
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
