// The bounds between this server and whoever means it harm: one table, so that a test can show what happens without one of them.

/** Each guard and its bound. docs/security.md says what each is against. */
export interface Guards {
  /** The most headers of one request. */
  maxHeaders: number;
  /** The most bytes of all headers of one request, its first line included. */
  maxHeaderBytes: number;
  /** Upgrades are taken of HTTP/1.1 alone (RFC 6455 §4.2.1). */
  onlyHttp11: boolean;
  /** Upgrades must have one Host, neither none nor two (RFC 9112 §3.2). */
  oneHost: boolean;
  /** Upgrades must ask for version 13: ws takes the draft 8, too. */
  onlyVersion13: boolean;
  /** Upgrades with a body are refused: Node hands its bytes over as the first frames. */
  noUpgradeBody: boolean;
  /** A refusal ends the TCP connection: what came behind the refused request is never answered. */
  closeOnRefusal: boolean;
  /** Time for AUTH in production, in ms. */
  authTimeoutMs: number;
  /** Frame lengths must be written in as few bytes as they fit in (RFC 6455 §5.2): ws takes any. */
  minimalLengths: boolean;
  /** In production: the largest message in bytes on a connection that compresses, inflated. */
  maxInflatedBytes: number;
  /** In production: the most connections that compress at a time; the offers of others are declined. */
  maxDeflating: number;
  /** The largest message in bytes on every route but the raw echo (RFC 6455 §10.4). */
  maxMessageBytes: number;
  /** The most frames that one message may come in. */
  maxFragments: number;
  /** The most pieces of an unfinished message that are kept. */
  maxBufferedChunks: number;
  /** The most pongs that wait for a peer who does not read. */
  maxPendingAutoPongs: number;
  /** Ping frames and pongs that answer nothing, a second, on connections whose messages are limited; ten seconds' worth at once. */
  maxControlFramesPerSecond: number;
  /** Time that a peer gets to answer a close frame, or to take its refusal and go, in ms. */
  closeTimeoutMs: number;
  /** Time for the headers of a request to arrive, those of the first since the connection was made, in ms. */
  headersTimeoutMs: number;
  /** Time for a whole request to arrive, in ms. */
  requestTimeoutMs: number;
  /** The largest message that somebody unknown may send in production, in bytes: a token of the longest kind and its envelope. */
  maxBytesBeforeAuth: number;
  /** How deep JSON may nest. JSON.parse takes far more than JSON.stringify: unchecked, an ECHO of it would throw. */
  maxDepth: number;
  /** Texts in a row that are no JSON, at the last of which the connection is closed. */
  maxInvalidInRow: number;
  /** Refusals for want of a role within 10 s, at the last of which the connection is closed. */
  maxForbidden: number;
  /** Unsent bytes above which nothing more is read from a client; below half of it reading goes on. */
  pauseAboveBytes: number;
  /** Time for such a client to read what waits for it, in ms; a second more for every MiB above the first. */
  slowConsumerMs: number;
  /** Unsent bytes at which a client counts as too slow to serve. */
  maxBufferedBytes: number;
  /** How long a decision on a limit may wait for Redis, in ms; then it is made here. */
  limitDecisionMs: number;
  /** Time for a message to arrive whole, in ms; on the raw echo, for the next byte of it. */
  unfinishedMs: number;
  /** Bytes of unfinished messages that are held for all clients together. */
  maxUnfinishedBytes: number;
  /** Commands that may wait for the result of one agent. */
  maxPendingPerAgent: number;
  /** Time that large messages may take of one turn of the event loop, in ms. */
  maxTurnMs: number;
  /** Lines a second of one kind in the log. */
  maxLogLines: number;
  /** WebSockets of one server. The files that the process may open bound them as well. */
  maxConnections: number;
  /** WebSockets of one IP address (IPv6: of one /64) under the limits of production. */
  maxConnectionsPerIp: number;
  /**
   * The part of the memory that the process may have (of its control group, or else of the machine) at which it sheds load. What
   * is counted is held in larger pieces, and garbage comes on top: the rest is for that.
   */
  maxMemoryShare: number;
}

/** What a server of ours has; nothing that users set changes it. */
export const guards: Readonly<Guards> = {
  maxHeaders: 100,
  maxHeaderBytes: 16 * 1024,
  onlyHttp11: true,
  oneHost: true,
  onlyVersion13: true,
  noUpgradeBody: true,
  closeOnRefusal: true,
  authTimeoutMs: 5000,
  minimalLengths: true,
  maxInflatedBytes: 1024 ** 2,
  maxDeflating: 32,
  maxMessageBytes: 64 * 1024,
  maxFragments: 128,
  maxBufferedChunks: 4096,
  maxPendingAutoPongs: 16,
  maxControlFramesPerSecond: 10,
  closeTimeoutMs: 3000,
  headersTimeoutMs: 8000,
  requestTimeoutMs: 10_000,
  maxBytesBeforeAuth: 10 * 1024,
  maxDepth: 32,
  maxInvalidInRow: 5,
  maxForbidden: 3,
  pauseAboveBytes: 256 * 1024,
  slowConsumerMs: 4000,
  maxBufferedBytes: 1024 ** 2,
  limitDecisionMs: 50,
  unfinishedMs: 10_000,
  maxUnfinishedBytes: 128 * 1024 ** 2,
  maxPendingPerAgent: 1000,
  maxTurnMs: 10,
  maxLogLines: 100,
  maxConnections: 50_000,
  maxConnectionsPerIp: 1000,
  maxMemoryShare: 0.5,
};
