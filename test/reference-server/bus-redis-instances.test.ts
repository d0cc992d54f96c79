// Several instances on one Redis, one of which is cut off, dies or is late: the others, and those who come back, hear the truth.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentPresence, BusMessage, Command, Position } from '../../reference-server/bus/bus.ts';
import { BusUnavailable } from '../../reference-server/bus/unavailable.ts';
import { eventually, joinRedis, meddler } from './redis-buses.ts';
import { cable } from './redis-cable.ts';
import { skipRedis, startRedis } from './redis-server.ts';

const timeout = 60_000;
const bounds = { lifeMs: 1500 };
const link = { deliver: () => true, replaced: () => {} };

test('a subscriber whose instance was cut off gets what it missed, in order and once', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const a = await joinRedis(t, redis);
  const b = await joinRedis(t, way.redis);
  const seen: unknown[] = [];
  const gaps: Position[] = [];
  await b.subscribe(
    't',
    'c',
    ({ data }) => seen.push(data),
    undefined,
    (gap) => gaps.push(gap),
  );
  const revoked: string[] = [];
  await b.watchRevocations((sub) => revoked.push(sub));
  let n = 0;
  const publish = async (count: number): Promise<void> => {
    for (let each = 0; each < count; each++) await a.publish('t', 'c', ++n);
  };
  await publish(10);
  way.cut();
  await publish(50);
  await a.revoke('alice');
  await assert.rejects(b.publish('t', 'c', 'no'), BusUnavailable);
  way.mend();
  await publish(20);
  await eventually(() => seen.length >= 80, 'all');
  await sleep(50);
  assert.deepEqual(
    seen,
    Array.from({ length: 80 }, (_, i) => i + 1),
  );
  assert.equal(gaps.length, 0);
  assert.deepEqual(revoked, ['alice']);
  assert.equal(typeof (await b.revokedAtMs('alice')), 'number');
  // More than the log keeps: what is left of it, after a gap.
  way.cut();
  await publish(400);
  way.mend();
  await eventually(() => seen.at(-1) === n, 'the last');
  assert.equal(gaps.length, 1);
  assert.equal(seen.length, 80 + 256);
  assert.equal(gaps[0]?.offset, n - 256);
});

test('messages that come while one subscribes are neither lost nor handed over twice', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const buses = [await joinRedis(t, redis), await joinRedis(t, redis), await joinRedis(t, redis)] as const;
  const [a, b, c] = buses;
  const { epoch } = await a.publish('t', 'c', 0);
  let running = true;
  const publishing = (async () => {
    while (running) await a.publish('t', 'c', 'x');
  })();
  const done: Promise<void>[] = [];
  for (let round = 0; round < 40; round++) {
    const bus = round % 2 ? b : c;
    const since = round % 4 < 2 ? { epoch, offset: 0 } : undefined;
    const heard: BusMessage[] = [];
    const subscription = await bus.subscribe('t', 'c', (message) => heard.push(message), since);
    done.push(
      (async () => {
        await eventually(() => heard.length >= 20, 'messages');
        await subscription.unsubscribe();
        const offsets = [...(since && subscription.recovered ? subscription.missed : []), ...heard];
        const first = since && subscription.recovered ? 1 : subscription.offset + 1;
        assert.deepEqual(
          offsets.map(({ offset }) => offset),
          offsets.map((_, index) => first + index),
        );
      })(),
    );
  }
  await Promise.all(done);
  running = false;
  await publishing;
});

test('an instance that is cut off takes its agents with it, and gets them back', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const a = await joinRedis(t, redis, { bounds });
  const b = await joinRedis(t, way.redis, { bounds });
  const changes: AgentPresence[] = [];
  await a.watchAgents('t', (agent) => changes.push(agent));
  const commands: Command[] = [];
  let replaced = 0;
  const stays = {
    deliver: (command: Command) => commands.push(command) > 0,
    replaced: () => void replaced++,
  };
  await b.connectAgent('t', 'stays', stays);
  const moves = await b.connectAgent('t', 'moves', stays);
  const goes = await b.connectAgent('t', 'goes', stays);
  await eventually(() => changes.length === 3, 'three agents');
  changes.length = 0;
  way.block();
  const cutMs = performance.now();
  const late = await a.command('t', { commandId: '1', agentId: 'stays', command: 'x' }, 1000, () => {});
  assert.equal(late.delivered, false, 'nobody confirmed it');
  await eventually(() => changes.length === 3, 'the end of all');
  const tookMs = performance.now() - cutMs;
  t.diagnostic(`offline ${Math.round(tookMs)} ms after the cut, with a life of ${bounds.lifeMs} ms`);
  assert.ok(tookMs < bounds.lifeMs + 2500);
  assert.ok(changes.every(({ status }) => status === 'offline'));
  assert.deepEqual(await a.agents('t'), []);
  // Meanwhile one comes to another instance, and one goes.
  await a.connectAgent('t', 'moves', link);
  await goes.disconnect();
  await moves.setStatus('busy').catch(() => {});
  way.mend();
  await eventually(() => replaced === 1 && b.state === 'up', 'the return');
  const back = await a.agents('t');
  assert.deepEqual(back.map(({ agentId }) => agentId).sort(), ['moves', 'stays']);
  assert.deepEqual(back.find(({ agentId }) => agentId === 'moves')?.status, 'online');
  const dispatched = await a.command('t', { commandId: '2', agentId: 'stays', command: 'x' }, 1000, () => {});
  dispatched.cancel();
  assert.equal(dispatched.delivered, true);
  assert.deepEqual(
    commands.map(({ commandId }) => commandId),
    ['2'],
  );
});

