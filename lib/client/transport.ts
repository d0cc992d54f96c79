// The seam between the client and whatever carries its text: `ws` in Node, the platform's WebSocket, a fake in tests.

/** What to open. */
export interface OpenRequest {
  url: string;
  /** Subprotocols to offer; with `tokenIn: 'subprotocol'` the credential is among them. */
  protocols: readonly string[];
  /** Goes into the header `Authorization`; only asked of transports that can. */
  bearer: string | undefined;
  /** Longer messages are refused with 1009, where the transport can. */
  maxMessageBytes: number;
}

/**
 * How a socket ended, or why it never opened.
 *
 * @example
 * import { createClient, type SocketEnd } from 'wsbench/client';
 * const client = createClient('wss://service.example/nowhere', { reconnect: { maxAttempts: 1 } });
 * const words = ({ code, httpStatus, by }: SocketEnd) => `${httpStatus ?? code} by ${by}`;
 * client.on('disconnected', (end) => console.log(words(end))); // 404 by server
 * await client.connect().catch(() => {});
 */
export interface SocketEnd {
  /** As in RFC 6455 §7.4.1; 1006 when there was no close frame. */
  code: number;
  reason: string;
  /** `server`: its close frame, or its refusal. `client`: this side found fault with what came. `network`: neither said anything. */
  by: 'server' | 'client' | 'network';
  /** The status of a refused handshake. */
  httpStatus?: number;
  /** What `Retry-After` said. */
  retryAfterMs?: number;
  /** What went wrong, for a person. */
  detail?: string;
}

/** Who is told. Nothing is called any more after `ended`, or after `terminate()`. */
export interface SocketSink {
  opened(): void;
  text(data: string): void;
  binary(): void;
  ended(end: SocketEnd): void;
}

/** A socket that opens, or is open. */
export interface ClientSocket {
  send(text: string): void;
  /** Sent, and not taken by the network yet, in bytes. */
  readonly unsentBytes: number;
  /** Starts the closing handshake. `ended` follows. */
  close(code: number, reason: string): void;
  /** Ends it at once. Nothing follows. */
  terminate(): void;
}

/** Opens a socket. Must not call the sink before it returns. */
export interface Transport {
  (request: OpenRequest, sink: SocketSink): ClientSocket;
  /** Whether it can send a header with the handshake; browsers cannot. */
  readonly canSendHeaders: boolean;
}

/** Whether the machine believes that it has a network. Browsers know; elsewhere there is nobody to ask. */
export interface Connectivity {
  isOnline(): boolean;
  /** Calls `changed` whenever that changes, until the returned function is called. */
  watch(changed: () => void): () => void;
}
