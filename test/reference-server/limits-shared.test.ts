// Limits in memory and over a real Redis keep the same contract.
import { after, before, describe } from 'node:test';
import { RedisBus } from '../../reference-server/bus/redis.ts';
import { redisSettings } from '../../reference-server/bus/redis-settings.ts';
import { systemClock } from '../../reference-server/clock.ts';
import { MemoryLimits } from '../../reference-server/limits/memory.ts';
import type { Limits } from '../../reference-server/limits/presets.ts';
import { limitsContract } from './limits-contract.ts';
import { type RedisServer, skipRedis, startRedis } from './redis-server.ts';

limitsContract('memory', async () => {
  let only: MemoryLimits | undefined;
  return {
    join: async (limits: Limits) => {
      only ??= new MemoryLimits(limits, systemClock);
      return only;
    },
    end: async () => only?.close(),
  };
});

describe('over Redis', { skip: skipRedis }, () => {
  let redis: RedisServer;
  let worlds = 0;
  before(async () => {
    redis = await startRedis({ after: () => {} });
  });
  after(() => redis.stop());
  limitsContract('Redis', async () => {
    worlds += 1;
    const settings = redisSettings({ url: redis.url, prefix: `limits-${worlds}` });
    const joined: RedisBus[] = [];
    return {
      join: async (limits: Limits) => {
        const bus = new RedisBus({
          ...{ settings, clock: systemClock },
          // The contract is about what they say together: on a busy machine an answer may take more than a decision may wait for.
          limits: { limits, decisionMs: 450, decidedAlone: () => {}, changed: () => {} },
        });
        joined.push(bus);
        await bus.start(3000);
        return bus.limits;
      },
      end: async () => {
        for (const bus of joined) await bus.close();
      },
    };
  });
});
