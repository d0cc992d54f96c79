// Handshakes that are refused for now: waited out when the target says how long, and that is soon.
import { setTimeout as sleep } from 'node:timers/promises';
import { retryAfterMs } from '../cause/retry-after.ts';
import { ConnectError } from './failure.ts';

/** Longest Retry-After that is waited for, and how often. */
const atMostMs = 2000;
const atLeastMs = 50;
const retries = 6;

/**
 * Opens something, again after each 429 with a Retry-After of at most 2 s.
 *
 * @param wanted false: the first refusal stands
 * @throws ConnectError of the last attempt
 */
export async function retrying<T>(wanted: boolean, signal: AbortSignal, open: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      const waitMs = error instanceof ConnectError ? waitOf(error) : undefined;
      if (!wanted || waitMs === undefined || attempt > retries) throw error;
      await sleep(waitMs, undefined, { signal });
    }
  }
}

function waitOf({ failure: { status, headers } }: ConnectError): number | undefined {
  const asked = retryAfterMs(headers?.['retry-after'] ?? '', Date.now());
  return status === 429 && asked !== undefined && asked <= atMostMs ? Math.max(atLeastMs, asked) : undefined;
}
