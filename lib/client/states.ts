// The machine that a client is: its states, and which may follow which.

/**
 * Where a client stands.
 *
 * - `idle`: made, and not asked to connect.
 * - `fetching-token`: the token provider has been asked.
 * - `connecting`: a socket opens, until WELCOME.
 * - `authenticating`: AUTH was sent.
 * - `open`: messages flow.
 * - `draining`: the server goes away (DRAIN). What was sent may still be answered; what is new waits for the next connection.
 * - `waiting`: there is no connection, and a time at which the next is tried.
 * - `closing`: `close()` was called, and the close frame is on its way.
 * - `closed`: over, by `close()` or because coming back is forbidden.
 *
 * @example
 * import { type ClientState, createClient } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws');
 * const seen: ClientState[] = [];
 * client.on('state', ({ to }) => seen.push(to));
 * await client.connect();
 * await client.close();
 * console.log(seen); // [ 'connecting', 'open', 'closing', 'closed' ]
 */
export type ClientState =
  | 'idle'
  | 'fetching-token'
  | 'connecting'
  | 'authenticating'
  | 'open'
  | 'draining'
  | 'waiting'
  | 'closing'
  | 'closed';

/**
 * Which states may follow which. A client never does anything else; if it would, that is a bug, and it throws.
 *
 * @example
 * import { stateTransitions } from 'wsbench/client';
 * console.log(stateTransitions.closed); // []
 */
// biome-ignore format: a table
export const stateTransitions: Readonly<Record<ClientState, readonly ClientState[]>> = {
  idle:             ['fetching-token', 'connecting', 'closed'],
  'fetching-token': ['connecting', 'waiting', 'closed'],
  connecting:       ['authenticating', 'open', 'waiting', 'closed'],
  authenticating:   ['open', 'waiting', 'closing', 'closed'],
  open:             ['draining', 'waiting', 'closing', 'closed'],
  draining:         ['waiting', 'closing', 'closed'],
  waiting:          ['fetching-token', 'connecting', 'closed'],
  closing:          ['closed'],
  closed:           [],
};
