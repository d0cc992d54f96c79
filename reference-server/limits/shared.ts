// The limits that count over all instances: rates by IP, connections by user, and what is left of their buckets.
// What needs no other instance is answered at once; a promise here never rejects, and never takes long.
import type { TokenBucket } from './bucket.ts';
import type { Limits, Rate } from './presets.ts';

/** Rates by IP: upgrades, and requests for `/api/status`. */
export type GateName = 'upgrades' | 'status';

/** A connection that may be opened, or how long until another try makes sense. */
export type Entered =
  | {
      ok: true;
      /** The strictest bucket that waits under the key, or a new one. Undefined where none was asked for, or messages have no limit. */
      bucket: TokenBucket | undefined;
    }
  | { ok: false; why: 'full' | 'rate'; retryMs: number };

export interface SharedLimits {
  /** Takes one from the rate of this key. 0: it may pass; else the milliseconds until the next one may. */
  pass(gate: GateName, key: string): number | Promise<number>;
  /** Counts one more connection under this key, if there is room for it. Every one that was counted has to leave. */
  enter(key: string, wantsBucket: boolean): Entered | Promise<Entered>;
  /** One connection less under this key. Its bucket waits for the next one. */
  leave(key: string, bucket?: TokenBucket): void;
  /** Lets go of everything, once what was left has arrived where others find it. */
  close(): Promise<void>;
}

/** Until somebody leaves, nobody knows how long that takes. */
export const fullRetryMs = 1000;

export function rateOf(limits: Limits, gate: GateName): Rate | null {
  return gate === 'upgrades' ? limits.upgradesPerIp : limits.statusPerIp;
}
