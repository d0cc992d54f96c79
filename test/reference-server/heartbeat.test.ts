import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Alarms } from '../../reference-server/alarms.ts';
import { type HeartbeatKeeper, HeartbeatMonitor } from '../../reference-server/heartbeat-monitor.ts';
import { Client } from './client.ts';
import { FakeClock } from './fake-clock.ts';
import { listening } from './servers.ts';

const timeout = 20_000;
const fast = { intervalMs: 200, timeoutMs: 300 };

function monitored(firstAfterMs = 0): {
  clock: FakeClock;
  pings: [string, number][];
  deaths: number[];
  monitor: HeartbeatMonitor;
} {
  const clock = new FakeClock();
  const pings: [string, number][] = [];
  const deaths: number[] = [];
  const keeper: HeartbeatKeeper<undefined> = {
    heartbeat: { intervalMs: 1000, timeoutMs: 300 },
    alarms: new Alarms(clock),
    ping: (_peer, id) => pings.push([id, clock.nowMs()]),
    dead: () => deaths.push(clock.nowMs()),
  };
  const monitor = new HeartbeatMonitor(keeper, firstAfterMs, undefined);
  return { clock, pings, deaths, monitor };
}

test('a peer that answers is pinged every interval, whenever it answers', () => {
  const { clock, pings, deaths, monitor } = monitored(400);
  for (const delay of [0, 299, 10]) {
    const known = pings.length;
    while (pings.length === known) clock.advance(1);
    clock.advance(delay);
    assert.ok(monitor.answer(pings.at(-1)?.[0], 'message'));
  }
  assert.deepEqual(
    pings.map(([, at]) => at),
    [400, 1400, 2400],
  );
  assert.deepEqual(deaths, []);
  assert.equal(new Set(pings.map(([id]) => id)).size, 3);
  monitor.stop();
  assert.equal(clock.pending, 0);
});

test('a peer that does not answer is dead at the timeout, to the millisecond', () => {
  const { clock, deaths } = monitored();
  clock.advance(299);
  assert.deepEqual(deaths, []);
  clock.advance(1);
  assert.deepEqual(deaths, [300]);
});

test('only the answer to the outstanding PING counts, once each way', () => {
  const { clock, pings, deaths, monitor } = monitored();
  clock.advance(0);
  const [first = ''] = pings[0] ?? [];
  assert.equal(monitor.answer(undefined, 'message'), false);
  assert.equal(monitor.answer('', 'frame'), false);
  assert.equal(monitor.answer('ping-1', 'message'), false);
  assert.equal(monitor.answer(first, 'frame'), true);
  assert.equal(monitor.answer(first, 'message'), true);
  assert.equal(monitor.answer(first, 'message'), false);
  clock.advance(1000);
  assert.equal(pings.length, 2);
  assert.equal(monitor.answer(first, 'message'), false);
  clock.advance(300);
  assert.deepEqual(deaths, [1300]);
  monitor.stop();
  assert.equal(monitor.answer(pings[1]?.[0], 'message'), false);
});

test('ids cannot be guessed', () => {
  const { clock, pings, monitor } = monitored();
  for (let beat = 0; beat < 100; beat++) {
    clock.advance(beat === 0 ? 0 : 1000);
    assert.ok(monitor.answer(pings.at(-1)?.[0], 'frame'));
  }
  // 31 random bits each: two of a hundred are the same in one run of 400,000.
  assert.equal(new Set(pings.map(([id]) => id.split('-')[2])).size, 100);
});

test('after a late PING the next is due at its beat again: what was held up together does not go on in step', () => {
  const { clock, pings, monitor } = monitored(400);
  clock.stall(2700);
  assert.deepEqual(
    pings.map(([, at]) => at),
    [2700],
  );
  assert.ok(monitor.answer(pings[0]?.[0], 'message'));
  clock.advance(2000);
  assert.deepEqual(
    pings.map(([, at]) => at),
    [2700, 3400],
  );
});

test('a stall of the server itself does not kill: the peer gets its time again', () => {
  const { clock, pings, deaths, monitor } = monitored();
  clock.advance(0);
  clock.stall(20_000);
  assert.deepEqual(deaths, []);
  assert.ok(monitor.answer(pings[0]?.[0], 'frame'));
  clock.advance(250);
  assert.deepEqual(deaths, []);
});

