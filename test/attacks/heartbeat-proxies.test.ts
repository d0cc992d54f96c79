// Proxies end what is idle for too long. The heartbeat keeps a connection open through them that nobody speaks on.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { idleTimeoutS, type ProxyName, proxies, startProxy } from '../operations/proxies.ts';
import { Client } from '../reference-server/client.ts';
import { listening } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';

const names = Object.keys(proxies) as ProxyName[];

/** Connects through the proxy to a server with this heartbeat, and says nothing until `idleMs` are over or the connection is. */
async function idle(
  t: TestContext,
  name: ProxyName,
  intervalMs: number,
  idleMs: number,
  idleS?: number,
): Promise<{ client: Client; aliveMs: number; pings: number }> {
  const server = await listening(t, { heartbeat: { intervalMs, timeoutMs: 8000 } });
  const port = Number(new URL(server.url).port);
  const proxy = await startProxy(t, name, [port, port, port], idleS === undefined ? {} : { idleS });
  const client = await Client.open(`${proxy.url}/ws`);
  let pings = 0;
  client.socket.on('ping', () => {
    pings += 1;
  });
  const startedMs = performance.now();
  const waited = new AbortController();
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, idleMs);
    waited.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  await Promise.race([over, client.closed]);
  waited.abort();
  return { client, aliveMs: Math.round(performance.now() - startedMs), pings };
}

describe('idle connections behind proxies', { concurrency: true }, () => {
  for (const name of names) {
    const { skip } = proxies[name];

    test(`HB-10 an idle connection lives on behind ${name}, whose timeout ends one without a heartbeat`, {
      timeout: 60_000,
      skip,
    }, async (t) => {
      const [beating, silent] = await Promise.all([
        idle(t, name, 500, 9000, 3),
        idle(t, name, 3_600_000, 20_000, 3),
      ]);
      t.diagnostic(`alive after ${beating.aliveMs} ms and ${beating.pings} pings`);
      t.diagnostic(`without a heartbeat it ended after ${silent.aliveMs} ms`);
      assert.ok(beating.pings >= 3, `${beating.pings} pings`);
      assert.equal(beating.client.socket.readyState, beating.client.socket.OPEN);
      assert.deepEqual((await beating.client.request('ECHO', 'still here')).payload, 'still here');
      assert.equal((await silent.client.closed).code, 1006);
      assert.ok(silent.aliveMs >= 2500, `${silent.aliveMs} ms`);
      assert.equal(silent.pings, 0);
    });

    test(`HB-10 the file for ${name} allows more idle time than the default heartbeat lets pass`, () => {
      // 25 s between two PINGs and 8 s for the answer.
      assert.ok(idleTimeoutS(name) >= 2 * 33, `${idleTimeoutS(name)} s`);
    });

    test(`HB-10 ten minutes behind ${name}, with its own timeout and the default heartbeat`, {
      timeout: 700_000,
      skip: skip || (!isLong && 'a long test'),
    }, async (t) => {
      const { client, aliveMs, pings } = await idle(t, name, 25_000, 600_000);
      t.diagnostic(`alive after ${aliveMs} ms and ${pings} pings`);
      assert.equal(client.socket.readyState, client.socket.OPEN);
      assert.deepEqual((await client.request('ECHO', 'still here')).payload, 'still here');
    });
  }
});
