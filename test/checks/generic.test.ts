// Servers that we did not write: what can be said of them without knowing anything, and of an echo.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import type { QuickPlan } from '../../lib/checks/index.ts';
import { hasWebsockets, startPythonEcho } from '../fixtures/echo-servers.ts';
import { skipUnless } from '../require.ts';
import { planFor, preset, quick, verdicts } from './quick-plan.ts';

const generic = ['connect', 'ping-frame', 'simultaneous', 'clean-close', 'bad-frame'];

/** A plain echo server on ws. */
async function wsEcho(t: TestContext): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  await once(server, 'listening');
  t.after(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const servers = [
  { name: 'ws', start: wsEcho, skip: false },
  { name: 'Python websockets', start: startPythonEcho, skip: skipUnless('websockets', hasWebsockets()) },
] as const;

for (const { name, start, skip } of servers) {
  describe(`an echo server on ${name}`, { skip }, () => {
    test('nothing known: the generic checks pass, the others say what they need', {
      timeout: 30_000,
    }, async (t) => {
      const { result } = await quick(planFor(await start(t)));
      const seen = verdicts(result);
      for (const id of generic) assert.equal(seen[id], 'passed', id);
      const others = result.checks.filter(({ id }) => !generic.includes(id));
      assert.ok(others.every(({ status, detail }) => status === 'skipped' && detail.startsWith('needs ')));
      assert.equal(result.outcome, 'passed');
      assert.equal(result.target.description, 'any');
    });

    test('as an echo: echo is checked, too', { timeout: 30_000 }, async (t) => {
      const { result } = await quick(planFor(await start(t), { target: preset('echo') }));
      const seen = verdicts(result);
      for (const id of [...generic, 'echo', 'request']) assert.equal(seen[id], 'passed', id);
      assert.equal(
        result.checks.find(({ id }) => id === 'heartbeat')?.detail,
        'needs heartbeat.every and heartbeat.send in the description of the target (--target)',
      );
    });
  });
}

/** What a server that does this to each connection is told about its faults, in the order of checks. */
async function faultsOf(
  t: TestContext,
  serve: (socket: WebSocket, index: number) => unknown,
  changes: Partial<QuickPlan> = {},
): Promise<string[]> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  let count = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    serve(socket, count++);
  });
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { result } = await quick(planFor(url, { target: preset('echo'), timeoutMs: 300, ...changes }));
  return result.checks.flatMap(({ id, status, detail }) => (status === 'failed' ? [`${id}: ${detail}`] : []));
}

function echoOn(socket: WebSocket, copies = 1): void {
  socket.on('message', (data, binary) => {
    for (let copy = 0; copy < copies; copy++) socket.send(data, { binary });
  });
}

test('an echo that alters what it gets fails echo, and what came is said', { timeout: 30_000 }, async (t) => {
  const cut = (socket: WebSocket): unknown =>
    socket.on('message', (data, binary) => socket.send(String(data).slice(0, 10), { binary }));
  assert.deepEqual(await faultsOf(t, cut, { only: ['echo'] }), [
    'echo: expected text back unchanged, once; got 10 bytes of text: "wsbench: g"',
  ]);
});

test('an altered reply is not taken for that of another connection', { timeout: 30_000 }, async (t) => {
  const swap = new Map<WebSocket, WebSocket>();
  const cross = (socket: WebSocket): void => {
    const [first] = swap.keys();
    swap.set(socket, first ?? socket);
    if (first) swap.set(first, socket);
    socket.on('message', (data) => swap.get(socket)?.send(String(data)));
  };
  const options = { only: ['simultaneous'], connections: 2 };
  const [altered = ''] = await faultsOf(
    t,
    (socket) => socket.on('message', (data) => socket.send(`!${String(data)}`)),
    options,
  );
  assert.match(altered, /got 0 of 2 answered, 2 got their own altered$/);
  const [crossed = ''] = await faultsOf(t, (socket, index) => index > 0 && cross(socket), options);
  assert.match(crossed, /got 0 of 2 answered, 2 got the reply of another connection$/);
});

test('a flood of messages is searched in bounded time, and what is asked for is found in it', {
  timeout: 30_000,
}, async (t) => {
  const flood = (socket: WebSocket): void => {
    echoOn(socket);
    for (let n = 0; n < 8000; n++) socket.send(`push ${n}`);
  };
  const startedMs = performance.now();
  assert.deepEqual(await faultsOf(t, flood, { connections: 5, timeoutMs: 3000 }), []);
  assert.ok(performance.now() - startedMs < 15_000, `${performance.now() - startedMs} ms`);
});

test('an echo that repeats itself fails echo', { timeout: 30_000 }, async (t) => {
  assert.deepEqual(await faultsOf(t, (socket) => echoOn(socket, 2), { only: ['echo'] }), [
    'echo: expected text back unchanged, once; got it 2 times',
  ]);
});

test('a server that closes at once has one fault', { timeout: 30_000 }, async (t) => {
  assert.deepEqual(await faultsOf(t, (socket) => socket.close(1011, 'oops')), [
    'connect: expected a WebSocket that stays open; got an end at once: close code 1011 (oops); it failed: look at its log',
  ]);
});

test('a server that keeps the newest connection only says how the others ended', {
  timeout: 30_000,
}, async (t) => {
  let newest: WebSocket | undefined;
  const serve = (socket: WebSocket): void => {
    newest?.close(4000, 'only one');
    newest = socket;
    echoOn(socket);
  };
  assert.deepEqual(await faultsOf(t, serve, { connections: 3 }), [
    'simultaneous: expected 3 connections open at once, each answering its own echo; got 1 of 3 answered, 2 were closed meanwhile: close code 4000 (only one)',
  ]);
});

test('a check that does not fit the target says so, rather than what it depends on', {
  timeout: 30_000,
}, async (t) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => socket.on('error', () => {}));
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { result } = await quick(planFor(url, { target: preset('echo'), timeoutMs: 200 }));
  assert.equal(result.checks.find(({ id }) => id === 'echo')?.status, 'failed');
  assert.equal(
    result.checks.find(({ id }) => id === 'typed-answers')?.detail,
    'is about the wsbench protocol, which echo does not speak',
  );
});

test('a target that opens and then says nothing at all is done with in bounded time', {
  timeout: 30_000,
}, async (t) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const key = /^sec-websocket-key: (.*)\r$/im.exec(String(request))?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const lines = [
        'HTTP/1.1 101 OK',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${accept}`,
      ];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { result } = await quick(planFor(url, { target: preset('echo'), timeoutMs: 400 }));
  const seen = verdicts(result);
  assert.equal(
    seen['bad-frame'],
    'failed: expected close code 1002 after a reserved opcode (0x3); got the connection stayed open',
  );
  // Six checks wait once each.
  assert.ok(result.run.durationMs < 6 * 400 + 2000, `${result.run.durationMs} ms`);
});
