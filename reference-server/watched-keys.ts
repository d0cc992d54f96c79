// Published keys over the life of a server: fetched in time, and their withdrawal felt by whoever came in by them.
import type { FastifyInstance } from 'fastify';
import { type FetchOutcome, KeySet } from '../lib/token.ts';
import { closes } from './close-codes.ts';
import type { Connection } from './connection.ts';
import type { ResolvedOptions } from './options.ts';

/** How often keys are asked for while connections count on them, and after they could not be fetched. */
const watchMs = 30_000;

/**
 * The keys at a URL. While connections are open by them they are fetched every 30 s: a key that was withdrawn must not keep its
 * connections. Outages are logged once, when they begin and when they end.
 */
export function watchedKeys(
  app: FastifyInstance,
  url: URL,
  { clock, jwksFetch, log }: Pick<ResolvedOptions, 'clock' | 'jwksFetch' | 'log'>,
): KeySet {
  const keys = new KeySet(url, { ...jwksFetch, nowMs: () => clock.nowMs(), onFetch });
  let wasOk = true;
  let stop = (): void => {};

  function onFetch(outcome: FetchOutcome): void {
    if (outcome.ok !== wasOk) {
      const message = outcome.ok
        ? 'the signing keys are there again'
        : `the signing keys could not be fetched: ${outcome.why}`;
      log({ level: outcome.ok ? 'info' : 'warn', message });
    }
    wasOk = outcome.ok;
    if (outcome.ok) closeWithdrawn();
  }

  function* watched(): Generator<[Connection, string]> {
    for (const connection of app.connections.open) {
      const keyId = connection.identity?.keyId;
      if (keyId !== undefined) yield [connection, keyId];
    }
  }

  function closeWithdrawn(): void {
    for (const [connection, keyId] of watched()) {
      if (!keys.publishes(keyId)) connection.close(closes.tokenRevoked);
    }
  }

  function watch(): void {
    if (!wasOk || !watched().next().done) void keys.refresh();
    stop = clock.schedule(Math.min(keys.maxAgeMs, watchMs), watch);
  }

  app.addHook('onListen', async () => watch());
  app.addHook('preClose', async () => {
    stop();
  });
  return keys;
}
