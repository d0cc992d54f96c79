// Instances that are restarted one after the other, or killed at any moment, under clients that come back: nothing that was
// acknowledged is lost, nothing happens twice, and nobody is away for long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../fixtures/seeded.ts';
import { assertGaps, underLoad } from '../fixtures/under-load.ts';
import { skipRedis } from '../reference-server/redis-server.ts';
import { isLong } from '../require.ts';

const timeout = isLong ? 900_000 : 150_000;
const rounds = isLong ? 20 : 3;
const kills = isLong ? 50 : 3;

/** The goal: clients are away for no longer than this in 99 of 100 cases. */
const mostGapMs = 2000;

test(`LC-05 three instances restarted one by one, ${rounds} times, under 300 messages a second`, {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const load = { instances: 3, publishPerSecond: 300, subscribers: 60, idle: isLong ? 540 : 120 };
  // Two thirds of all clients leave at each restart. They, the instances, Redis and a balancer share a few cores here.
  const windowMs = isLong ? 1000 : 600;
  const flags = ['--drain-window', `${windowMs}ms`];
  const outcome = await underLoad(t, { ...load, flags, reconnect: {} }, async (instances) => {
    for (let each = 0; each < rounds * instances.count; each++) {
      const { code, stderr } = await instances.restart(each % instances.count, 'SIGTERM');
      assert.equal(code, 0, stderr);
      // The next one goes when the clients of this one are where they belong.
      await sleep(windowMs);
    }
    return `${rounds} rolling restarts of ${instances.count}`;
  });
  // Whoever drains says so, and nobody is cut off.
  assert.deepEqual(Object.keys(outcome.codes), ['1001']);
  // A drain waits 2 s for what is under way; what is cut off then may come behind what was sent later.
  if (outcome.slowestEndMs < 2000) assert.equal(outcome.overtaken, 0);
  assertGaps(outcome, mostGapMs);
});

test(`LC-04 kill -9 of any instance, ${kills} times, and a start on the same port, under 500 messages a second`, {
  timeout,
  skip: skipRedis,
}, async (t) => {
  // A back-off that stays below what clients may be away: here connections live for seconds, and the default grows to 30 s.
  const reconnect = { maxMs: 1000 };
  const load = { instances: 3, publishPerSecond: 500, subscribers: 60, idle: 120, reconnect };
  const chance = seeded(9);
  const outcome = await underLoad(t, load, async (instances) => {
    for (let kill = 0; kill < kills; kill++) {
      // At any time since the last one listens: clients may be coming back still.
      await sleep(2000 * chance());
      await instances.restart(Math.floor(chance() * instances.count), 'SIGKILL');
    }
    return `${kills} kills`;
  });
  assert.deepEqual(Object.keys(outcome.codes), ['1006']);
  assertGaps(outcome, mostGapMs);
});
