// What Redis has to be told of limits: connections that came and went, buckets that were left, and what was let through without asking.
// What it cannot be told at once is told when it is back.
import type { TokenBucket } from '../limits/bucket.ts';
import { ParkedBuckets } from '../limits/parked.ts';
import type { Limits } from '../limits/presets.ts';
import { type GateName, rateOf } from '../limits/shared.ts';
import type { RedisContext } from './redis-context.ts';
import { leaveScript, payScript, seatsScript } from './redis-limit-scripts.ts';
import type { RedisSession } from './redis-session.ts';
import { BusUnavailable } from './unavailable.ts';

/** How long counts are kept in Redis that nobody brings up to date. */
export const keepMs = 3_600_000;

/** Keys that are told to Redis at a time. */
const atATime = 500;

/** Keys whose debts are remembered. */
const maxDebts = 100_000;

/** What was let through without asking, of one bucket. */
interface Debt {
  gate: GateName;
  tokens: number;
}

export class RedisLimitBacklog {
  /** Whether connections are counted at all. */
  readonly isCounted: boolean;
  readonly #context: RedisContext;
  readonly #limits: Limits;
  /** Our connections by key. */
  readonly #seats = new Map<string, number>();
  /** Keys whose connections Redis may count wrongly. */
  readonly #stale = new Set<string>();
  /** Buckets that are not in Redis. */
  readonly #kept: ParkedBuckets | null;
  readonly #debts = new Map<string, Debt>();
  readonly #leaving = new Set<Promise<void>>();
  #recountedAtMs = performance.now();

  constructor(context: RedisContext, limits: Limits) {
    this.#context = context;
    this.#limits = limits;
    this.isCounted = Number.isFinite(limits.connectionsPerUser);
    this.#kept = limits.messages && new ParkedBuckets(limits.messages);
  }

  seats(key: string): number {
    return this.#seats.get(key) ?? 0;
  }

  /** Changes our own count, and returns it. */
  count(key: string, change: number): number {
    const next = this.seats(key) + change;
    if (next > 0) this.#seats.set(key, next);
    else this.#seats.delete(key);
    return next;
  }

  /** Redis may have another count of this key's connections than we. */
  doubt(key: string): void {
    if (this.isCounted) this.#stale.add(key);
  }

  /** The strictest bucket of this key that Redis was not told of. */
  findBucket(key: string): TokenBucket | undefined {
    return this.#kept?.find(key, this.#context.clock.nowMs());
  }

  keepBucket(key: string, bucket: TokenBucket): void {
    this.#kept?.park(key, bucket, this.#context.clock.nowMs());
  }

  owe(bucketName: string, gate: GateName): void {
    const tokens = (this.#debts.get(bucketName)?.tokens ?? 0) + 1;
    this.#debts.delete(bucketName);
    this.#debts.set(bucketName, { gate, tokens });
    for (const [oldest] of this.#debts) {
      if (this.#debts.size <= maxDebts) break;
      this.#debts.delete(oldest);
    }
  }

  /** Tells Redis that a connection has gone, now or later. */
  leave(key: string, bucket: TokenBucket | undefined): void {
    const { link, clock } = this.#context;
    const left = bucket?.isFresh(clock.nowMs()) ? undefined : bucket;
    if (!this.isCounted && !left) return;
    const missed = (): void => {
      this.doubt(key);
      if (left) this.keepBucket(key, left);
    };
    if (!link.isUp) {
      missed();
      return;
    }
    const leaving = this.#leave(link.session, key, left)
      .catch((error: unknown) => {
        if (!(error instanceof BusUnavailable)) throw error;
        missed();
      })
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  /** Tells Redis all that it was not told. With `everything`, also what it may have forgotten. */
  async settle(session: RedisSession, everything: boolean): Promise<void> {
    const nowMs = performance.now();
    if (everything || nowMs - this.#recountedAtMs > keepMs / 4) {
      this.#recountedAtMs = nowMs;
      for (const key of this.#seats.keys()) this.doubt(key);
    }
    await this.#pay(session);
    await this.#recount(session);
    const kept = this.#kept?.takeAll() ?? [];
    for (let from = 0; from < kept.length; from += atATime) {
      const part = kept.slice(from, from + atATime);
      const told = await Promise.allSettled(part.map(([key, bucket]) => this.#leave(session, key, bucket)));
      for (const [index, { status }] of told.entries()) {
        const [key, bucket] = part[index] ?? [];
        if (status === 'rejected' && key !== undefined && bucket) this.keepBucket(key, bucket);
      }
    }
  }

  /** Waits for what is on its way, and forgets the rest. */
  async close(): Promise<void> {
    await Promise.all(this.#leaving);
    this.#seats.clear();
    this.#stale.clear();
    this.#debts.clear();
    this.#kept?.clear();
  }

  /** Names in Redis of a key's connections and of its buckets. */
  keysOf(key: string): [seats: string, parked: string] {
    const { names } = this.#context;
    const text = JSON.stringify([this.#limits.name, key]);
    return [names.hashed('seats', text), names.hashed('parked', text)];
  }

  /** The longest that a bucket can take to be full, and a penalty to end. */
  get longest(): [fullMs: number, penaltyMs: number] {
    const { messages } = this.#limits;
    if (!messages) return [0, 0];
    return [(2 * messages.burstLimit * 60_000) / messages.messagesPerMinute, messages.violationPenaltyMs];
  }

  async #leave(session: RedisSession, key: string, bucket: TokenBucket | undefined): Promise<void> {
    const rest = bucket?.rest(this.#context.clock.nowMs());
    await session.run(leaveScript, this.keysOf(key), [
      ...[...this.longest, this.#context.instance, this.isCounted ? this.seats(key) : -1, keepMs],
      ...(rest ? [rest.fullInMs, rest.penaltyMs, rest.refusals] : ['', '', '']),
    ]);
  }

  async #pay(session: RedisSession): Promise<void> {
    const debts = [...this.#debts];
    for (let from = 0; from < debts.length; from += atATime) {
      const part = debts.slice(from, from + atATime);
      for (const [name] of part) this.#debts.delete(name);
      const words = part.flatMap(([, { gate, tokens }]) => {
        const rate = rateOf(this.#limits, gate);
        return rate ? [60_000 / rate.perMinute, rate.burst, tokens] : [1, 1, 0];
      });
      const names = part.map(([name]) => name);
      await session.run(payScript, names, words).catch((error: unknown) => {
        for (const [name, { gate, tokens }] of part) {
          this.#debts.set(name, { gate, tokens: tokens + (this.#debts.get(name)?.tokens ?? 0) });
        }
        throw error;
      });
    }
  }

  async #recount(session: RedisSession): Promise<void> {
    const stale = [...this.#stale];
    for (let from = 0; from < stale.length; from += atATime) {
      const part = stale.slice(from, from + atATime);
      for (const key of part) this.#stale.delete(key);
      const names = part.map((key) => this.keysOf(key)[0]);
      const counts = part.map((key) => this.seats(key));
      const words = [keepMs, this.#context.instance, ...counts];
      await session.run(seatsScript, names, words).catch((error: unknown) => {
        for (const key of part) this.doubt(key);
        throw error;
      });
    }
  }
}
