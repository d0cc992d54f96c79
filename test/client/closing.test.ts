// `close()` in each state: the process ends by itself, and soon.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { type ClientState, createClient, stateTransitions } from '../../lib/client/index.ts';
import { listening } from '../reference-server/servers.ts';

const timeout = 60_000;
const child = fileURLToPath(new URL('./closing-child.js', import.meta.url));
const boundMs = 100;
/** On a busy machine a process that has nothing left to do may wait for its turn. */
const allowanceMs = 1500;

const welcome = JSON.stringify({ type: 'WELCOME', payload: { sub: null } });

async function portOf(server: Server | WebSocketServer): Promise<number> {
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return address.port;
}

/** A server that does what brings a client into that state, and keeps it there. */
async function scripted(t: TestContext, state: ClientState): Promise<{ url: string; switchPort: number }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const port = await portOf(server);
  const sockets = new Set<WebSocket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    if (state === 'connecting') return;
    socket.send(welcome);
  });
  // Whatever connects here makes the other server announce its end.
  const toggle = createServer((socket) => {
    socket.on('error', () => {}).resume();
    for (const peer of sockets) peer.send('{"type":"DRAIN","payload":{"minMs":30000,"maxMs":40000}}');
  });
  toggle.listen(0, '127.0.0.1');
  const switchPort = await portOf(toggle);
  t.after(() => {
    for (const socket of sockets) socket.terminate();
    server.close();
    toggle.close();
  });
  return { url: `ws://127.0.0.1:${port}/`, switchPort };
}

for (const state of Object.keys(stateTransitions) as ClientState[]) {
  if (state === 'closed' || state === 'closing') continue;
  test(`close() while ${state} lets the process end`, { timeout }, async (t) => {
    const { url, switchPort } = await scripted(t, state);
    // `closing` follows `open`; AUTH and its like need a token.
    const token = ['fetching-token', 'authenticating'].includes(state) ? 'a-token' : '';
    const { stdout, code } = await new Promise<{ stdout: string; code: unknown }>((resolve) => {
      execFile(
        process.execPath,
        [child, state, url, token, String(switchPort)],
        { timeout: 20_000 },
        (error, text) => resolve({ stdout: text, code: error?.code ?? error?.signal ?? 0 }),
      );
    });
    assert.equal(code, 0);
    const { from, tookMs } = JSON.parse(stdout) as { from: string; tookMs: number };
    t.diagnostic(`${tookMs.toFixed(1)} ms; ${boundMs} ms on a quiet machine`);
    assert.equal(from, state);
    assert.ok(tookMs <= boundMs + allowanceMs, `${tookMs} ms`);
  });
}

test('the reference server answers the close frame, so nobody waits for the deadline', {
  timeout,
}, async (t) => {
  const server = await listening(t);
  const client = createClient(`${server.url}/ws`, { closeTimeoutMs: 30_000 });
  await client.connect();
  const closing = client.close();
  assert.equal(client.state, 'closing');
  assert.equal(client.close(), closing);
  await closing;
  assert.equal(client.state, 'closed');
});
