// What fails costs a message or a connection; what nobody caught ends the process, and clients are told to come back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { echo } from '../../reference-server/handlers/echo.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { emptyFolder, start, until } from '../cli/spawn.ts';
import { hook } from '../fixtures/hook.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { startServe } from '../fixtures/serve.ts';
import { Client } from '../reference-server/client.ts';
import { listening } from '../reference-server/servers.ts';

const timeout = 60_000;
const circular: Record<string, unknown> = {};
circular.self = circular;

const failures: [how: string, handle: () => unknown][] = [
  [
    'throws',
    () => {
      throw new TypeError('the inside of the server');
    },
  ],
  ['rejects', () => Promise.reject(new RangeError('the inside of the server'))],
  ['throws what is no error', () => Promise.reject('the inside of the server')],
  ['answers what cannot be written', () => ({ type: 'ECHO', payload: circular })],
];

for (const [how, handle] of failures) {
  test(`LC-15 a handler that ${how} costs one message`, { timeout }, async (t) => {
    const log: LogEntry[] = [];
    const server = await listening(t, { heartbeat: noHeartbeat, logger: (entry) => log.push(entry) });
    const [client, other] = [await Client.open(`${server.url}/ws`), await Client.open(`${server.url}/ws`)];
    const mocked = t.mock.method(echo, 'handle', handle as never);
    const error = await client.error('ECHO', 'x', 'e1');
    assert.deepEqual(error, {
      for: 'ECHO',
      code: 'INTERNAL',
      message: 'the server failed to handle this',
    });
    assert.equal(log.length, 1);
    assert.equal(log[0]?.level, 'error');
    assert.match(log[0]?.message ?? '', /^handler of ECHO failed: /);
    mocked.mock.restore();
    for (const each of [client, other]) assert.equal((await each.request('ECHO', 'on')).payload, 'on');
  });
}

test('LC-15 what fails after the answer, or outside of the handler, costs one connection: 1011', {
  timeout,
}, async (t) => {
  const server = await listening(t, {
    heartbeat: noHeartbeat,
    logger: () => {
      throw new Error('the disk is full');
    },
  });
  const other = await Client.open(`${server.url}/ws`);
  const after = await Client.open(`${server.url}/ws`);
  const mocked = t.mock.method(echo, 'handle', ({ payload }: { payload: unknown }) => ({
    type: 'ECHO',
    payload,
    after: () => {
      throw new Error('too late for an ERROR');
    },
  }));
  assert.equal((await after.request('ECHO', 'answered')).payload, 'answered');
  assert.deepEqual(await after.closed, { code: 1011, reason: 'INTERNAL' });
  assert.ok(!after.inbox.some(({ type }) => type === 'ERROR'));
  mocked.mock.restore();

  const outside = await Client.open(`${server.url}/ws`);
  const { metrics } = server.app;
  const add = metrics.add.bind(metrics);
  t.mock.method(metrics, 'add', (...args: Parameters<typeof add>) => {
    if (args[0] === 'wsbench_messages_received_total' && args[1]?.type === 'PING') throw new Error('a bug');
    add(...args);
  });
  outside.send({ type: 'PING', id: 'p1' });
  assert.deepEqual(await outside.closed, { code: 1011, reason: 'INTERNAL' });
  assert.equal((await other.request('ECHO', 'on')).payload, 'on');
});

for (const kind of ['exception', 'rejection']) {
  test(`LC-15 an ${kind} that nobody caught: clients come back by 1012, exit 70, facts but no secrets`.replace(
    'an r',
    'a r',
  ), {
    timeout,
  }, async (t) => {
    const secret = 'sesame of the operator, long enough for HS256';
    const server = await startServe(t, ['--drain-timeout', '30s'], {
      node: hook('crash'),
      env: { WSBENCH_TEST_CRASH: kind, JWT_SECRET: secret },
    });
    const client = await Client.open(server.url);
    const raw = await Client.open(server.url.replace(/\/ws$/, '/ws/echo'));
    const stubborn = await Client.open(server.url);
    stubborn.socket.pause();
    const { port } = new URL(server.url);
    const crashedMs = Date.now();
    server.child.kill('SIGUSR2');
    assert.deepEqual((await client.next('DRAIN')).payload, { minMs: 100, maxMs: 600 });
    for (const each of [client, raw]) {
      assert.deepEqual(await each.closed, { code: 1012, reason: 'SERVICE_RESTART' });
    }
    const { code, stderr } = await server.finished;
    const tookMs = Date.now() - crashedMs;
    stubborn.socket.terminate();
    assert.equal(code, 70, stderr);
    t.diagnostic(`exit after ${tookMs} ms`);
    assert.ok(tookMs < 3000 + 2000, `${tookMs} ms`);
    const lines = stderr.trimEnd().split('\n');
    const bugs = lines.filter((line) => line.startsWith('wsbench: this is a bug'));
    assert.equal(bugs.length, 1, stderr);
    assert.match(bugs[0] ?? '', /: nobody caught TypeError: nothing to read here/);
    assert.ok(
      lines.some((line) => /^\s+at .*hook-crash/.test(line)),
      stderr,
    );
    assert.match(stderr, /^error: 3 connections; up for .*; \d+ MiB resident; wsbench \S+ on Node v\d/m);
    assert.doesNotMatch(stderr, /sesame/);
    // What a supervisor does.
    const next = await startServe(t, ['--port', port]);
    const honest = await Client.open(next.url);
    assert.equal((await honest.request('ECHO', 'served')).payload, 'served');
  });
}

test('LC-15 other commands end with 70 as well, whatever they are at', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const args = ['stress', `${server.url}/ws/echo`, '--preset', 'echo', '-d', '30s', '--no-save'];
  const running = start(args, { cwd: emptyFolder(t), node: hook('crash') });
  t.after(() => running.child.kill('SIGKILL'));
  await until(() => server.app.connections.open.size > 0, 'a connection');
  running.child.kill('SIGUSR2');
  const { code, stderr } = await running.finished;
  assert.equal(code, 70, stderr);
  assert.match(stderr, /this is a bug in wsbench, please report it: nobody caught TypeError/);
  assert.doesNotMatch(stderr, /sesame/);
});
