// `wsbench/client` in browsers, and wherever the platform has a WebSocket of its own.
import type { Client } from './client.ts';
import { platformConnectivity } from './connectivity.ts';
import { create } from './create.ts';
import { ClientError } from './errors.ts';
import type { ClientOptions } from './options.ts';
import { type PlatformWebSocket, platformTransport } from './platform-transport.ts';

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
  const { WebSocket } = globalThis as { WebSocket?: PlatformWebSocket };
  if (!WebSocket) throw new ClientError('USAGE', 'there is no WebSocket here');
  const connectivity = platformConnectivity(globalThis as Parameters<typeof platformConnectivity>[0]);
  return create(url, options, { transport: platformTransport(WebSocket), connectivity });
}
