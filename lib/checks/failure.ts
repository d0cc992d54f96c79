// A connection that a check stands on and that could not be opened, as data and in words.
import type { Cause, Stage } from '../cause/cause.ts';
import { describeCause } from '../cause/describe-cause.ts';
import { type HttpAnswer, httpDetail } from '../cause/http-answer.ts';

/** A connection that was never open, or was not let in: the steps after the handshake came to no good end. `aborted`: the check was stopped. */
export interface ConnectFailure {
  kind: Cause['kind'] | 'aborted';
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

/** The failure of a connect that had come to `stage`. */
export function failureOf(cause: Cause, stage: Stage): ConnectFailure {
  // Something is there as soon as TCP is; without TLS, though, nothing can be asked of it.
  return { kind: cause.kind, reached: stage === 'upgrade', message: describeCause(cause) };
}

/** An HTTP answer other than 101. */
export function refusalOf(answer: HttpAnswer): ConnectFailure {
  const { status, headers, body } = answer;
  const message = describeCause({ kind: 'http', detail: httpDetail(answer) });
  return { kind: 'http', reached: true, message, status, headers, body };
}

/** A failure as one phrase for a report. */
export function describeFailure({ message }: ConnectFailure): string {
  return message;
}
