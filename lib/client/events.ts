// What a client tells its listeners.
import type { ClientError } from './errors.ts';
import type { ServerMessage, Welcome } from './messages.ts';
import type { ClientState } from './states.ts';
import type { Gap } from './subscription.ts';
import type { SocketEnd } from './transport.ts';

/**
 * The events of a client, by name.
 *
 * @example
 * import { type ClientEvents, createClient } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * const log = (name: keyof ClientEvents) => client.on(name, (event) => console.log(name, event));
 * log('disconnected');
 * log('waiting');
 * log('tokenError');
 * await client.connect();
 * await client.close();
 */
export interface ClientEvents {
  state: { from: ClientState; to: ClientState };
  /** A connection is tried; `attempt` counts from 1 since the last one that opened. */
  attempt: { attempt: number };
  /** Requests flow. What belongs to a connection, such as AGENT_CONNECT, is to be requested here; subscriptions are restored already. */
  open: { welcome: Welcome; connections: number };
  /** A connection, or an attempt at one, has ended; `again`: the client comes back. */
  disconnected: SocketEnd & { again: boolean };
  /** The next attempt is made in `delayMs`; `why`: `back-off`, `window`, `retry-after`, `refresh-token` or `offline`. */
  waiting: { delayMs: number; why: string };
  /** The server goes away, and the client comes back in `delayMs`, which is in its window. */
  drain: { minMs: number; maxMs: number; delayMs: number };
  /** There was no token to connect with, or to replace the present one with. It is tried again, unless the token is a fixed one. */
  tokenError: { error: ClientError };
  /** The server refuses messages for so long. They wait here, and are sent again. */
  limited: { retryAfterMs: number };
  /** Messages of a channel are missing. */
  gap: Gap;
  /** A message that answers no request and belongs to no subscription. */
  push: ServerMessage;
  /** Something came that is no message of the protocol. It is ignored. */
  violation: { detail: string };
  /** Nothing follows; with an error unless `close()` was called. */
  closed: { error: ClientError | undefined };
}
