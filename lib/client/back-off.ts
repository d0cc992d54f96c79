// How long to wait before the next attempt. Pure: chance is an argument, from 0 (included) to 1 (excluded).

/** A span of time in which to come back. */
export interface Window {
  minMs: number;
  maxMs: number;
}

/** For a server that says "come back" and not when. */
export const defaultWindow: Window = { minMs: 100, maxMs: 2000 };

/** Full jitter: anything from nothing to `minMs · 2^step`, of which `maxMs` is the most. */
export function fullJitterMs(step: number, { minMs, maxMs }: Window, chance: number): number {
  return chance * Math.min(maxMs, minMs * 2 ** Math.min(step, 60));
}

/** Anywhere in the window, as far as it is believed: `capMs` at most. A window in no time gets some jitter all the same. */
export function withinMs({ minMs, maxMs }: Window, capMs: number, chance: number): number {
  const from = Math.min(sane(minMs), capMs);
  const to = Math.min(Math.max(sane(maxMs), from), capMs);
  return from + chance * Math.max(to - from, jitterMs(from, to));
}

/** What the server asked for, `capMs` at most, and up to half of it (at least a second) later: others were told the same. */
export function afterMs(retryAfterMs: number, capMs: number, chance: number): number {
  const delayMs = Math.min(sane(retryAfterMs), capMs);
  return delayMs + chance * Math.max(1000, delayMs / 2);
}

function jitterMs(from: number, to: number): number {
  return to > from ? 0 : from / 10;
}

function sane(ms: number): number {
  return Number.isFinite(ms) ? Math.max(0, ms) : Number.MAX_SAFE_INTEGER;
}
