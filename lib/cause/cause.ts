// Why a connection did not open, or broke: the same kinds for stress and quick.

/**
 * Every kind of failure.
 *
 * - `refused`, `dns`, `network`, `tls`: there is no connection to the host.
 * - `timeout`: something did not answer in time; `reset`: it hung up.
 * - `http`: an HTTP answer other than 101. `accept-key`, `subprotocol`, `extension`: a 101 that is wrong in this.
 *   `handshake`: an answer that is no WebSocket handshake for another reason, or no HTTP at all.
 * - `resources`: this process or machine has no more files or ports.
 * - `protocol`: the connection was open, and the target broke the protocol.
 * - `join`: the connection was open, and did not become ready: its token or its join was refused, or not answered.
 */
export type FailureKind =
  | 'refused'
  | 'dns'
  | 'tls'
  | 'http'
  | 'timeout'
  | 'reset'
  | 'accept-key'
  | 'subprotocol'
  | 'extension'
  | 'handshake'
  | 'network'
  | 'resources'
  | 'protocol'
  | 'join';

/** How far a connect has come: `upgrade` means that TCP, and TLS if there is any, are there. */
export type Stage = 'dns' | 'tcp' | 'tls' | 'upgrade';

/** A failure: its kind, and what was seen in one line. */
export interface Cause {
  kind: FailureKind;
  detail: string;
  /** An HTTP answer that says when to come back: its Retry-After, in ms. */
  retryAfterMs?: number;
}
