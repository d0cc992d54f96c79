// The bus over a real Redis keeps the same contract as the one in memory.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { Redis } from 'ioredis';
import type { Bus } from '../../reference-server/bus/bus.ts';
import { RedisBus } from '../../reference-server/bus/redis.ts';
import { redisSettings } from '../../reference-server/bus/redis-settings.ts';
import { type BusWorld, busContract } from './bus-contract.ts';
import { FakeClock } from './fake-clock.ts';
import { type RedisServer, skipRedis, startRedis } from './redis-server.ts';

/** Instances of one prefix on a Redis that all tests share. */
function world(server: () => RedisServer, count: () => number): () => Promise<BusWorld> {
  return async () => {
    const clock = new FakeClock();
    const { url, caFile } = server();
    const settings = redisSettings({
      url,
      prefix: `contract-${count()}`,
      ...(url.startsWith('rediss') ? { caFile } : {}),
    });
    const dropped: string[] = [];
    const joined: Bus[] = [];
    const meddler = new Redis({
      port: settings.port,
      host: settings.host,
      ...(settings.tls ? { tls: { ca: settings.tls.ca } } : {}),
    });
    return {
      join: async () => {
        const bus = new RedisBus({ settings, clock, dropped: (why) => dropped.push(why) });
        joined.push(bus);
        await bus.start(3000);
        assert.equal(bus.state, 'up', bus.why);
        return bus;
      },
      // Redis's clock cannot be moved, but what is to expire can be brought nearer.
      advance: async (ms) => {
        clock.advance(ms);
        for (const key of await meddler.keys(`${settings.prefix}:*`)) {
          const leftMs = await meddler.pttl(key);
          if (leftMs < 0) continue;
          if (leftMs > ms) await meddler.pexpire(key, leftMs - ms);
          else await meddler.del(key);
        }
      },
      end: async () => {
        for (const bus of joined) await bus.close();
        assert.equal(clock.pending, 0, 'timers are left');
        const left = await meddler.keys(`${settings.prefix}:*`);
        assert.deepEqual(
          left.filter((key) => /:(held|agents|instances)/.test(key)),
          [],
          'left in Redis',
        );
        for (const key of left) assert.notEqual(await meddler.pttl(key), -1, `${key} stays for ever`);
        meddler.disconnect();
        assert.deepEqual(dropped, []);
      },
    };
  };
}

for (const tls of [false, true]) {
  describe(tls ? 'over TLS' : 'plain', { skip: skipRedis }, () => {
    let redis: RedisServer;
    let worlds = 0;
    before(async () => {
      redis = await startRedis({ after: () => {} }, { tls });
    });
    after(() => redis.stop());
    busContract(
      tls ? 'Redis over TLS' : 'Redis',
      world(
        () => redis,
        () => ++worlds,
      ),
    );
  });
}
