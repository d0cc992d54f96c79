// What a token's end means for the connection that it opened.
import { Alarm, type Alarms } from './alarms.ts';
import { closes } from './close-codes.ts';
import type { Connection } from './connection.ts';

/** How long before its end a token is announced to expire. */
const warnBeforeMs = 60_000;

/** The verifier's leeway: a token taken within it lives until it is over. */
const toleranceMs = 5000;

/** Announces the end of a connection's token, and closes when it has come. Set from its start. */
export class TokenLifetime extends Alarm {
  readonly #connection: Connection;
  readonly #alarms: Alarms;
  readonly #expiresAtMs: number;
  #isAnnounced = false;

  constructor(connection: Connection, expiresAtMs: number, alarms: Alarms) {
    super();
    this.#connection = connection;
    this.#alarms = alarms;
    this.#expiresAtMs = expiresAtMs;
    const leftMs = expiresAtMs - alarms.clock.epochMs();
    // From here on by the monotonic clock: a wall clock that is set sends nobody away, and lets nobody stay.
    connection.tokenEndsAtMs = alarms.clock.nowMs() + (leftMs > 0 ? leftMs : leftMs + toleranceMs);
    // By an alarm even when it is due: the WELCOME or ACK goes first.
    alarms.set(this, connection.tokenEndsAtMs - warnBeforeMs);
  }

  override ring(): void {
    if (this.#isAnnounced) {
      this.#connection.close(closes.tokenExpired);
      return;
    }
    this.#isAnnounced = true;
    this.#alarms.set(this, this.#connection.tokenEndsAtMs);
    const inMs = Math.max(0, Math.round(this.#expiresAtMs - this.#alarms.clock.epochMs()));
    this.#connection.send('TOKEN_EXPIRING', { inMs });
  }

  stop(): void {
    this.#alarms.cancel(this);
  }
}