test('a PONG that came in time, but was not read because the server was busy, counts', {
  timeout,
}, async (t) => {
  const server = await listening(t, { heartbeat: { intervalMs: 400, timeoutMs: 200 } });
  const script = fileURLToPath(new URL('../fixtures/late-pong.js', import.meta.url));
  const child = spawn(process.execPath, [script, `${server.url}/ws`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  for (let beat = 0; beat < 3; beat++) {
    assert.equal((await lines.next()).value, 'PING');
    // The client answers after 60 ms. The deadline passes, by less than a stall, before that can be read.
    await new Promise((resolve) => setTimeout(resolve, 20));
    // After this phase of the loop timers come first.
    await new Promise((resolve) => setImmediate(resolve));
    const untilMs = performance.now() + 260;
    while (performance.now() < untilMs);
  }
  assert.equal((await lines.next()).value, 'PING');
});

for (const way of ['message', 'frame'] as const) {
  test(`a client that answers by ${way} only lives on`, { timeout }, async (t) => {
    const server = await listening(t, { heartbeat: fast });
    const client = await Client.open(`${server.url}/ws`, undefined, { autoPong: way === 'frame' });
    for (let beats = 0; beats < 4; beats++) {
      const ping = await client.next('PING');
      if (way === 'message') client.send({ type: 'PONG', id: ping.id });
    }
    assert.equal(client.socket.readyState, client.socket.OPEN);
  });
}

for (const path of ['/ws', '/ws/echo', '/ws/sink']) {
  test(`a client that does not answer on ${path} is closed with 4408`, { timeout }, async (t) => {
    const server = await listening(t, { heartbeat: fast });
    const client = await Client.open(`${server.url}${path}`, undefined, { autoPong: false });
    // Talk alone is not an answer, nor is a PONG to something else.
    const talk = setInterval(() => {
      if (path === '/ws') client.send({ type: 'PONG', id: 'ping-0' });
    }, 50);
    t.after(() => clearInterval(talk));
    assert.deepEqual(await client.closed, { code: 4408, reason: 'HEARTBEAT_TIMEOUT' });
  });
}

test('the PING message and the ping frame carry the same id', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: fast });
  const client = await Client.open(`${server.url}/ws`);
  const frames: string[] = [];
  client.socket.on('ping', (payload) => frames.push(payload.toString()));
  const ids = [(await client.next('PING')).id, (await client.next('PING')).id];
  await client.settle();
  assert.deepEqual(frames.slice(0, 2), ids);
});

test('a client that ignores the close as well is cut off a second later', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: fast });
  const client = await Client.open(`${server.url}/ws`, undefined, { autoPong: false });
  client.socket.pause();
  const gone = async (): Promise<boolean> => {
    const response = await fetch(`${server.httpUrl}/api/status`);
    return ((await response.json()) as { connections: number }).connections === 0;
  };
  const startedMs = Date.now();
  while (!(await gone())) {
    // ws itself would give up after 3 s.
    assert.ok(Date.now() - startedMs < 2900, 'still there');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(Date.now() - startedMs > 1000, 'too early');
  client.socket.terminate();
});

test('a client under penalty stays alive by its PONGs', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'development', heartbeat: fast });
  const client = await Client.open(`${server.url}/ws`, await server.mint(), { autoPong: false });
  for (let n = 0; n < 60; n++) client.send({ type: 'ECHO', payload: n });
  await client.next('ERROR');
  const refused = async (): Promise<string | undefined> => {
    const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
    return /^wsbench_messages_refused_total (\d+)$/m.exec(metrics)?.[1];
  };
  await client.settle();
  const refusedBefore = await refused();
  assert.ok(Number(refusedBefore) > 0);
  for (let beats = 0; beats < 5; beats++) {
    client.send({ type: 'PONG', id: (await client.next('PING')).id });
  }
  assert.equal(client.socket.readyState, client.socket.OPEN);
  await client.settle();
  assert.equal(await refused(), refusedBefore, 'a PONG was refused');
  // Still under penalty, so what is not the awaited PONG is refused in silence.
  assert.ok(client.inbox.filter(({ type }) => type === 'ERROR').length <= 2);
});
