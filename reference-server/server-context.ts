// What handlers and plugins share of one server.
import type { Bus } from './bus/bus.ts';
import type { Connection } from './connection.ts';
import type { Identity } from './identity.ts';
import type { Metrics } from './metrics.ts';
import type { ResolvedOptions } from './options.ts';

/** A token's bearer, or why it is refused. */
export type Authenticated = { ok: true; identity: Identity } | { ok: false; message: string };

export interface ServerContext {
  options: ResolvedOptions;
  bus: Bus;
  metrics: Metrics;
  authenticate(token: string): Promise<Authenticated>;
  /** Makes the connection speak for `identity`, from now until its token expires. Throws a Refusal where that is not possible. */
  identify(connection: Connection, identity: Identity): void;
}
