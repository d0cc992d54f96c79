// A heartbeat and time itself: a server that stands still, clocks that are set, proxies that wait so long.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../reference-server/clock.ts';
import { emptyFolder } from '../cli/spawn.ts';
import { faketimeEnv, skipFaketime } from '../fixtures/faketime.ts';
import { hook } from '../fixtures/hook.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { type ServeProcess, startServe } from '../fixtures/serve-process.ts';
import { Client } from '../reference-server/client.ts';
import { listening } from '../reference-server/servers.ts';
import { isLong } from '../require.ts';

const timeout = 90_000;
/** What a test server has. */
const heartbeat = { intervalMs: 1000, timeoutMs: 1000 };
const boundMs = heartbeat.intervalMs + heartbeat.timeoutMs + 1000;
/** What a busy machine may add to a time that the server keeps. */
const busyMs = 2000;
const standstillMs = isLong ? 20_000 : 6000;
const hourMs = 3_600_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Clients that answer every PING, one that does not, and what became of them. */
async function openCrowd(
  url: string,
  token: string,
  count: number,
): Promise<{ honest: Client[]; silent: Client }> {
  const honest = await Promise.all(Array.from({ length: count }, () => Client.open(`${url}/ws`, token)));
  const silent = await Client.open(`${url}/ws`, token, { autoPong: false });
  return { honest, silent };
}

function assertAllOpen(clients: readonly Client[]): void {
  const open = clients.filter(({ socket }) => socket.readyState === socket.OPEN).length;
  assert.equal(open, clients.length, `${open} of ${clients.length} are still open`);
}

/** Plays a standstill between two beats of 50 clients, and sees who is sent away. */
async function standStill(server: ServeProcess, stand: () => Promise<void>): Promise<void> {
  const honest = await Promise.all(
    Array.from({ length: 50 }, () => Client.open(`${server.url}/ws`, server.token)),
  );
  await Promise.all(honest.map((client) => client.next('PING')));
  const { silent } = await openCrowd(server.url, server.token, 0);
  await stand();
  const goesOnMs = performance.now();
  // Nobody is kept for ever: whoever did not answer before does not in the grace round either.
  assert.deepEqual(await silent.closed, { code: 4408, reason: 'HEARTBEAT_TIMEOUT' });
  assert.ok(performance.now() - goesOnMs < boundMs + busyMs, 'the silent one was kept too long');
  // Two more beats for the others.
  for (const client of honest) client.inbox.length = 0;
  await Promise.all(
    honest.map(async (client) => {
      await client.next('PING');
      await client.next('PING');
    }),
  );
  assertAllOpen(honest);
  assert.equal(await server.metric('wsbench_heartbeat_timeouts_total'), 1);
}

