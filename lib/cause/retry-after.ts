// The header Retry-After: seconds or a date. RFC 9110 §10.2.3
import { formatDuration } from '../duration.ts';

/**
 * How long a Retry-After asks to wait, in ms from `nowMs`; undefined when it is neither seconds nor a date.
 *
 * @param nowMs ms since the epoch
 */
export function retryAfterMs(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1000;
  // An HTTP date begins with a day's name; what Date makes of other text is anybody's guess.
  const atMs = /^(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? /i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** A Retry-After as the time to wait: `it asks to wait 7 s`. */
export function describeRetryAfter(value: string, nowMs: number): string {
  const ms = retryAfterMs(value, nowMs);
  if (ms === undefined) return `its Retry-After is neither seconds nor a date: ${JSON.stringify(value)}`;
  if (ms === 0) return 'it asks to try again at once';
  const days = ms / 86_400_000;
  return `it asks to wait ${days >= 2 ? `${Math.round(days)} days` : formatDuration(Math.ceil(ms / 1000) * 1000)}`;
}
