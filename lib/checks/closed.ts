// How a connection of a check ended, as data and in words.
import { describeClose } from '../cause/close-code.ts';

/** How a connection ended. 1006: without a close frame. 1005: the close frame had no code. */
export interface Closed {
  code: number;
  reason: string;
  atMs: number;
  /** Why we ended it: what the peer did that it must not, in words. */
  fault?: string;
}

/** An end in words: `close code 1011 (oops)`, or what the peer did to deserve it. */
export function describeClosed({ code, reason = '', fault }: Pick<Closed, 'code'> & Partial<Closed>): string {
  return fault ?? describeClose(code, reason);
}
