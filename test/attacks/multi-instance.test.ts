// Attacks on what instances say to one another, and on the names under which they keep it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../lib/token.ts';
import type { AgentPresence, Command } from '../../reference-server/bus/bus.ts';
import type { RedisBus } from '../../reference-server/bus/redis.ts';
import { RedisNames } from '../../reference-server/bus/redis-names.ts';
import { publishScript } from '../../reference-server/bus/redis-scripts.ts';
import { systemClock } from '../../reference-server/clock.ts';
import { limitsPresets } from '../../reference-server/limits/presets.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client } from '../reference-server/client.ts';
import { eventually, joinRedis, meddler } from '../reference-server/redis-buses.ts';
import { cable } from '../reference-server/redis-cable.ts';
import { Stream } from '../reference-server/redis-load.ts';
import { skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { listening } from '../reference-server/servers.ts';

const timeout = 60_000;
const secret = 'shared by all, and long enough for HS256';
const link = { deliver: () => true, replaced: () => {} };

test('MI-01 messages that no instance sent are dropped and counted, on every channel', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const dropped: string[] = [];
  const a = await joinRedis(t, redis);
  const b = await joinRedis(t, redis, { dropped: (why) => dropped.push(why) });
  const stream = new Stream();
  const changes: unknown[] = [];
  const revoked: string[] = [];
  const start = await b.subscribe('t', 'c', stream.message, undefined, stream.gap);
  await b.watchAgents('t', (agent) => changes.push(agent));
  await b.watchRevocations((sub) => revoked.push(sub));
  await a.publish('t', 'c', 'first');
  const client = meddler(t, redis);
  const names = (await client.pubsub('CHANNELS', 'wsbench:0:*')) as string[];
  const channel = names.find((name) => name.includes(':channel:')) ?? '';
  assert.ok(names.length >= 5, names.join());
  const good = { v: 1, p: 'wsbench:0' };
  const { epoch } = start;
  const other = '11111111-1111-4111-8111-111111111111';
  // biome-ignore format: a table
  const everywhere: [text: string, why: string][] = [
    ['hello',                                                     'malformed'],
    ['null',                                                      'malformed'],
    ['[]',                                                        'malformed'],
    ['{"v":1,"p":"wsbench:0"}',                                   'malformed'],
    [`{"v":1,"p":"wsbench:0","d":${'['.repeat(20_000)}${']'.repeat(20_000)},"e":"${epoch}","o":2}`, 'malformed'],
    [JSON.stringify({ ...good, d: 'x'.repeat(1024 ** 2), e: epoch, o: 2 }), 'malformed'],
    [JSON.stringify({ ...good, v: 2, e: epoch, o: 2, d: 'newer' }), 'version'],
    [JSON.stringify({ ...good, p: 'wsbench:1', e: epoch, o: 2, d: 'other' }), 'prefix'],
    [JSON.stringify({ type: 'MESSAGE', payload: {} }),            'malformed'],
  ];
  for (const name of names) {
    for (const [text, why] of everywhere) {
      dropped.length = 0;
      // Instance a has an inbox of its own, which b does not hear.
      if ((await client.publish(name, text)) === 0) continue;
      await sleep(10);
      if (dropped.length > 0) assert.deepEqual(dropped, [why], `${name} ${text.slice(0, 60)}`);
      else assert.match(name, /:inbox:/);
    }
  }
  // Well made, but the log knows nothing of them.
  for (const [forged, why] of [
    [{ ...good, e: epoch, o: 50, d: 'future' }, 'unlogged'],
    [{ ...good, e: other, o: 1, d: 'another log' }, 'unlogged'],
  ] as const) {
    dropped.length = 0;
    await client.publish(channel, JSON.stringify(forged));
    await eventually(() => dropped.length > 0, 'the drop');
    assert.deepEqual(dropped, [why]);
  }
  dropped.length = 0;
  await client.publish(channel, JSON.stringify({ ...good, e: epoch, o: 1, d: 'again' }));
  await a.publish('t', 'c', 'second');
  await eventually(() => stream.messages.length === 2, 'the second message');
  assert.deepEqual(
    stream.seen.map((each) => 'data' in each && each.data),
    ['first', 'second'],
  );
  assert.deepEqual([changes, revoked], [[], []]);
  // It still works.
  await a.connectAgent('t', 'g', { deliver: () => true, replaced: () => {} });
  await a.revoke('alice');
  await eventually(() => changes.length === 1 && revoked.length === 1, 'the true ones');
});