describe('heartbeat and time', { concurrency: true }, () => {
  test(`HB-07 a server that is stopped for ${standstillMs / 1000} s and goes on sends nobody away who answers`, {
    timeout,
  }, async (t) => {
    const server = await startServe(t);
    await standStill(server, async () => {
      server.child.kill('SIGSTOP');
      await sleep(standstillMs);
      server.child.kill('SIGCONT');
    });
  });

  test(`HB-07 an event loop that is blocked for ${standstillMs / 1000} s costs nobody who answers`, {
    timeout,
  }, async (t) => {
    const server = await startServe(t, { node: hook('standstill'), ipc: true });
    await standStill(server, async () => {
      const goesOn = once(server.child, 'message');
      server.child.send(standstillMs);
      await goesOn;
    });
  });

  test('HB-09 a wall clock that is set by an hour, forth and back, sends nobody away and keeps nobody', {
    timeout,
  }, async (t) => {
    let jumpMs = 0;
    const clock = { ...systemClock, epochMs: () => Date.now() + jumpMs };
    const server = await listening(t, { heartbeat, clock });
    // Ten minutes: with an hour more on the wall it would be over.
    const token = await server.mint({ expiresInS: 600 });
    const honest = await Promise.all(
      Array.from({ length: 20 }, () => Client.open(`${server.url}/ws`, token)),
    );
    for (const toMs of [hourMs, 0, -hourMs, 0]) {
      const silent = await Client.open(`${server.url}/ws`, undefined, { autoPong: false });
      const startedMs = performance.now();
      jumpMs = toMs;
      assert.deepEqual(await silent.closed, { code: 4408, reason: 'HEARTBEAT_TIMEOUT' });
      const closedMs = performance.now() - startedMs;
      assert.ok(closedMs < boundMs + busyMs, `kept for ${closedMs} ms`);
      for (const client of honest) client.inbox.length = 0;
      await Promise.all(honest.map((client) => client.next('PING')));
      assertAllOpen(honest);
      assert.ok(honest.every(({ inbox }) => inbox.every(({ type }) => type !== 'TOKEN_EXPIRING')));
    }
  });

  test('HB-09 the same with a whole process whose clock is set', {
    timeout,
    skip: skipFaketime,
  }, async (t) => {
    const file = join(emptyFolder(t), 'time');
    const set = (offset: string): void => writeFileSync(file, `${offset}\n`);
    set('+0');
    const server = await startServe(t, {
      env: { ...faketimeEnv, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' },
    });
    const { honest, silent } = await openCrowd(server.url, server.token, 20);
    const [first] = honest;
    assert.ok(first);
    const skewMs = async (): Promise<number> => {
      const { payload } = (await first.request('PING')) as { payload: { serverTime: number } };
      return payload.serverTime - Date.now();
    };
    const startedMs = performance.now();
    set('+3600');
    assert.ok((await skewMs()) > hourMs - 60_000, 'its clock is not set');
    assert.deepEqual(await silent.closed, { code: 4408, reason: 'HEARTBEAT_TIMEOUT' });
    assert.ok(performance.now() - startedMs < boundMs + busyMs);
    set('-3600');
    assert.ok((await skewMs()) < -hourMs + 60_000, 'its clock is not set back');
    for (const client of honest) client.inbox.length = 0;
    await Promise.all(
      honest.map(async (client) => {
        await client.next('PING');
        await client.next('PING');
        await client.next('PING');
      }),
    );
    assertAllOpen(honest);
    assert.equal(await server.metric('wsbench_heartbeat_timeouts_total'), 1);
  });

  // A heartbeat of 25 s and a proxy that waits for 60 s, as nginx does unless told otherwise, at a fiftieth of the time.
  const silenceMs = 1200;
  for (const [name, heartbeat] of [
    [
      'HB-10 an idle connection outlives a proxy that cuts after a silence',
      { intervalMs: 500, timeoutMs: 5000 },
    ],
    ['HB-10 without a heartbeat: such a proxy cuts it', noHeartbeat],
  ] as const) {
    test(name, { timeout }, async (t) => {
      const server = await listening(t, { heartbeat });
      const port = await startImpatientProxy(t, Number(new URL(server.url).port), silenceMs);
      const client = await Client.open(`ws://127.0.0.1:${port}/ws`);
      const lived = await Promise.race([client.closed, sleep(10 * silenceMs)]);
      if (heartbeat === noHeartbeat) assert.equal(lived?.code, 1006);
      else assert.equal(lived, undefined, `closed with ${lived?.code}`);
    });
  }
});

/** A TCP proxy that hangs up on both sides once either of them has said nothing for so long. */
async function startImpatientProxy(t: TestContext, targetPort: number, silenceMs: number): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    const pair = [client, upstream];
    const cut = (): void => {
      for (const socket of pair) socket.destroy();
    };
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      let timer = setTimeout(cut, silenceMs);
      from.on('error', cut).on('close', () => {
        clearTimeout(timer);
        cut();
      });
      from.on('data', (chunk) => {
        clearTimeout(timer);
        timer = setTimeout(cut, silenceMs);
        to.write(chunk);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
