// Buses on a Redis of a test's own.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisBus, type RedisBusOptions } from '../../reference-server/bus/redis.ts';
import { redisSettings } from '../../reference-server/bus/redis-settings.ts';
import { systemClock } from '../../reference-server/clock.ts';
import type { RedisServer } from './redis-server.ts';

/** Joins an instance and waits until it is up. */
export async function joinRedis(
  t: Pick<TestContext, 'after'>,
  redis: RedisServer,
  options: Partial<RedisBusOptions> = {},
): Promise<RedisBus> {
  const caFile = redis.url.startsWith('rediss') ? { caFile: redis.caFile } : {};
  const bus = new RedisBus({
    settings: redisSettings({ url: redis.url, ...caFile }),
    clock: systemClock,
    ...options,
  });
  t.after(() => bus.close());
  await bus.start(3000);
  if (bus.state !== 'up') throw new Error(`not up: ${bus.why}`);
  return bus;
}

/** A plain client, to look at what is in Redis or to meddle with it. */
export function meddler(t: Pick<TestContext, 'after'>, redis: RedisServer): Redis {
  const client = new Redis(redis.url, { tls: undefined as never });
  client.on('error', () => {});
  t.after(() => client.disconnect());
  return client;
}

/** Waits until it holds. */
export async function eventually(holds: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!holds()) {
    assert.ok(performance.now() < untilMs, `never: ${what}`);
    await sleep(5);
  }
}
