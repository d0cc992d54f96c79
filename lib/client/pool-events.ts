// What a pool tells its listeners.
import type { ClientError } from './errors.ts';

/**
 * Why a member was ejected: its connection ended again and again, its requests timed out, or it did not answer the PING that would
 * have brought it back.
 *
 * @example
 * import { createPool, type EjectionReason } from 'wsbench/client';
 * const pool = createPool('wss://service.example/ws', { client: { token: getToken } });
 * const counts: Partial<Record<EjectionReason, number>> = {};
 * pool.on('ejected', ({ reason }) => {
 *   counts[reason] = (counts[reason] ?? 0) + 1;
 * });
 * await pool.use((client) => client.ping());
 * await pool.close();
 */
export type EjectionReason = 'flapping' | 'timeouts' | 'probe';

/**
 * How a pool stands. Counts of things that happen are since the start.
 *
 * @example
 * import { createPool, type PoolStatistics } from 'wsbench/client';
 * const pool = createPool('wss://service.example/ws', { client: { token: getToken } });
 * pool.on('statistics', (now: PoolStatistics) => console.log(now.leases, now.waiting));
 * await pool.use((client) => client.ping());
 * console.log(pool.statistics.acquired); // 1
 * await pool.close();
 */
export interface PoolStatistics {
  /** Members that there are, in whatever state. */
  members: number;
  /** Those that are open and not out. */
  serving: number;
  /** Those that are ejected, whether their connection is open or not. */
  out: number;
  /** Leases that are not released. */
  leases: number;
  /** Callers that wait for a lease. */
  waiting: number;
  acquired: number;
  /** Calls of `acquire` that ended with `POOL_TIMEOUT`. */
  timedOut: number;
  ejections: number;
  /** The longest that a lease was waited for since the last event `statistics`. */
  longestWaitMs: number;
}

/**
 * The events of a pool, by name. Members are numbered from 0; a number is used again.
 *
 * @example
 * import { createPool, type PoolEvents } from 'wsbench/client';
 * const pool = createPool('wss://service.example/ws', { client: { token: getToken } });
 * pool.on('ejected', ({ member, outMs, reason }: PoolEvents['ejected']) => console.log(member, outMs, reason));
 * pool.on('returned', ({ member }) => console.log(member));
 * await pool.connect();
 * await pool.close();
 */
export interface PoolEvents {
  /** A member was made, and connects. */
  added: { member: number };
  /** A member is gone: it was idle, the pool is closed, or (`error`) it ended in a way that forbids coming back. */
  removed: { member: number; error: ClientError | undefined };
  /** A member gets no leases for `outMs`, and until it has answered a PING after that. */
  ejected: { member: number; outMs: number; reason: EjectionReason };
  /** An ejected member serves again. */
  returned: { member: number };
  statistics: PoolStatistics;
  /** Nothing follows; with the last member's error unless `close()` was called. */
  closed: { error: ClientError | undefined };
}
