// Who is not ready gets nobody new, and keeps whom it has.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client } from '../reference-server/client.ts';
import { eventually } from '../reference-server/redis-buses.ts';
import { cable } from '../reference-server/redis-cable.ts';
import { type RedisServer, skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { listening } from '../reference-server/servers.ts';
import { readiness, secret } from './instances.ts';
import { type ProxyName, proxies, type RunningProxy, startProxy } from './proxies.ts';

const timeout = 60_000;
const portOf = ({ url }: ReferenceServer): number => Number(new URL(url).port);
const openOn = ({ app }: ReferenceServer): number => app.connections.open.size;

async function serve(t: TestContext, redis: RedisServer): Promise<ReferenceServer> {
  return listening(t, {
    ...{ secret, drainTimeoutMs: 3000, heartbeat: noHeartbeat },
    redis: { url: redis.url },
  });
}

/** Refusals of upgrades with 503 that clients, or the proxy for them, got from this server. */
async function refusals(server: ReferenceServer): Promise<number> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return Number(/^wsbench_upgrades_refused_total\{status="503"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function come(proxy: RunningProxy, server: ReferenceServer, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  for (let n = 0; n < count; n++) {
    clients.push(await Client.open(`${proxy.url}/ws`, await server.mint({ sub: `user-${n}` })));
  }
  return clients;
}

for (const name of Object.keys(proxies) as ProxyName[]) {
  test(`${name}: an instance that is cut off from Redis, or drains, gets nobody new; nobody is refused`, {
    timeout,
    skip: proxies[name].skip || skipRedis,
  }, async (t) => {
    const redis = await startRedis(t);
    const way = await cable(t, redis);
    const one = await serve(t, redis);
    const two = await serve(t, redis);
    const three = await serve(t, way.redis);
    const proxy = await startProxy(t, name, [portOf(one), portOf(two), portOf(three)]);
    const early = await come(proxy, one, 9);
    const spread = [one, two, three].map(openOn);
    t.diagnostic(`${spread.join(', ')} connections`);
    assert.deepEqual(spread, [3, 3, 3], 'the least connected instance is the next');

    way.cut();
    await eventually(() => three.app.metrics.text().includes('wsbench_bus_up 0'), 'cut off');
    assert.equal(await readiness(three.httpUrl), 503);
    // HAProxy asks once a second.
    if (name === 'haproxy') await sleep(2000);
    const late = await come(proxy, one, 6);
    assert.equal(openOn(three), 3, 'nobody new, and nobody sent away');
    const refused = await refusals(three);
    t.diagnostic(`${refused} refusals that the proxy took elsewhere`);
    // nginx learns from the first; it tries again after 2 s.
    assert.ok(name === 'haproxy' ? refused === 0 : refused >= 1 && refused < 6, `${refused} refusals`);

    way.mend();
    for (let tries = 0; (await readiness(three.httpUrl)) !== 200; tries++) {
      assert.ok(tries < 200, 'ready again');
      await sleep(50);
    }
    const back = await eventuallyOn(proxy, one, three);
    assert.ok(openOn(three) > 3);

    // A client that does not go makes the drain last.
    const stubborn = await Client.open(`${two.url}/ws`);
    stubborn.socket.pause();
    const closing = two.close();
    assert.equal(await readiness(two.httpUrl), 503);
    const last = await come(proxy, one, 6);
    assert.equal(openOn(two) <= 1, true, `${openOn(two)} left on the draining instance`);
    const pong = await last[0]?.request('PING');
    assert.equal(pong?.type, 'PONG');
    stubborn.socket.terminate();
    await closing;
    for (const client of [...early, ...late, ...back, ...last]) client.socket.terminate();
  });
}

/** Connects until one reaches that server. */
async function eventuallyOn(
  proxy: RunningProxy,
  minting: ReferenceServer,
  server: ReferenceServer,
): Promise<Client[]> {
  const before = openOn(server);
  const clients: Client[] = [];
  for (let tries = 0; openOn(server) === before; tries++) {
    assert.ok(tries < 50, 'nobody reaches the instance that is ready again');
    clients.push(...(await come(proxy, minting, 1)));
    await sleep(200);
  }
  return clients;
}
