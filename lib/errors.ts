// What we or the user did wrong is an exception with a code; what a peer does is a value elsewhere.

/**
 * Every kind of mistake that wsbench reports by throwing. A closed union, so that a switch over it is complete.
 *
 * - `USAGE`: a flag, URL, threshold or file that the user gave is wrong.
 * - `CONFIG`: a scenario, target description or server configuration is invalid.
 * - `REPORT_WRITE`: a report could not be written.
 * - `SERVER_START`: the reference server could not start (port taken, forbidden).
 * - `RESOURCES`: this process or machine has too few files or ports for the run, which did not begin.
 * - `INTERNAL`: a bug in wsbench.
 */
export type ErrorCode = 'USAGE' | 'CONFIG' | 'REPORT_WRITE' | 'SERVER_START' | 'RESOURCES' | 'INTERNAL';

/** An error whose message is one line for a person: what is wrong, where, and what to do. */
export class WsbenchError extends Error {
  override readonly name = 'WsbenchError';
  readonly code: ErrorCode;
  /** Lines that show the place: shown below the message, as they are. */
  readonly excerpt: string | undefined;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; excerpt?: string }) {
    super(message, options);
    this.code = code;
    this.excerpt = options?.excerpt;
  }
}

/** Throws `INTERNAL` unless the condition holds: an invariant of ours was broken. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new WsbenchError('INTERNAL', message);
}

/** The text of anything thrown, never empty. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0) {
    return messageOf(error.errors[0]);
  }
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
