// Close frames: codes, and reasons that fit. RFC 6455 §5.5.1, §7.4

import { isUtf8 } from 'node:buffer';
import { type Violation, violation } from './rules.ts';

/**
 * Which close codes count as legal on the wire.
 *
 * - `registry`: those of today's IANA registry (1000–1003, 1007–1014) and 3000–4999.
 * - `autobahn`: what Autobahn|Testsuite takes for legal, which is older: 1012–1014 are not.
 */
export type CloseRegistry = 'registry' | 'autobahn';

/** The code that stands for a close frame without a code; never sent. §7.1.5 */
export const noCode = 1005;
/** The code that stands for a connection that ended without a close frame; never sent. §7.1.5 */
export const noFrame = 1006;

const maxReasonBytes = 123;

/** Whether a close code may stand in a close frame. §7.4.1, §7.4.2 */
export function isSendableCode(code: number, registry: CloseRegistry = 'registry'): boolean {
  if (code >= 3000 && code <= 4999) return true;
  const last = registry === 'registry' ? 1014 : 1011;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= last);
}

/** What a close frame says. */
export interface CloseBody {
  /** {@link noCode} for an empty body. */
  code: number;
  reason: string;
}

/** The body of a close frame that was received, or the rule that it breaks. */
export function readCloseBody(body: Uint8Array, registry: CloseRegistry = 'registry'): CloseBody | Violation {
  if (body.length === 0) return { code: noCode, reason: '' };
  if (body.length === 1) return violation('close-length');
  const code = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
  if (!isSendableCode(code, registry)) return { ...violation('close-code', String(code)), saidCode: code };
  const reason = body.subarray(2);
  if (!isUtf8(reason)) return { ...violation('close-utf8'), saidCode: code };
  // A byte order mark is part of the reason.
  return { code, reason: new TextDecoder('utf-8', { ignoreBOM: true }).decode(reason) };
}

/** The body of a close frame; the reason is cut at a code point so that all of it fits. Any code is written. §5.5 */
export function closeBody(code: number, reason = ''): Buffer {
  const text = Buffer.from(reason);
  const cut = text.subarray(0, endOfCodePoint(text, maxReasonBytes));
  const body = Buffer.allocUnsafe(2 + cut.length);
  body.writeUInt16BE(code, 0);
  cut.copy(body, 2);
  return body;
}

/** The largest length up to `most` that does not cut a code point in two. */
function endOfCodePoint(text: Uint8Array, most: number): number {
  if (text.length <= most) return text.length;
  let end = most;
  while (end > 0 && ((text[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
}