test('MI-01 what somebody else says on the bus reaches no client', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const options = { secret, heartbeat: noHeartbeat, redis: { url: redis.url } };
  const servers = [await listening(t, options), await listening(t, options)];
  const claims = { sub: 'alice', roles: ['dashboard', 'agent'] as ('dashboard' | 'agent')[] };
  const token = await mintToken({ secret }, claims);
  const client = await Client.open(`${servers[0]?.url}/ws`, token);
  await client.ack('DASHBOARD_CONNECT');
  await client.ack('SUBSCRIBE', { channel: 'news' });
  await client.ack('AGENT_CONNECT', { agentId: 'g' });
  await client.settle();
  client.inbox.length = 0;
  const intruder = meddler(t, redis);
  const names = (await intruder.pubsub('CHANNELS', '*')) as string[];
  const texts = [
    'garbage',
    '{"type":"MESSAGE","payload":{"channel":"news","data":"forged"}}',
    JSON.stringify({
      v: 1,
      p: 'wsbench:0',
      kind: 'command',
      command: { commandId: 'c', agentId: 'g', command: 'rm' },
    }),
    JSON.stringify({ v: 2, p: 'wsbench:0', e: randomUUID(), o: 1, d: 'forged' }),
    `{"v":1,"p":"wsbench:0","d":"${'x'.repeat(2 * 1024 ** 2)}"}`,
  ];
  for (const name of names) for (const text of texts) await intruder.publish(name, text);
  const other = await Client.open(`${servers[1]?.url}/ws`, token);
  await other.ack('PUBLISH', { channel: 'news', data: 'true' });
  assert.equal((await client.next('MESSAGE')).payload.data, 'true');
  await client.settle();
  assert.deepEqual(client.inbox, []);
  const metrics = await (await fetch(`${servers[0]?.httpUrl}/metrics`)).text();
  const dropped = [...metrics.matchAll(/^wsbench_bus_dropped_total\{.*\} (\d+)$/gm)].map((each) =>
    Number(each[1]),
  );
  assert.ok(dropped.reduce((sum, each) => sum + each, 0) >= 2 * texts.length, dropped.join());
});

test('MI-02 ten thousand messages of three instances reach a subscriber on each, once and in order', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const buses = [await joinRedis(t, redis), await joinRedis(t, redis), await joinRedis(t, redis)];
  const streams: Stream[] = [];
  const starts = [];
  for (const bus of buses) {
    const stream = new Stream();
    starts.push(await bus.subscribe('t', 'c', stream.message, undefined, stream.gap));
    streams.push(stream);
  }
  const count = 10_000;
  for (let from = 0; from < count; from += 200) {
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => (buses[n % 3] as RedisBus).publish('t', 'c', from + n)),
    );
  }
  await eventually(() => streams.every(({ messages }) => messages.length >= count), 'all');
  await sleep(50);
  for (const [index, stream] of streams.entries()) {
    const start = starts[index];
    assert.ok(start);
    stream.check(start);
    assert.equal(stream.gaps.length, 0);
    const data = stream.messages.map((each) => each.data as number).sort((a, b) => a - b);
    assert.deepEqual(
      data,
      Array.from({ length: count }, (_, n) => n),
    );
  }
});

