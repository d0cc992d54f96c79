// Everything that a promise of this client rejects with.

/**
 * Why something failed. A closed union, so that a switch over it is complete.
 *
 * - `USAGE`: an option or argument is wrong.
 * - `TIMEOUT`: no answer within the deadline.
 * - `ABORTED`: the caller's signal.
 * - `OVERFLOW`: the queue is full; what to do then is the option `queue.overflow`.
 * - `POOL_TIMEOUT`: no member of the pool was free within the deadline.
 * - `EXPIRED`: it waited longer than `queue.maxAgeMs` and was never sent.
 * - `REFUSED`: the server answered with an ERROR; `serverCode` says which.
 * - `UNCERTAIN`: it was sent, never answered, and it may not be sent again: the server has forgotten its id by now, or knows us
 *   under another name.
 * - `LOST`: the connection ended, and what is missing will not come on another one.
 * - `TOKEN`: there is no token to connect with, or none that is good.
 * - `ATTEMPTS`: as many attempts failed as `reconnect.maxAttempts` allows.
 * - `STOPPED`: the server ended the connection in a way that forbids coming back; `closeCode` or `httpStatus` says which.
 * - `CLOSED`: `close()` was called.
 * - `INTERNAL`: a bug of this client.
 *
 * @example
 * import { ClientError, type ClientErrorCode, createClient } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws');
 * const codes: ClientErrorCode[] = [];
 * const waiting = client.request('ECHO', 'hello').catch((error) => {
 *   if (error instanceof ClientError) codes.push(error.code);
 * });
 * await client.close();
 * await waiting;
 * console.log(codes); // [ 'CLOSED' ]
 */
export type ClientErrorCode =
  | 'USAGE'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'OVERFLOW'
  | 'POOL_TIMEOUT'
  | 'EXPIRED'
  | 'REFUSED'
  | 'UNCERTAIN'
  | 'LOST'
  | 'TOKEN'
  | 'ATTEMPTS'
  | 'STOPPED'
  | 'CLOSED'
  | 'INTERNAL';

/**
 * What else is known about a failure.
 *
 * @example
 * import { ClientError, type ClientErrorDetails } from 'wsbench/client';
 * // For tests of an application: what it does when a message may have had its effect.
 * const details: ClientErrorDetails = { outcome: 'unknown' };
 * console.log(new ClientError('TIMEOUT', 'no answer', details).outcome); // unknown
 */
export interface ClientErrorDetails {
  /** `none`: the server never saw it. `unknown`: it was sent, so it may have had its effect. */
  outcome?: 'none' | 'unknown';
  /** The code of the server's ERROR. */
  serverCode?: string;
  /** When the server says that another try makes sense. */
  retryAfterMs?: number;
  /** The close code that ended the connection. */
  closeCode?: number;
  /** The status that refused the handshake; browsers do not tell. */
  httpStatus?: number;
  cause?: unknown;
}

/**
 * An error of this client: a `code` to switch over, and one line for a person.
 *
 * @example
 * import { ClientError, createClient } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * try {
 *   await client.command('builder-1', 'build');
 * } catch (error) {
 *   if (!(error instanceof ClientError)) throw error;
 *   console.log(error.code, error.serverCode); // REFUSED NOT_DELIVERED
 *   // 'none': nothing happened. 'unknown': it was sent, and may have had its effect.
 *   console.log(error.outcome);
 * }
 * await client.close();
 */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** `none`: the server never saw it, or refused it when it saw it first. `unknown`: it was sent, so it may have had its effect. */
  readonly outcome: 'none' | 'unknown';
  readonly serverCode: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly closeCode: number | undefined;
  readonly httpStatus: number | undefined;

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.outcome = details.outcome ?? 'none';
    this.serverCode = details.serverCode;
    this.retryAfterMs = details.retryAfterMs;
    this.closeCode = details.closeCode;
    this.httpStatus = details.httpStatus;
  }
}
