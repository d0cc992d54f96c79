// What a token's end means for the connection that it opened.
import { closes } from './close-codes.ts';
import type { Connection } from './connection.ts';
import type { ResolvedOptions } from './options.ts';

/** How long before its end a token is announced to expire. */
const warnBeforeMs = 60_000;

/** The verifier's leeway: a token taken within it lives until it is over. */
const toleranceMs = 5000;

/** Announces the end of the connection's token, and closes when it has come. A later call replaces an earlier one. */
export function watchExpiry(
  connection: Connection,
  expiresAtMs: number,
  { clock }: ResolvedOptions,
): () => void {
  const leftMs = (): number => {
    const left = expiresAtMs - clock.epochMs();
    return left > 0 ? left : left + toleranceMs;
  };
  const totalMs = leftMs();
  // From here on by the monotonic clock: a wall clock that is set sends nobody away, and lets nobody stay.
  connection.tokenEndsAtMs = clock.nowMs() + totalMs;
  // By a timer even when it is due: the WELCOME or ACK goes first.
  const stopWarning = connection.after(totalMs - warnBeforeMs, () =>
    connection.send('TOKEN_EXPIRING', { inMs: Math.max(0, Math.round(expiresAtMs - clock.epochMs())) }),
  );
  const stopClosing = connection.after(totalMs, () => connection.close(closes.tokenExpired));
  return () => {
    stopWarning();
    stopClosing();
  };
}
