// Leave to use a member of a pool.
import type { Client } from './client.ts';

/**
 * How a lease is asked for.
 *
 * @example
 * import { type AcquireOptions, createPool } from 'wsbench/client';
 * const pool = createPool('wss://service.example/ws', { client: { token: getToken } });
 * const options: AcquireOptions = { key: 'customer-17', timeoutMs: 500, signal: AbortSignal.timeout(1000) };
 * await pool.use((client) => client.publish('orders', { item: 'tea' }), options);
 * await pool.close();
 */
export interface AcquireOptions {
  /** Calls with the same key get the same member while it is healthy; without one the least loaded is taken. */
  key?: string;
  /** The pool's `acquireTimeoutMs` by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Leave to use a member, until it is released.
 *
 * @example
 * import { createPool, type Lease } from 'wsbench/client';
 * const pool = createPool('wss://service.example/ws', { client: { token: getToken } });
 * const lease: Lease = await pool.acquire({ key: 'customer-17', timeoutMs: 500 });
 * try {
 *   await lease.client.publish('orders', { item: 'tea' });
 * } finally {
 *   lease.release();
 * }
 * await pool.close();
 */
export interface Lease {
  /** The member's number. */
  member: number;
  client: Client;
  /** Gives it back, once; later calls do nothing. `error`: what the work ended with, as members whose requests time out are ejected. */
  release(error?: unknown): void;
}
