// The bus that the options ask for, and the limits that go with it: in memory, or over Redis, whose client is loaded only then.
import { WsbenchError } from '../../lib/errors.ts';
import type { Guards } from '../guards.ts';
import { MemoryLimits } from '../limits/memory.ts';
import type { SharedLimits } from '../limits/shared.ts';
import type { Metrics } from '../metrics.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Bus } from './bus.ts';
import { MemoryBackend, MemoryBus } from './memory.ts';

/** How long a start waits for Redis where it is required: it may be starting itself. */
const requiredWaitMs = 5000;

/** Where it is optional: long enough for one that is there. */
const optionalWaitMs = 1000;

const tellErrorsEveryMs = 10_000;

/** What instances share. */
export interface Shared {
  bus: Bus;
  limits: SharedLimits;
}

/**
 * Opens the bus and the limits.
 *
 * @throws WsbenchError `SERVER_START` when Redis is required and not there
 */
export async function openBus(
  options: ResolvedOptions,
  metrics: Metrics,
  { limitDecisionMs }: Guards,
): Promise<Shared> {
  const { clock, redis, log } = options;
  const rememberRevocationMs = options.maxTokenLifetimeS * 1000;
  if (!redis) {
    const bus = new MemoryBus(new MemoryBackend(clock, { rememberRevocationMs }));
    return { bus, limits: new MemoryLimits(options.limits, clock) };
  }
  const [{ RedisBus }, { dropReasons }, { redisErrorOf, redisErrors }] = await Promise.all([
    import('./redis.ts'),
    import('./redis-wire.ts'),
    import('./redis-error.ts'),
  ]);
  const { settings, required } = redis;
  metrics.counter('wsbench_bus_dropped_total', 'Messages on bus channels that no instance sent, by reason.');
  for (const reason of dropReasons) metrics.add('wsbench_bus_dropped_total', { reason }, 0);
  metrics.counter('wsbench_bus_outages_total', 'Times that Redis went away or fell silent.');
  metrics.add('wsbench_bus_outages_total', {}, 0);
  metrics.counter('wsbench_limits_alone_total', 'Decisions on limits made without the other instances.');
  metrics.add('wsbench_limits_alone_total', {}, 0);
  metrics.counter('wsbench_bus_errors_total', 'Calls that Redis answered with an error, by its kind.');
  for (const error of redisErrors) metrics.add('wsbench_bus_errors_total', { error }, 0);
  const toldAtMs = new Map<string, number>();
  let wasUp = false;
  let told = '';
  const bus = new RedisBus({
    ...{ settings, clock },
    answersAlone: !required,
    bounds: { rememberRevocationMs },
    limits: {
      limits: options.limits,
      decisionMs: limitDecisionMs,
      decidedAlone: () => metrics.add('wsbench_limits_alone_total'),
      changed: (isAlone) =>
        log(
          isAlone
            ? {
                level: 'warn',
                message: 'limits: Redis does not answer in time, this instance keeps its share',
              }
            : { level: 'info', message: 'limits: kept together with the other instances again' },
        ),
    },
    dropped: (reason) => metrics.add('wsbench_bus_dropped_total', { reason }),
    refused: (message) => {
      const error = redisErrorOf(message);
      metrics.add('wsbench_bus_errors_total', { error });
      const nowMs = clock.nowMs();
      // Every message of every client may meet with it: one of a kind is enough for a while.
      if (nowMs - (toldAtMs.get(error) ?? Number.NEGATIVE_INFINITY) < tellErrorsEveryMs) return;
      toldAtMs.set(error, nowMs);
      log({ level: 'error', message: `Redis refuses: ${settings.name}: ${message}` });
    },
    changed: (isUp, why) => {
      if (wasUp && !isUp) metrics.add('wsbench_bus_outages_total');
      wasUp = isUp;
      const message = isUp ? `Redis is up: ${settings.name}` : `Redis is down: ${settings.name}: ${why}`;
      // Every try to connect says why it failed; once is enough.
      if (message === told) return;
      told = message;
      log({ level: isUp ? 'info' : 'warn', message });
    },
  });
  metrics.gauge('wsbench_bus_up', '1 while Redis can be reached, else 0.', () =>
    bus.state === 'up' ? 1 : 0,
  );
  await bus.start(required ? requiredWaitMs : optionalWaitMs);
  if (required && bus.state !== 'up') {
    const { why } = bus;
    await bus.close();
    throw new WsbenchError(
      'SERVER_START',
      `cannot reach Redis at ${settings.name}: ${why}; start without it by --redis optional`,
    );
  }
  return { bus, limits: bus.limits };
}
