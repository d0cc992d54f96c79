// What an idle connection of the native driver keeps. Alone in its file: the garbage of other tests would count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Connection, createNativeDriver, type Sink } from '../../lib/load/index.ts';
import { startLoadServer } from '../fixtures/server-process.ts';

const connections = 1000;
// It is 1.8 KiB on Node 20; closures or buffers of each connection's own would soon take more than this.
const mostBytes = 4096;

test('an idle connection keeps little', { timeout: 60_000 }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const server = await startLoadServer(t, { mode: 'echo' });
  const driver = createNativeDriver();
  let openedCount = 0;
  let failures = 0;
  const sink: Sink = {
    opened: () => openedCount++,
    failed: () => failures++,
    message: () => {},
    pong: () => {},
    closed: () => {},
  };
  const spec = { url: server.url, headers: [], subprotocols: [], timeoutMs: 10_000, insecure: false };
  const all: Connection[] = [];
  const used = async (count: number): Promise<number> => {
    for (let index = 0; index < count; index++) all.push(driver.open(spec, sink));
    while (openedCount + failures < all.length) await sleep(10);
    for (let turn = 0; turn < 3; turn++) {
      collect();
      await sleep(50);
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  await used(connections / 2);
  const before = await used(10);
  const kept = ((await used(connections)) - before) / connections;
  assert.equal(failures, 0);
  t.diagnostic(`${Math.round(kept)} bytes of heap a connection`);
  assert.ok(kept > 500 && kept < mostBytes, `${Math.round(kept)} bytes`);
  for (const connection of all) connection.abort();
});
