// Published keys over the life of a server: fetched in time, and their withdrawal felt by whoever came in by them.
import type { FastifyInstance } from 'fastify';
import { type FetchOutcome, KeySet } from '../lib/token.ts';
import { closes } from './close-codes.ts';
import type { ResolvedOptions } from './options.ts';

/** How soon keys are asked for again, by nobody in particular, after they could not be fetched. */
const retryMs = 30_000;

/**
 * The keys at a URL. While the server listens they are fetched anew when they are too old, also when nobody connects: a key that
 * was withdrawn must not keep its connections. Outages are logged once, when they begin and when they end.
 */
export function watchedKeys(
  app: FastifyInstance,
  url: URL,
  { clock, jwksFetch, log }: Pick<ResolvedOptions, 'clock' | 'jwksFetch' | 'log'>,
): KeySet {
  const keys = new KeySet(url, { ...jwksFetch, nowMs: () => clock.nowMs(), onFetch });
  let wasOk = true;
  let isListening = false;
  let stop = (): void => {};

  function onFetch(outcome: FetchOutcome): void {
    if (outcome.ok !== wasOk) {
      const message = outcome.ok
        ? 'the signing keys are there again'
        : `the signing keys could not be fetched: ${outcome.why}`;
      log({ level: outcome.ok ? 'info' : 'warn', message });
    }
    wasOk = outcome.ok;
    fetchLater(outcome.ok ? keys.maxAgeMs : Math.min(keys.maxAgeMs, retryMs));
    if (outcome.ok && outcome.withdrawn.length > 0) closeAll(outcome.withdrawn);
  }

  function closeAll(withdrawn: readonly string[]): void {
    for (const connection of app.connections.open) {
      const keyId = connection.identity?.keyId;
      if (keyId !== undefined && withdrawn.includes(keyId)) connection.close(closes.tokenRevoked);
    }
  }

  function fetchLater(afterMs: number): void {
    stop();
    if (isListening) stop = clock.schedule(afterMs, () => void keys.refresh());
  }

  app.addHook('onListen', async () => {
    isListening = true;
    fetchLater(keys.maxAgeMs);
  });
  app.addHook('preClose', async () => {
    isListening = false;
    stop();
  });
  return keys;
}
