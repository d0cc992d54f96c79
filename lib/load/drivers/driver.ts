// The contract of a driver: it carries messages over sockets and knows nothing of what they mean.
import type { FailureKind } from '../../cause/cause.ts';

export type { FailureKind } from '../../cause/cause.ts';

/** A message whose bytes are patched in place before each send. */
export interface MessageTemplate {
  readonly bytes: Buffer;
  readonly binary: boolean;
  /** Writes the number of the message into {@link bytes}; the width never changes. */
  stamp(seq: number): void;
}

/** Where and how to connect. */
export interface ConnectSpec {
  url: string;
  headers: readonly (readonly [string, string])[];
  subprotocols: readonly string[];
  /** Limit of DNS, TCP, TLS and upgrade together. */
  timeoutMs: number;
  /** Accept any certificate. */
  insecure: boolean;
  /** PEM certificates that are trusted besides the usual ones. */
  caCertificates?: string;
}

/** How long the parts of a connect took, in µs; null: that part was not needed. */
export interface ConnectSplit {
  dnsUs: number | null;
  tcpUs: number;
  tlsUs: number | null;
  upgradeUs: number;
  totalUs: number;
  /** The subprotocol that the server chose, or ''. */
  subprotocol: string;
}

/** Who began the end of a connection; `none`: it ended without a close frame. */
export type ClosedBy = 'us' | 'peer' | 'none';

/**
 * What a connection reports. Callbacks, never called from within {@link Driver.open}. The life of a connection is
 * either `failed`, or `opened`, then anything, then `closed`; after the last of these comes nothing.
 */
export interface Sink {
  opened(split: ConnectSplit): void;
  /**
   * A message lies in `buf` from `start` to `end`, valid during the call only.
   *
   * @param opcode 1 text, 2 binary
   * @param atUs when it was read
   */
  message(buf: Buffer, start: number, end: number, opcode: 1 | 2, atUs: number): void;
  /** All messages of one read were told, be it that the connection ended with it; see {@link Driver.tellsReadEnds}. */
  readEnd?(): void;
  /** The answer to our {@link Connection.ping}; pongs to nothing that was sent are not reported. */
  pong(sentUs: number, atUs: number): void;
  /**
   * The answer to the ping of message `seq` ({@link Connection.queuePing}), and with it to all that were sent before: a peer
   * may answer only the last of several pings (RFC 6455 §5.5.3), and may send pongs that answer none, with any number.
   */
  pongOf?(seq: number, atUs: number): void;
  /**
   * @param code 1006 without a close frame, 1005 for one without a code
   * @param reason what the close frame says
   */
  closed(code: number, by: ClosedBy, clean: boolean, reason: string): void;
  /**
   * Before `opened`: there will be no connection. After it: a protocol violation of the peer; `closed` follows.
   *
   * @param retryAfterMs how long the peer asks to wait before the next attempt, where it does
   */
  failed(kind: FailureKind, detail: string, retryAfterMs?: number): void;
}

/** One connection, opening or open. */
export interface Connection {
  /**
   * Takes a message for the next {@link flush}.
   *
   * @param dueUs when it was meant to leave, for drivers that can pace
   * @returns false when the connection is not open
   */
  queue(template: MessageTemplate, seq: number, dueUs: number): boolean;
  /**
   * Takes a ping frame for the next {@link flush} whose payload is the number of a message: six bytes, big endian. Its pong
   * goes to {@link Sink.pongOf}. While 50 are unanswered none is sent, as peers hang up on more than 60; then the last that was
   * asked for is, whose pong stands for all.
   *
   * @returns false when the connection is not open
   */
  queuePing(seq: number): boolean;
  /** Writes everything queued with one call. */
  flush(): void;
  /**
   * Sends a text message that is no part of the load, at once, or behind what is queued: a token, a heartbeat.
   *
   * @returns false when the connection is not open
   */
  sendText(text: string): boolean;
  /** Sends a ping frame unless one is unanswered. */
  ping(): void;
  /** Stops reading, so that the peer's sends fill up. */
  pause(): void;
  resume(): void;
  /** Starts the closing handshake; gives up waiting for the peer after two seconds. */
  close(code: number, reason: string): void;
  /** Ends the connection at once, or the attempt to open it (then nothing more is reported). */
  abort(): void;
  /** Like {@link abort}, with a TCP reset; drivers that cannot send one have none. */
  reset?(): void;
  /** Bytes taken but not yet accepted by the operating system. */
  readonly bufferedBytes: number;
}

/** Carries messages over sockets. */
export interface Driver {
  readonly name: string;
  /** It calls {@link Sink.readEnd} after every read that had messages, so that their answers can go out at once. */
  readonly tellsReadEnds?: boolean;
  open(spec: ConnectSpec, sink: Sink): Connection;
}
