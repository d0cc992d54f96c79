// Limits over several instances while Redis stands still: nobody waits for it, and nobody gets more.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../lib/token.ts';
import { guards } from '../../reference-server/guards.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from '../reference-server/client.ts';
import { eventually } from '../reference-server/redis-buses.ts';
import { skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';
import { type Serving, serving } from './serving.ts';
import { excess, type Passed } from './windows.ts';

const secret = 'shared by all, and long enough for HS256';

test('RL-12 Redis stops: decisions come in 50 ms, from what this instance may admit alone', {
  timeout: 60_000,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const said: string[] = [];
  const options = {
    limits: 'test',
    ...{ secret, heartbeat: noHeartbeat, redis: { url: redis.url } },
    logger: ({ message }: LogEntry) => said.push(message),
  } as const;
  const server = await listening(t, options);
  const slowest = async (count: number, url: string): Promise<number> => {
    let most = 0;
    for (let n = 0; n < count; n++) {
      const startedMs = performance.now();
      await (await fetch(`${url}/api/status`)).arrayBuffer();
      most = Math.max(most, performance.now() - startedMs);
    }
    return most;
  };
  await slowest(5, server.httpUrl);
  said.length = 0;
  redis.freeze();
  const whileStopped = await slowest(40, server.httpUrl);
  t.diagnostic(`the slowest of 40 requests took ${Math.round(whileStopped)} ms`);
  // 50 ms for the decision; the rest is HTTP on a machine that is busy.
  assert.ok(whileStopped <= guards.limitDecisionMs + 150, `${whileStopped} ms`);
  const words = said.filter((each) => each.includes('keeps its share'));
  redis.thaw();
  await eventually(() => said.some((each) => each.includes('together')), 'together again');
  assert.ok(words.length <= 1, words.join('\n'));
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  assert.ok(Number(/^wsbench_limits_alone_total (\d+)$/m.exec(metrics)?.[1]) >= 40);
  assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
});

test('RL-12 without limitDecisionMs: whoever asks waits for as long as Redis is given', {
  timeout: 60_000,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const options = { limits: 'test', secret, heartbeat: noHeartbeat, redis: { url: redis.url } } as const;
  const server = await unguarded(t, { limitDecisionMs: 100_000 }, options);
  redis.freeze();
  const startedMs = performance.now();
  await (await fetch(`${server.httpUrl}/api/status`)).arrayBuffer();
  const tookMs = performance.now() - startedMs;
  redis.thaw();
  assert.ok(tookMs >= 400, `${tookMs} ms`);
});

/** Asks again and again, and keeps what was let through. */
function hammer(ask: (n: number) => Promise<boolean>, everyMs: number) {
  const passed: Passed[] = [];
  let slowestMs = 0;
  let running = true;
  const loop = (async () => {
    for (let n = 0; running; n++) {
      const fromMs = performance.now();
      const isPassed = await ask(n);
      const untilMs = performance.now();
      slowestMs = Math.max(slowestMs, untilMs - fromMs);
      if (isPassed) passed.push({ fromMs, untilMs });
      await sleep(everyMs);
    }
  })();
  return {
    passed,
    stop: async () => {
      running = false;
      await loop;
      return slowestMs;
    },
  };
}

test('RL-12 Redis stopped for seconds, two servers: nobody waits, local traffic goes on, limits hold', {
  timeout: 90_000,
  skip: skipRedis,
}, async (t: TestContext) => {
  const redis = await startRedis(t);
  const env = { JWT_SECRET: secret, REDIS_URL: redis.url, NODE_ENV: 'test' };
  const servers: Serving[] = [];
  for (let n = 0; n < 2; n++) servers.push(await serving(t, ['--redis', 'optional'], env));
  const of = (n: number): Serving => servers[n % 2] as Serving;
  const token = await mintToken({ secret }, { sub: 'alice', roles: ['dashboard', 'agent'] });
  const local: Client[] = [];
  for (const { url } of servers) local.push(await Client.open(url, token));
  // Each server has to have heard of the other.
  await sleep(1500);
  const statuses = hammer(async (n) => {
    const answer = await fetch(`${of(n).http}/api/status`);
    await answer.arrayBuffer();
    assert.ok([200, 429].includes(answer.status), `${answer.status}`);
    return answer.status === 200;
  }, 20);
  const upgrades = hammer(async (n) => {
    const client = await Client.open(of(n).url).catch((error: unknown) => error);
    if (client instanceof Client) {
      client.socket.terminate();
      return true;
    }
    assert.ok(client instanceof Refused && client.status === 429, String(client));
    return !client.body.includes('too many connections in a short time');
  }, 20);
  const echoes = hammer(async (n) => {
    const answer = await (local[n % 2] as Client).request('ECHO', n);
    assert.deepEqual([answer.type, answer.payload], ['ECHO', n]);
    return true;
  }, 120);
  await sleep(2000);
  const whenFrozen = servers.map(({ said }) => said());
  redis.freeze();
  await sleep(isLong ? 10_000 : 4000);
  const whenThawed = servers.map(({ said }) => said());
  redis.thaw();
  await sleep(3500);
  const slowest = [await statuses.stop(), await upgrades.stop(), await echoes.stop()].map(Math.round);
  const over = [excess(statuses.passed, 5, 300), excess(upgrades.passed, 20, 1200)];
  t.diagnostic(`slowest status, upgrade, echo: ${slowest.join(', ')} ms; ${echoes.passed.length} echoes`);
  t.diagnostic(
    `${statuses.passed.length} status requests and ${upgrades.passed.length} upgrades passed, at worst ${over.map((each) => `${(each * 100).toFixed(1)} %`).join(' and ')} over the budget`,
  );
  for (const ms of slowest) assert.ok(ms <= 500, `${slowest}`);
  for (const each of over) assert.ok(each <= 0.05, `${over}`);
  assert.ok(statuses.passed.length > 20 && upgrades.passed.length > 50, 'somebody was served');
  for (const [index, { said }] of servers.entries()) {
    // On a busy machine a single answer may be late at any time; but the outage itself is said once, if it was not said before.
    const words = (text: string): number => text.split('keeps its share').length - 1;
    const meanwhile = words(whenThawed[index] ?? '') - words(whenFrozen[index] ?? '');
    assert.ok(meanwhile <= 1 && words(whenThawed[index] ?? '') >= 1, said());
  }
});
