// `wsbench/client` in browsers, and wherever the platform has a WebSocket of its own.
import type { Client, ClientParts } from './client.ts';
import { platformConnectivity } from './connectivity.ts';
import { create, pool } from './create.ts';
import { ClientError } from './errors.ts';
import type { ClientOptions } from './options.ts';
import { type PlatformWebSocket, platformTransport } from './platform-transport.ts';
import type { Pool } from './pool.ts';
import type { PoolOptions } from './pool-options.ts';

export type * from './exports.ts';
export { ClientError, closePolicies, stateTransitions } from './exports.ts';

/**
 * Makes a client that reconnects. It does nothing until `connect()`. As `createClient` in Node, with two differences: the token
 * goes into a pair of subprotocols by default, and a refused handshake is a 1006, as browsers do not tell its status.
 *
 * @throws ClientError `USAGE` when the address or an option is wrong, or there is no WebSocket here
 *
 * @example
 * import { createClient } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken, tokenIn: 'message' });
 * await client.connect();
 * console.log(await client.ping());
 * await client.close();
 */
export function createClient(url: string | URL, options: ClientOptions = {}): Client {
  return create(url, options, platform());
}

/**
 * Makes a pool: several clients of one server, of which each piece of work gets the least loaded, or the one that its key belongs to.
 * It does nothing until `connect()` or the first `acquire()`. Members are clients as `createClient` makes them.
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
  return pool(url, options, platform());
}

function platform(): Pick<ClientParts, 'transport' | 'connectivity'> {
  const { WebSocket } = globalThis as { WebSocket?: PlatformWebSocket };
  if (!WebSocket) throw new ClientError('USAGE', 'there is no WebSocket here');
  const connectivity = platformConnectivity(globalThis as Parameters<typeof platformConnectivity>[0]);
  return { transport: platformTransport(WebSocket), connectivity };
}