test('MI-05 an agent comes back elsewhere while its old instance thinks that it lives: the newer stays', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const options = { secret, heartbeat: noHeartbeat };
  const a = await listening(t, { ...options, redis: { url: way.redis.url } });
  const b = await listening(t, { ...options, redis: { url: redis.url } });
  const claims = { sub: 'bob', roles: ['dashboard', 'agent'] as ('dashboard' | 'agent')[] };
  const token = await mintToken({ secret }, claims);
  const older = await Client.open(`${a.url}/ws`, token);
  await older.ack('AGENT_CONNECT', { agentId: 'g' });
  way.block();
  const newer = await Client.open(`${b.url}/ws`, token);
  await newer.ack('AGENT_CONNECT', { agentId: 'g' });
  way.mend();
  assert.deepEqual(await older.closed, { code: 4409, reason: 'REPLACED' });
  // What the old instance does about its end takes nothing from the new one.
  await sleep(1500);
  const dashboard = await Client.open(`${a.url}/ws`, token);
  assert.deepEqual((await dashboard.ack('DASHBOARD_CONNECT')).agents, [{ agentId: 'g', status: 'online' }]);
  await dashboard.ack('COMMAND', { agentId: 'g', command: 'x' });
  assert.equal((await newer.next('COMMAND')).payload.agentId, 'g');
  assert.equal(newer.socket.readyState, newer.socket.OPEN);
});

test('MI-06 an instance of a newer release on the same bus: what is added is ignored, what is other is dropped', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const dropped: string[] = [];
  const a = await joinRedis(t, redis);
  const b = await joinRedis(t, redis, { dropped: (why) => dropped.push(why) });
  const stream = new Stream();
  const commands: Command[] = [];
  const changes: AgentPresence[] = [];
  const revoked: string[] = [];
  await b.subscribe('t', 'c', stream.message, undefined, stream.gap);
  await b.connectAgent('t', 'g', { deliver: (each) => commands.push(each) > 0, replaced: () => {} });
  await b.watchAgents('t', (agent) => changes.push(agent));
  await b.watchRevocations((sub) => revoked.push(sub));
  const client = meddler(t, redis);
  const names = new RedisNames('wsbench:0');
  const newer = { v: 1, p: 'wsbench:0', since: 'the next release', nested: { more: [1] } };
  const runId = /run_id:(\w+)/.exec(await client.info('server'))?.[1] ?? '';
  const publish = (version: number, data: string): Promise<unknown> =>
    client.eval(
      ...[publishScript.body, 4, ...names.channelKeys('t', 'c'), names.instances],
      ...[Date.now() + 10_000, runId, randomUUID(), 3_600_000, names.channel('t', 'c')],
      ...[`${JSON.stringify({ ...newer, v: version }).slice(0, -1)},`, JSON.stringify(data), 256, 524_288],
    );
  await publish(1, 'added to');
  await eventually(() => stream.messages.length === 1, 'the message');
  await client.publish(names.revocations, JSON.stringify({ ...newer, sub: 'alice', atMs: Date.now() }));
  const inbox = ((await client.pubsub('CHANNELS', 'wsbench:0:inbox:*')) as string[]).join();
  for (const name of inbox.split(',')) {
    const question = {
      ...{ ...newer, kind: 'command', id: randomUUID(), from: randomUUID(), tenant: 't' },
      ...{
        untilMs: Date.now() + 10_000,
        command: { commandId: '1', agentId: 'g', command: 'x', urgent: true },
      },
    };
    await client.publish(name, JSON.stringify(question));
  }
  await eventually(() => commands.length === 1 && revoked.length === 1, 'the command and the revocation');
  assert.deepEqual([dropped, commands[0]], [[], { commandId: '1', agentId: 'g', command: 'x' }]);
  // Another version: not understood, but its place in the log is known, and read from there.
  await publish(2, 'other');
  await a.publish('t', 'c', 'ours');
  await eventually(() => stream.messages.length === 3, 'both');
  assert.deepEqual(
    stream.messages.map(({ data }) => data),
    ['added to', 'other', 'ours'],
  );
  assert.deepEqual(dropped, ['version']);
  await client.publish(names.revocations, JSON.stringify({ ...newer, v: 2, sub: 'bob', atMs: 1 }));
  await eventually(() => dropped.length === 2, 'the drop');
  assert.deepEqual([revoked, changes], [['alice'], []]);
});

