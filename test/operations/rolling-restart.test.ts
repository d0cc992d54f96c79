// Three instances restarted one after the other behind a proxy: clients come back on the others, and miss nothing.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../lib/token.ts';
import { Client } from '../reference-server/client.ts';
import { eventually } from '../reference-server/redis-buses.ts';
import { skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { secret, startInstance } from './instances.ts';
import { type ProxyName, proxies, startProxy } from './proxies.ts';
import { Subscriber } from './subscriber.ts';

const count = 12;

describe('a rolling restart behind a proxy', { concurrency: true }, () => {
  for (const name of Object.keys(proxies) as ProxyName[]) {
    test(`${name}: every instance restarted; nobody is refused, and every message reaches everybody once`, {
      timeout: 120_000,
      skip: proxies[name].skip || skipRedis,
    }, async (t) => {
      // The first to end: nobody comes back to proxies and instances that are being stopped.
      const subscribers: Subscriber[] = [];
      let isOver = false;
      t.after(() => {
        isOver = true;
        for (const subscriber of subscribers) subscriber.end();
      });
      const redis = await startRedis(t);
      const start = () => startInstance(t, redis, ['--limits', 'off']);
      const instances = await Promise.all([start(), start(), start()]);
      const [one, two, three] = instances;
      const proxy = await startProxy(t, name, [one.port, two.port, three.port]);
      const url = `${proxy.url}/ws`;
      const token = await mintToken({ secret }, { sub: 'alice', roles: ['dashboard'] });
      await Promise.all(
        Array.from({ length: count }, async () => subscribers.push(await Subscriber.start(url, token))),
      );

      let published = 0;
      const publishing = (async () => {
        while (!isOver) {
          published += 1;
          await subscribers[published % count]?.publish(published, `m${published}`);
          await sleep(5);
        }
      })();
      let visits = 0;
      const visiting = (async () => {
        while (!isOver) {
          await (await Client.open(url, token)).close();
          visits += 1;
          await sleep(50);
        }
      })();

      for (const instance of instances) {
        assert.equal(await instance.stop(), 0);
        await instance.start();
        // As long as both proxies take to notice.
        await sleep(2500);
      }
      isOver = true;
      await Promise.all([publishing, visiting]);
      const all = Array.from({ length: published }, (_, index) => index + 1);
      await eventually(() => subscribers.every(({ got }) => new Set(got).size >= published), 'all messages');
      for (const { got } of subscribers) {
        assert.equal(new Set(got).size, got.length, 'once');
        assert.deepEqual(
          [...got].sort((a, b) => Number(a) - Number(b)),
          all,
        );
        assert.deepEqual(got, subscribers[0]?.got, 'in one order');
      }
      const away = subscribers.flatMap((subscriber) => subscriber.away);
      const slowest = Math.max(...away.map(({ tookMs }) => tookMs));
      t.diagnostic(`${published} messages to ${count} clients, ${visits} visits, ${away.length} comebacks`);
      t.diagnostic(`the slowest was subscribed again ${slowest} ms after the time that DRAIN asked for`);
      assert.ok(away.length >= count, `${away.length} comebacks`);
      for (const close of subscribers.flatMap(({ closes }) => closes))
        assert.deepEqual(close, { code: 1001, reason: 'GOING_AWAY' });
      assert.ok(published > 50 && visits > 20, `${published} messages, ${visits} visits`);
    });
  }
});
