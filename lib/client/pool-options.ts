// What a pool is made from, with every default filled in.
import type { Window } from './back-off.ts';
import { ClientError } from './errors.ts';
import { type ClientOptions, positive } from './options.ts';

/**
 * Everything has a default.
 *
 * @example
 * import { createPool, type PoolOptions } from 'wsbench/client';
 * const options: PoolOptions = { client: { token: getToken }, min: 2, max: 8, acquireTimeoutMs: 1000 };
 * const pool = createPool('wss://service.example/ws', options);
 * await pool.connect();
 * console.log(pool.statistics.serving); // 2
 * await pool.close();
 */
export interface PoolOptions {
  /** Of every member. */
  client?: ClientOptions;
  /** Members that are kept whether there is work or not; 1 by default. */
  min?: number;
  /** Members at most, those that are away or out included; 4 by default. */
  max?: number;
  /** Leases that one member may have at a time; 100 by default. */
  maxPerMember?: number;
  /** Callers that may wait for a lease; the next rejects with `OVERFLOW`. 1,000 by default. */
  maxWaiting?: number;
  /** How long `acquire` waits when the call does not say; 5,000 by default. */
  acquireTimeoutMs?: number;
  /** A member above `min` is closed when it had no lease for so long; 30,000 by default. */
  idleMs?: number;
  /** How long a member that keeps failing is out. */
  circuit?: {
    /** At the second failure; it doubles with every further one. 1,000 by default. */
    minMs?: number;
    /** It is never more; 60,000 by default. */
    maxMs?: number;
    /** A connection that lasted so long was good: what failed before is forgotten; 30,000 by default. */
    stableMs?: number;
    /** Leases in a row that end with `TIMEOUT`, after which a member is out although its connection is open; 5 by default. */
    maxTimeouts?: number;
  };
  /** How often the event `statistics` comes; 10,000 by default. */
  statisticsMs?: number;
}

/** {@link PoolOptions} with defaults. */
export interface ResolvedPool {
  min: number;
  max: number;
  maxPerMember: number;
  maxWaiting: number;
  acquireTimeoutMs: number;
  idleMs: number;
  out: Window;
  stableMs: number;
  maxTimeouts: number;
  statisticsMs: number;
}

/**
 * Fills in the defaults.
 *
 * @throws ClientError `USAGE` when something is no time or no count, or `min` is above `max`
 */
export function resolvePool({ circuit = {}, ...options }: PoolOptions): ResolvedPool {
  const resolved: ResolvedPool = {
    min: options.min ?? 1,
    max: options.max ?? Math.max(4, options.min ?? 0),
    maxPerMember: options.maxPerMember ?? 100,
    maxWaiting: options.maxWaiting ?? 1000,
    acquireTimeoutMs: options.acquireTimeoutMs ?? 5000,
    idleMs: options.idleMs ?? 30_000,
    out: { minMs: circuit.minMs ?? 1000, maxMs: circuit.maxMs ?? 60_000 },
    stableMs: circuit.stableMs ?? 30_000,
    maxTimeouts: circuit.maxTimeouts ?? 5,
    statisticsMs: options.statisticsMs ?? 10_000,
  };
  const { out, min, ...above } = resolved;
  for (const [name, value] of Object.entries({ ...above, ...out })) positive(name, value);
  if (min < 0 || min > resolved.max || !Number.isInteger(min) || !Number.isInteger(resolved.max)) {
    throw new ClientError('USAGE', `min: ${min} is no whole number from 0 to max (${resolved.max})`);
  }
  return resolved;
}
