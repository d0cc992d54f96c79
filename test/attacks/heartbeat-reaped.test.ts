// Peers that are gone without a word: all of them are found, in time, and nothing of them stays.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CrowdReport, CrowdRequest } from '../fixtures/crowd.ts';
import { startFaultProxy } from '../fixtures/fault-proxy.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { noNetworks, ownNetwork } from '../fixtures/privileged.ts';
import { type ServeProcess, startServe } from '../fixtures/serve-process.ts';
import { Client } from '../reference-server/client.ts';
import { listening } from '../reference-server/servers.ts';

const timeout = 60_000;
const peers = 100;
/** What a test server has: 1 s + 1 s. */
const boundMs = 1000 + 1000 + 1000;
/** How late we may look on a busy machine. */
const lookedLateMs = 1000;

/** Waits until the server has as few files open as before; how long that took, and how many of the peers were gone by the bound. */
async function reaped(server: ServeProcess, base: number): Promise<{ lastMs: number; inTime: number }> {
  const startMs = performance.now();
  let inTime = 0;
  let left = Number.POSITIVE_INFINITY;
  let lastMs = 0;
  while (left > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    lastMs = performance.now() - startMs;
    left = Math.max(0, server.files() - base);
    if (lastMs <= boundMs + lookedLateMs) inTime = peers - left;
    assert.ok(lastMs < 30_000, `${left} are still held`);
  }
  return { lastMs, inTime };
}

describe('half-open peers', { concurrency: true }, () => {
  test(`HB-02 ${peers} half-open peers behind a proxy that swallows everything are reaped in time`, {
    timeout,
  }, async (t) => {
    const server = await startServe(t);
    const honest = await Client.open(`${server.url}/ws`, server.token);
    const base = await quietFiles(server);
    const proxy = await startFaultProxy(Number(new URL(server.url).port), {});
    t.after(() => proxy.close());
    const url = `ws://127.0.0.1:${proxy.port}/ws`;
    const clients = await Promise.all(Array.from({ length: peers }, () => Client.open(url, server.token)));
    t.after(() => {
      for (const { socket } of clients) socket.terminate();
    });
    // All have lived through some beats, each at its own time.
    await Promise.all(
      clients.map(async (client) => {
        await client.next('PING');
        await client.next('PING');
      }),
    );
    assert.equal(server.files(), base + peers);
    proxy.stall();
    const { lastMs, inTime } = await reaped(server, base);
    t.diagnostic(`${inTime} of ${peers}, the last after ${Math.round(lastMs)} ms of at most ${boundMs} ms`);
    assert.equal(inTime, peers);
    assert.equal(await server.metric('wsbench_heartbeat_timeouts_total'), peers);
    assert.equal(await server.metric('wsbench_connections'), 1);
    assert.ok(
      clients.every(({ socket }) => socket.readyState === socket.OPEN),
      'nothing tells them',
    );
    assert.equal((await honest.request('PING')).type, 'PONG');
  });

  test('HB-02 without a heartbeat: half-open peers are held for as long as anybody looks', {
    timeout,
  }, async (t) => {
    const server = await listening(t, { heartbeat: noHeartbeat });
    const proxy = await startFaultProxy(Number(new URL(server.url).port), {});
    t.after(() => proxy.close());
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => Client.open(`ws://127.0.0.1:${proxy.port}/ws`)),
    );
    proxy.stall();
    for (const { socket } of clients) socket.terminate();
    await new Promise((resolve) => setTimeout(resolve, boundMs + lookedLateMs));
    assert.equal(server.app.connections.open.size, 10);
  });

  test(`HB-02 ${peers} peers of a network that drops every packet are reaped in time`, {
    timeout,
    skip: noNetworks,
  }, async (t) => {
    const network = ownNetwork(t);
    const server = await startServe(t, { prefix: network.prefix });
    const base = await quietFiles(server);
    const reports = await startCrowd(t, network.prefix, { url: `${server.url}/ws`, count: peers });
    assert.equal(server.files(), base + peers);
    // Several beats.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(server.files(), base + peers);
    network.run('ip link set lo down');
    const { lastMs, inTime } = await reaped(server, base);
    t.diagnostic(`${inTime} of ${peers}, the last after ${Math.round(lastMs)} ms of at most ${boundMs} ms`);
    assert.equal(inTime, peers);
    assert.equal(reports.closed(), 0, 'nothing tells them');
    network.run('ip link set lo up');
    assert.ok(await reports.isServed());
  });
});

/** Its open files, once those of its start and of the first questions are closed. */
async function quietFiles(server: ServeProcess): Promise<number> {
  let files = server.files();
  for (let same = 0; same < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = server.files();
    same = now === files ? same + 1 : 0;
    files = now;
  }
  return files;
}

async function startCrowd(
  t: TestContext,
  prefix: readonly string[],
  request: CrowdRequest,
): Promise<{ closed: () => number; isServed: () => Promise<boolean> }> {
  const script = fileURLToPath(new URL('../fixtures/crowd.js', import.meta.url));
  const [command = process.execPath, ...args] = [
    ...prefix,
    process.execPath,
    script,
    JSON.stringify(request),
  ];
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.after(() => child.kill('SIGKILL'));
  let closed = 0;
  child.on('message', (report: CrowdReport) => {
    if (report.type === 'closed') closed += 1;
  });
  const [first] = (await once(child, 'message')) as [CrowdReport];
  assert.equal(first.type, 'open');
  return {
    closed: () => closed,
    async isServed() {
      child.send('serve');
      for (;;) {
        const [report] = (await once(child, 'message')) as [CrowdReport];
        if (report.type === 'served') return report.answered;
      }
    },
  };
}
