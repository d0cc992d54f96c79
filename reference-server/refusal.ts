// A message that a handler refuses, and how the connection goes on.
import type { ErrorCode } from './messages.ts';

/** Thrown by handlers: becomes one ERROR, and closes the connection if `close` is given. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly close: { code: number; reason: string } | undefined;
  /** When the same may be tried again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    close?: { code: number; reason: string },
    retryAfterMs?: number,
  ) {
    super(message);
    this.code = code;
    this.close = close;
    this.retryAfterMs = retryAfterMs;
  }
}
