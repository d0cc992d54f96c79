// Why a connection could not be opened, as data and in words.
import { messageOf } from '../errors.ts';

export type FailureKind =
  | 'dns'
  | 'refused'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'silent'
  | 'reset'
  | 'http'
  | 'handshake'
  | 'join'
  | 'aborted';

/** A connection that was never open, or was not let in: the steps after the handshake came to no good end. */
export interface ConnectFailure {
  kind: FailureKind;
  /** True when TCP (and TLS) connected: something is there, it only did not open a WebSocket. */
  reached: boolean;
  message: string;
  /** Of an HTTP refusal only. */
  status?: number;
  headers?: Record<string, string>;
  /** First KiB of the body. */
  body?: string;
  /** Of a join only: the target said no, closed the connection, or said nothing that was waited for. */
  join?: 'refused' | 'closed' | 'silent';
  /** Of a join that was closed: the code. */
  closeCode?: number;
}

/** Thrown when a connection that a check stands on cannot be opened. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly failure: ConnectFailure;

  constructor(failure: ConnectFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

const byCode: Record<string, FailureKind> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EPROTO: 'tls',
};
const tlsCode =
  /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/;

/** The certificate is what is wrong, not the handshake. */
const untrusted = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/;

const words: Partial<Record<FailureKind, string>> = {
  dns: 'the host name could not be resolved',
  refused: 'connection refused; is the server running, and is this its port?',
  unreachable: 'no route to the host',
  timeout: 'no TCP connection in time',
  reset: 'the peer closed the connection without an HTTP answer',
};

/** Sorts an error of a socket or of the handshake into the kinds above. */
export function failureOf(error: unknown, reached: boolean): ConnectFailure {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  const text = messageOf(error);
  const known =
    byCode[code] ?? (tlsCode.test(code) ? 'tls' : text === 'socket hang up' ? 'reset' : undefined);
  const kind =
    reached && known !== 'reset' ? 'handshake' : (known ?? (reached ? 'handshake' : 'unreachable'));
  if (kind === 'tls' && untrusted.test(code)) {
    return { kind, reached, message: `tls: ${text}; trust it by --cacert FILE, or use --insecure` };
  }
  if (text === 'Server sent no subprotocol') {
    const message =
      'none of the offered subprotocols was selected: name one that the server knows, --subprotocol';
    return { kind, reached, message };
  }
  const said = words[kind];
  return { kind, reached, message: said ? `${said} (${code || text})` : `${kind}: ${text}` };
}

const advice: Record<number, string> = {
  401: 'a token is missing or was refused: --token',
  403: 'the token lacks a role, or the Origin is not allowed',
  404: 'no such path: check the URL',
  426: 'another WebSocket version or protocol is wanted',
  429: 'too many connections for its limits: wait, or raise them',
  502: 'the proxy has no server behind it',
  503: 'the server is overloaded or going down',
};

/** An HTTP answer in words, with what to do about it. */
export function describeStatus(status: number): string {
  const what =
    advice[status] ??
    (status >= 300 && status < 400
      ? 'a redirect: use the URL it leads to'
      : status < 300
        ? 'this URL answers plain HTTP, not WebSocket: check the path'
        : 'the server refused');
  return `HTTP ${status} (${what})`;
}

/** A failure as one phrase for a report. */
export function describeFailure(failure: ConnectFailure): string {
  return failure.status === undefined ? failure.message : describeStatus(failure.status);
}
