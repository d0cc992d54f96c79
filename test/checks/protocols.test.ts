// Protocols that others implemented: socket.io, graphql-ws and JSON-RPC servers from npm, by their presets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { JSONRPCServer } from 'json-rpc-2.0';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocketServer } from 'ws';
import { quick } from '../../lib/quick.ts';
import { mintToken } from '../../lib/token.ts';
import { verdicts } from './quick-plan.ts';

const secret = 'a secret of more than thirty-two bytes';
const generic = ['connect', 'ping-frame', 'request', 'simultaneous', 'clean-close', 'bad-frame'];

async function socketIo(t: TestContext, accepts: (token: unknown) => boolean): Promise<string> {
  const http = createServer();
  const io = new SocketIoServer(http);
  io.use((socket, next) => {
    const { token } = socket.handshake.auth as { token?: unknown };
    next(accepts(token) ? undefined : new Error('who are you?'));
  });
  io.on('connection', (socket) => {
    socket.emit('news', 1);
    socket.on('ping', (data: unknown, reply: (answer: unknown) => void) => reply(data));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => io.close());
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

test('socket.io: events are acknowledged, beside its own heartbeats', { timeout: 30_000 }, async (t) => {
  const url = await socketIo(t, () => true);
  const result = await quick(url, { preset: 'socket.io', timeoutMs: 1500 });
  const seen = verdicts(result);
  for (const id of generic) assert.equal(seen[id], 'passed', id);
  assert.match(result.checks.find(({ id }) => id === 'request')?.detail ?? '', /^5 of 5 .*4 at once/);
  assert.equal(result.outcome, 'passed', JSON.stringify(result.reasons));
});

test('socket.io: an event that nobody acknowledges is said to get no reply', {
  timeout: 30_000,
}, async (t) => {
  const url = await socketIo(t, () => true);
  const options = { preset: 'socket.io', variables: { event: 'nobody' }, timeoutMs: 400, only: ['request'] };
  const { checks } = await quick(url, options);
  assert.match(checks[0]?.got ?? '', /^no reply/);
});

test('socket.io: a middleware that wants a token refuses the join in so many words', {
  timeout: 30_000,
}, async (t) => {
  const token = await mintToken({ secret });
  const url = await socketIo(t, (given) => given === token);
  const refused = await quick(url, { preset: 'socket.io', timeoutMs: 600, only: ['connect'] });
  assert.match(refused.checks[0]?.got ?? '', /the join waits for .*40.* and was refused, .*who are you\?/);
  const accepted = await quick(url, { preset: 'socket.io', token, timeoutMs: 1000, only: ['request'] });
  assert.equal(verdicts(accepted).request, 'passed');
});

async function graphql(t: TestContext): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/graphql' });
  useServer(
    {
      schema: buildSchema('type Query { hello: String }'),
      roots: { query: { hello: () => 'world' } },
      onConnect: ({ connectionParams }) => connectionParams?.Authorization !== 'Bearer wrong-token',
    },
    server,
  );
  await once(server, 'listening');
  t.after(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

test('graphql-ws: each operation gets its result', { timeout: 30_000 }, async (t) => {
  const options = { preset: 'graphql-ws', variables: { query: '{ hello }' }, timeoutMs: 1500 };
  const result = await quick(await graphql(t), options);
  const seen = verdicts(result);
  for (const id of generic) assert.equal(seen[id], 'passed', id);
  assert.match(
    result.checks.find(({ id }) => id === 'connect')?.detail ?? '',
    /subprotocol graphql-transport-ws/,
  );
});

test('graphql-ws: errors and refusals are said as what they are', { timeout: 30_000 }, async (t) => {
  const url = await graphql(t);
  const wrong = { preset: 'graphql-ws', variables: { query: '{ goodbye }' }, timeoutMs: 1000 };
  const asked = await quick(url, { ...wrong, only: ['request'] });
  assert.match(asked.checks[0]?.got ?? '', /request 1 of 5 refused: Cannot query field .?"goodbye/);
  const denied = await quick(url, { ...wrong, token: 'wrong-token', only: ['connect'] });
  assert.match(
    denied.checks[0]?.got ?? '',
    /the join waits for \/type = "connection_ack"; close code 4403 \(Forbidden\)/,
  );
  const bare = await quick(url, { timeoutMs: 1000, only: ['connect'] });
  assert.match(bare.checks[0]?.got ?? '', /close code 4406 .*: --preset graphql-ws$/);
});

async function jsonRpc(t: TestContext): Promise<string> {
  const calls = new JSONRPCServer();
  calls.addMethod('ping', () => 'pong');
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data) => {
      void calls.receiveJSON(String(data)).then((answer) => answer && socket.send(JSON.stringify(answer)));
    });
  });
  await once(server, 'listening');
  t.after(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('JSON-RPC: calls are answered, and a method that is none is refused by its code', {
  timeout: 30_000,
}, async (t) => {
  const url = await jsonRpc(t);
  const good = verdicts(await quick(url, { preset: 'json-rpc', timeoutMs: 1000 }));
  for (const id of generic) assert.equal(good[id], 'passed', id);
  const options = { preset: 'json-rpc', variables: { method: 'none' }, timeoutMs: 1000 };
  const { checks } = await quick(url, { ...options, only: ['request'] });
  assert.match(checks[0]?.got ?? '', /request 1 of 5 refused: -32601/);
});
