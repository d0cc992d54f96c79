// When a client that lost its connection tries again. Pure: the clock and chance are the caller's.

import type { ReconnectPolicy } from '../../scenario/reconnect.ts';

export type { ReconnectPolicy } from '../../scenario/reconnect.ts';

/** Bounds of the exponential backoff: the first wait is at most the one, no wait is longer than the other. */
export const backoff = { firstMs: 500, mostMs: 30_000 } as const;
/** A connection that lived so long ends the backoff: the next loss begins anew. */
export const stableUs = 30e6;
/** The longest Retry-After that a client waits for. */
const mostRetryAfterMs = 60_000;

/** When the server asked a client to come back; times on the clock of the run. */
export interface ReturnWindow {
  fromUs: number;
  /** Infinity: it said no more than `not before`. */
  toUs: number;
}

/** The most that is waited after so many waits in a row, in ms: 500, 1000, 2000 … 30000. */
export function backoffCapMs(step: number): number {
  return Math.min(backoff.mostMs, backoff.firstMs * 2 ** Math.min(step, 16));
}

/**
 * When the next attempt is due.
 *
 * With `jitter`: anywhere within what is left of the window that the server gave, all moments alike; where it gave none, or only a beginning,
 * full jitter over the backoff (from that beginning on). With `immediate`: now.
 *
 * @param step waits in a row that came from the backoff
 * @param random evenly from [0, 1)
 */
export function nextAttemptUs(
  policy: ReconnectPolicy,
  atUs: number,
  step: number,
  window: ReturnWindow | undefined,
  random: number,
): number {
  if (policy === 'immediate') return atUs;
  const jitterUs = random * backoffCapMs(step) * 1000;
  if (!window) return atUs + jitterUs;
  const { fromUs, toUs } = window;
  if (toUs === Number.POSITIVE_INFINITY) return Math.max(atUs, fromUs) + jitterUs;
  // What is over of the window is no part of the draw: whoever hears of the end late would go at once, and so all would.
  const firstUs = Math.max(atUs, fromUs);
  return toUs > firstUs ? firstUs + random * (toUs - firstUs) : firstUs;
}

/** What a Retry-After asks for, as a window; its length is bounded, as no client waits for ever. */
export function retryWindow(atUs: number, retryAfterMs: number): ReturnWindow {
  return { fromUs: atUs + Math.min(retryAfterMs, mostRetryAfterMs) * 1000, toUs: Number.POSITIVE_INFINITY };
}
