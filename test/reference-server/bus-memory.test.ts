import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bus } from '../../reference-server/bus/bus.ts';
import { MemoryBackend, MemoryBus } from '../../reference-server/bus/memory.ts';
import { busContract } from './bus-contract.ts';
import { FakeClock } from './fake-clock.ts';

busContract('memory', async () => {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const joined: Bus[] = [];
  return {
    join: async () => {
      const bus = new MemoryBus(backend);
      joined.push(bus);
      return bus;
    },
    advance: async (ms) => clock.advance(ms),
    end: async () => {
      for (const bus of joined) await bus.close();
      assert.equal(clock.pending, 0, 'timers are left');
      assert.equal(backend.agents.size + backend.watchers.size + backend.waiting.size, 0);
      assert.equal(backend.revocationWatchers.size, 0);
      for (const log of backend.channels.values()) assert.equal(log.subscribers.size, 0);
    },
  };
});

test('channels, their logs and remembered answers are bounded', async () => {
  const backend = new MemoryBackend(new FakeClock(), { maxBytes: 1000, maxChannels: 10, maxRemembered: 10 });
  const bus = new MemoryBus(backend);
  await bus.subscribe('t', 'kept', () => {});
  const { epoch } = await bus.publish('t', 'big', 'x'.repeat(400));
  for (let n = 0; n < 3; n++) await bus.publish('t', 'big', 'x'.repeat(400));
  assert.equal((await bus.subscribe('t', 'big', () => {}, { epoch, offset: 2 })).recovered, true);
  assert.equal((await bus.subscribe('t', 'big', () => {}, { epoch, offset: 1 })).recovered, false);
  for (let n = 0; n < 100; n++) {
    await bus.publish('t', `c${n}`, n);
    await bus.once(`k${n}`, async () => n);
  }
  assert.equal(backend.channels.size, 10);
  assert.equal(backend.answers.size, 10);
  assert.equal((await bus.publish('t', 'kept', 1)).receivers, 1);
});

test('a channel that was forgotten comes back with another epoch', async () => {
  const bus = new MemoryBus(new MemoryBackend(new FakeClock(), { maxChannels: 1 }));
  const { epoch } = await bus.publish('t', 'a', 1);
  await bus.publish('t', 'b', 1);
  const back = await bus.subscribe('t', 'a', () => {}, { epoch, offset: 1 });
  assert.notEqual(back.epoch, epoch);
  assert.equal(back.recovered, false);
});

test('a revocation outlives every token that it revokes', async () => {
  const clock = new FakeClock();
  const bus = new MemoryBus(new MemoryBackend(clock, { rememberRevocationMs: 7 * 86_400_000 }));
  await bus.revoke('alice');
  clock.advance(7 * 86_400_000 - 1);
  await bus.revoke('bob');
  assert.notEqual(await bus.revokedAtMs('alice'), undefined);
  clock.advance(1);
  await bus.revoke('carol');
  assert.equal(await bus.revokedAtMs('alice'), undefined);
  await bus.close();
});