test('after a restart of Redis watchers are told nothing of agents that come back at once', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const a = await joinRedis(t, redis, { bounds });
  const b = await joinRedis(t, redis, { bounds });
  const changes: AgentPresence[] = [];
  await a.watchAgents('t', (agent) => changes.push(agent));
  await b.connectAgent('t', 'stays', link);
  const goes = await b.connectAgent('t', 'goes', link);
  await eventually(() => changes.length === 2, 'both');
  changes.length = 0;
  await a.revoke('alice');
  await redis.kill();
  await goes.disconnect();
  await eventually(() => a.state === 'down' && b.state === 'down', 'the end');
  await redis.restart();
  await eventually(() => changes.length > 0, 'the one that went');
  assert.deepEqual(changes, [{ agentId: 'goes', status: 'offline' }]);
  assert.deepEqual(await a.agents('t'), [{ agentId: 'stays', status: 'online' }]);
  const known = meddler(t, redis);
  assert.ok(await known.zscore('wsbench:0:revoked', 'alice'), 'the revocation was put back');
});

test('an effect is not had twice when the one who had it dies before it could say so', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const dying = await joinRedis(t, way.redis);
  const other = await joinRedis(t, redis);
  const seen: unknown[] = [];
  await other.subscribe('t', 'c', ({ data }) => seen.push(data));
  const publish =
    (bus: typeof other, then?: () => void) =>
    async (effectId: string): Promise<unknown> => {
      const published = await bus.publish('t', 'c', 'effect', effectId);
      then?.();
      return published;
    };
  const lost = dying.once(
    'k',
    publish(dying, () => way.cut()),
  );
  const { answer } = await lost;
  // As long as the first may be at it, the second waits, but not longer than a call may take.
  const startedMs = performance.now();
  await assert.rejects(other.once('k', publish(other)), BusUnavailable);
  assert.ok(performance.now() - startedMs < 550);
  await sleep(1600);
  const second = await other.once('k', publish(other));
  assert.deepEqual(second, { answer, duplicate: false });
  assert.deepEqual(await other.once('k', publish(other)), { answer, duplicate: true });
  await sleep(50);
  assert.deepEqual(seen, ['effect']);
});

test('a command that is sent again is written once', { timeout, skip: skipRedis }, async (t) => {
  const redis = await startRedis(t);
  const [a, b] = [await joinRedis(t, redis), await joinRedis(t, redis)];
  const commands: Command[] = [];
  await b.connectAgent('t', 'g', { deliver: (command) => commands.push(command) > 0, replaced: () => {} });
  for (let each = 0; each < 3; each++) {
    const command = { commandId: 'same', agentId: 'g', command: 'x' };
    const { delivered, cancel } = await a.command('t', command, 1000, () => {});
    cancel();
    assert.equal(delivered, true);
  }
  assert.equal(commands.length, 1);
});

test('databases and prefixes keep deployments apart', { timeout, skip: skipRedis }, async (t) => {
  const redis = await startRedis(t);
  const one = await joinRedis(t, redis);
  const two = await joinRedis(t, { ...redis, url: `${redis.url}/1` });
  const seen: unknown[] = [];
  await two.subscribe('t', 'c', ({ data }) => seen.push(data));
  const { receivers } = await one.publish('t', 'c', 'theirs');
  assert.equal(receivers, 0);
  await two.publish('t', 'c', 'ours');
  await eventually(() => seen.length > 0, 'the message');
  assert.deepEqual(seen, ['ours']);
});
