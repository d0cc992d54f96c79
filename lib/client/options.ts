// What a client is made from, with every default filled in.
import type { Window } from './back-off.ts';
import { ClientError } from './errors.ts';
import type { HeartbeatTimes } from './heartbeat.ts';
import type { TokenSource } from './tokens.ts';

/**
 * Where the token goes: the header `Authorization` (Node only), a pair of subprotocols (`bearer` and the token), or the first
 * message (`AUTH`).
 *
 * @example
 * import { createClient, type TokenPlace } from 'wsbench/client';
 * for (const tokenIn of ['header', 'subprotocol', 'message'] satisfies TokenPlace[]) {
 *   const client = createClient('wss://service.example/ws', { token: getToken, tokenIn });
 *   await client.connect();
 *   await client.close();
 * }
 */
export type TokenPlace = 'header' | 'subprotocol' | 'message';

/**
 * Everything has a default that suits an application in production.
 *
 * @example
 * import { type ClientOptions, createClient } from 'wsbench/client';
 * const options: ClientOptions = {
 *   token: getToken,
 *   reconnect: { maxMs: 10_000 },
 *   queue: { maxMessages: 100, overflow: 'drop-oldest' },
 * };
 * const client = createClient('wss://service.example/ws', options);
 * await client.connect();
 * await client.close();
 */
export interface ClientOptions {
  /** A token, or a function that fetches one. Without it the client is anonymous. */
  token?: TokenSource;
  /** `header` in Node, `subprotocol` in browsers. */
  tokenIn?: TokenPlace;
  /** How long a token provider may take; 5,000 by default. */
  tokenTimeoutMs?: number;
  /** Subprotocols to offer; `wsbench.v1` by default. */
  protocols?: readonly string[];
  /** Limit of one attempt, from the first packet to WELCOME and the answer to AUTH; 10,000 by default. */
  connectTimeoutMs?: number;
  /** How long `close()` waits for the server's close frame before it ends the socket; 50 by default. */
  closeTimeoutMs?: number;
  /** Deadline of requests that name none, counted from the call; 30,000 by default. */
  timeoutMs?: number;
  /** What WELCOME announces by default. */
  heartbeat?: HeartbeatTimes;
  /** How the client comes back. */
  reconnect?: {
    /** The first back-off is at most this; 500 by default. */
    minMs?: number;
    /** No back-off is more; 30,000 by default. */
    maxMs?: number;
    /** A connection that lasted so long was good: the next back-off starts from the beginning; 30,000 by default. */
    stableMs?: number;
    /** The longest wait that the server may ask for; 60,000 by default. */
    serverCapMs?: number;
    /** Attempts in a row that may fail before the client gives up; unbounded by default. */
    maxAttempts?: number;
  };
  /** What may wait: requests that are not answered, sent or not. */
  queue?: {
    /** 1,000 by default. */
    maxMessages?: number;
    /** Of their JSON, in UTF-16 units; 1 MiB by default. */
    maxBytes?: number;
    /** How long a message may wait to be sent at all; 30,000 by default. */
    maxAgeMs?: number;
    /**
     * When it is full: `reject` (the default) rejects the new one, `drop-oldest` rejects the oldest that was not sent yet. Either
     * way its promise rejects with `OVERFLOW`.
     */
    overflow?: 'reject' | 'drop-oldest';
  };
  /** Messages of one subscription that may wait to be read; what is older is dropped, which is told as a gap; 1,000 by default. */
  maxUnread?: number;
  /** Longer messages of the server close the connection with 1009 (Node only); 1 MiB by default. */
  maxMessageBytes?: number;
  /** Keep to the rate that WELCOME announces, instead of running into penalties; true by default. */
  pace?: boolean;
}

/** {@link ClientOptions} with defaults. */
export interface ResolvedOptions {
  token: TokenSource | undefined;
  tokenIn: TokenPlace;
  tokenTimeoutMs: number;
  protocols: readonly string[];
  connectTimeoutMs: number;
  closeTimeoutMs: number;
  timeoutMs: number;
  heartbeat: HeartbeatTimes | undefined;
  backOff: Window;
  stableMs: number;
  serverCapMs: number;
  maxAttempts: number;
  queue: QueueBounds;
  maxUnread: number;
  maxMessageBytes: number;
  pace: boolean;
}

/** How much may wait, and for how long. */
export interface QueueBounds {
  maxMessages: number;
  maxBytes: number;
  maxAgeMs: number;
  overflow: 'reject' | 'drop-oldest';
}

/**
 * Fills in the defaults.
 *
 * @throws ClientError `USAGE` when something is no time, no count, or cannot be done here
 */
export function resolveOptions(options: ClientOptions, canSendHeaders: boolean): ResolvedOptions {
  const { reconnect = {}, queue = {} } = options;
  const tokenIn = options.tokenIn ?? (canSendHeaders ? 'header' : 'subprotocol');
  if (tokenIn === 'header' && !canSendHeaders) {
    throw new ClientError('USAGE', 'tokenIn: a browser cannot send headers; use subprotocol or message');
  }
  const resolved: ResolvedOptions = {
    token: options.token,
    tokenIn,
    tokenTimeoutMs: positive('tokenTimeoutMs', options.tokenTimeoutMs ?? 5000),
    protocols: options.protocols ?? ['wsbench.v1'],
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    closeTimeoutMs: positive('closeTimeoutMs', options.closeTimeoutMs ?? 50),
    timeoutMs: positive('timeoutMs', options.timeoutMs ?? 30_000),
    heartbeat: options.heartbeat,
    backOff: {
      minMs: positive('reconnect.minMs', reconnect.minMs ?? 500),
      maxMs: positive('reconnect.maxMs', reconnect.maxMs ?? 30_000),
    },
    stableMs: positive('reconnect.stableMs', reconnect.stableMs ?? 30_000),
    serverCapMs: positive('reconnect.serverCapMs', reconnect.serverCapMs ?? 60_000),
    maxAttempts: positive('reconnect.maxAttempts', reconnect.maxAttempts ?? Number.POSITIVE_INFINITY),
    queue: {
      maxMessages: positive('queue.maxMessages', queue.maxMessages ?? 1000),
      maxBytes: positive('queue.maxBytes', queue.maxBytes ?? 1024 * 1024),
      maxAgeMs: positive('queue.maxAgeMs', queue.maxAgeMs ?? 30_000),
      overflow: queue.overflow ?? 'reject',
    },
    maxUnread: positive('maxUnread', options.maxUnread ?? 1000),
    maxMessageBytes: positive('maxMessageBytes', options.maxMessageBytes ?? 1024 * 1024),
    pace: options.pace ?? true,
  };
  if (resolved.heartbeat) {
    positive('heartbeat.intervalMs', resolved.heartbeat.intervalMs);
    positive('heartbeat.timeoutMs', resolved.heartbeat.timeoutMs);
  }
  return resolved;
}

/** A time or a count: above zero. */
export function positive(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw new ClientError('USAGE', `${name}: ${value} is not above zero`);
}
