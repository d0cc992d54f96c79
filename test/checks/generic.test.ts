// Servers that we did not write: what can be said of them without knowing anything, and of an echo.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
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

/** The same in Python. */
async function pythonEcho(t: TestContext): Promise<string> {
  const script = fileURLToPath(new URL('../../../test/fixtures/websockets_echo.py', import.meta.url));
  const python = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => python.stdin.end());
  const [port] = (await once(python.stdout, 'data')) as [Buffer];
  return `ws://127.0.0.1:${port.toString().trim()}/`;
}

const hasWebsockets =
  spawnSync('python3', ['-c', 'from websockets.asyncio.server import serve']).status === 0;

const servers = [
  { name: 'ws', start: wsEcho, skip: false },
  { name: 'Python websockets', start: pythonEcho, skip: skipUnless('websockets', hasWebsockets) },
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
      for (const id of [...generic, 'echo']) assert.equal(seen[id], 'passed', id);
      assert.equal(result.checks.find(({ id }) => id === 'heartbeat')?.detail, 'needs --preset wsbench');
    });
  });
}

test('an echo that alters what it gets fails echo', { timeout: 30_000 }, async (t) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(String(data).slice(0, 100), { binary }));
  });
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { result } = await quick(planFor(url, { target: preset('echo'), only: ['echo'], timeoutMs: 300 }));
  assert.equal(verdicts(result).echo, 'failed: expected 4 KiB of text back unchanged; got something else');
});
