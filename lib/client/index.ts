// `wsbench/client` in Node: over `ws`, which can send the token in a header.
import type { Client } from './client.ts';
import { create, pool } from './create.ts';
import { nodeTransport } from './node-transport.ts';
import type { ClientOptions } from './options.ts';
import type { Pool } from './pool.ts';
import type { PoolOptions } from './pool-options.ts';

export type * from './exports.ts';
export { ClientError, closePolicies, stateTransitions } from './exports.ts';

/**
 * Makes a client that reconnects. It does nothing until `connect()`.
 *
 * @throws ClientError `USAGE` when the address or an option is wrong
 *
 * @example
 * import { createClient } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const news = await client.subscribe('news');
 * news.on('message', ({ offset, data }) => console.log(offset, data));
 * news.on('gap', () => console.log('some are missing: fetch the state anew'));
 * await client.publish('news', { headline: 'hello' });
 * await client.close();
 */
export function createClient(url: string | URL, options: ClientOptions = {}): Client {
  return create(url, options, { transport: nodeTransport, connectivity: undefined });
}

/**
 * Makes a pool: several clients of one server, of which each piece of work gets the least loaded, or the one that its key belongs to.
 * It does nothing until `connect()` or the first `acquire()`.
 *
 * @throws ClientError `USAGE` when the address or an option is wrong
 *
 * @example
 * import { createPool } from 'wsbench/client';
 * const pool = createPool('wss://service.example/ws', { client: { token: getToken }, max: 8 });
 * pool.on('ejected', ({ member, outMs, reason }) => console.log(member, outMs, reason));
 * const order = { id: 'order-1', item: 'tea' };
 * await pool.use((client) => client.publish('orders', order), { key: order.id, timeoutMs: 1000 });
 * await pool.close();
 */
export function createPool(url: string | URL, options: PoolOptions = {}): Pool {
  return pool(url, options, { transport: nodeTransport, connectivity: undefined });
}
