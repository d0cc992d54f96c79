// `wsbench/client` in Node: over `ws`, which can send the token in a header.
import type { Client } from './client.ts';
import { create } from './create.ts';
import { nodeTransport } from './node-transport.ts';
import type { ClientOptions } from './options.ts';

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