test('MI-07 ids that look like patterns, separators or hash tags stay what they are', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const limits = { ...limitsPresets.test, connectionsPerUser: 1 };
  const options = { limits, decisionMs: 450, decidedAlone: () => {}, changed: () => {} };
  const a = await joinRedis(t, redis, { limits: options });
  const b = await joinRedis(t, redis, { limits: options });
  const ids = [
    '*',
    'a*',
    'a',
    'a:b',
    '[a-z]',
    '{a}',
    '?',
    'a\nb',
    'a b',
    '..',
    '\\',
    '__proto__',
    '1:a',
    'ä',
  ];
  const seen = new Map<string, unknown[]>();
  for (const tenant of ids) {
    for (const channel of ids) {
      const all: unknown[] = [];
      seen.set(JSON.stringify([tenant, channel]), all);
      await b.subscribe(tenant, channel, ({ data }) => all.push(data));
    }
    await b.connectAgent(tenant, 'g', link);
    assert.equal((await a.limits.enter(`sub ${tenant}`, false)).ok, true, tenant);
  }
  for (const tenant of ids) {
    for (const channel of ids) await a.publish(tenant, channel, [tenant, channel]);
    assert.deepEqual(await a.agents(tenant), [{ agentId: 'g', status: 'online' }], tenant);
    assert.equal((await b.limits.enter(`sub ${tenant}`, false)).ok, false, tenant);
    await a.revoke(tenant);
  }
  await eventually(() => [...seen.values()].every((all) => all.length > 0), 'all');
  await sleep(50);
  for (const [name, all] of seen) assert.deepEqual(all, [JSON.parse(name)]);
  assert.equal(await b.revokedAtMs('b'), undefined);
  const client = meddler(t, redis);
  const stats = await client.info('commandstats');
  assert.doesNotMatch(stats, /cmdstat_(psubscribe|keys|scan)/);
  assert.equal(await client.pubsub('NUMPAT'), 0);
});

test('MI-09 wall clocks of instances half a minute off: presence and limits go by that of Redis', {
  timeout,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const way = await cable(t, redis);
  const limits = {
    limits: limitsPresets.production,
    ...{ decisionMs: 450, decidedAlone: () => {}, changed: () => {} },
  };
  const skewed = (offMs: number) => ({
    clock: {
      ...systemClock,
      epochMs: () => Date.now() + offMs,
      nowMs: () => systemClock.nowMs() + 60_000 + offMs,
    },
    ...{ bounds: { lifeMs: 1500 }, limits },
  });
  const ahead = await joinRedis(t, redis, skewed(30_000));
  const behind = await joinRedis(t, way.redis, skewed(-30_000));
  const changes: AgentPresence[] = [];
  await ahead.watchAgents('t', (agent) => changes.push(agent));
  await ahead.connectAgent('t', 'ahead', link);
  await behind.connectAgent('t', 'behind', link);
  let passed = 0;
  for (let n = 0; n < 40; n++)
    if ((await (n % 2 ? ahead : behind).limits.pass('status', 'k')) === 0) passed += 1;
  assert.equal(passed, 40);
  for (let n = 0; n < 40; n++)
    if ((await (n % 2 ? ahead : behind).limits.pass('status', 'k')) === 0) passed += 1;
  assert.ok(passed >= 60 && passed <= 62, `${passed}`);
  await sleep(3500);
  const online = ['ahead', 'behind'].map((agentId) => ({ agentId, status: 'online' }));
  assert.deepEqual(changes, online, 'nobody was given up');
  const cutMs = performance.now();
  way.block();
  await eventually(() => changes.length === 3, 'the end of one');
  const tookMs = performance.now() - cutMs;
  t.diagnostic(`given up ${Math.round(tookMs)} ms after it was cut off, with a life of 1500 ms`);
  assert.ok(tookMs <= 4500, `${tookMs} ms`);
  assert.deepEqual(changes.at(-1), { agentId: 'behind', status: 'offline' });
});
