// What handlers and plugins share of one server.
import type { Bus } from './bus/bus.ts';
import type { Connection } from './connection.ts';
import type { Guards } from './guards.ts';
import type { Identity } from './identity.ts';
import type { Metrics } from './metrics.ts';
import type { ResolvedOptions } from './options.ts';
import type { Turns } from './turns.ts';

/** What is wrong with a token, for machines; `AUTH_UNAVAILABLE`: nobody can say, because keys or revocations could not be fetched. */
export type TokenRefusal = 'TOKEN_INVALID' | 'TOKEN_EXPIRED' | 'TOKEN_REVOKED' | 'AUTH_UNAVAILABLE';

/** A token's bearer, or why it is refused. */
export type Authenticated =
  | { ok: true; identity: Identity }
  | { ok: false; reason: TokenRefusal; message: string; retryAfterMs?: number };

export interface ServerContext {
  options: ResolvedOptions;
  guards: Guards;
  bus: Bus;
  metrics: Metrics;
  /** Where the large messages of all connections wait for their turn. */
  turns: Turns;
  authenticate(token: string): Promise<Authenticated>;
  /** Makes the connection speak for `identity`, under whose key it is counted already, from now until its token expires. */
  speakFor(connection: Connection, identity: Identity): void;
  /** As {@link ServerContext.speakFor}, once there is room among the connections of its `sub`. Rejects with a Refusal where there is none. */
  identify(connection: Connection, identity: Identity): Promise<void>;
}
