// Runs that were not told how their target talks, against servers of the protocols that have presets.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { quick, type RunEvent, stress } from '../../lib/index.ts';
import { type PeerOptions, startLoadServer, startPeer, startTcpServer } from '../fixtures/server-process.ts';

interface Row<P extends keyof PeerOptions = keyof PeerOptions> {
  name: string;
  peer: P;
  options?: PeerOptions[P];
  path: string;
  subprotocols?: string[];
  says: RegExp;
}

const socketIo = /^the target speaks Socket\.IO: use --preset socket\.io -e event=NAME$/;
const graphql = /^the target speaks GraphQL \(graphql-transport-ws\): use --preset graphql-ws -e query=/;
const phoenix = /^the target speaks Phoenix Channels: use --preset phoenix -e topic=TOPIC$/;

// biome-ignore format: a table
const rows: Row[] = [
  { name: 'Socket.IO that greets', peer: 'socket-io', path: '/socket.io/?EIO=4&transport=websocket', says: socketIo },
  { name: 'Socket.IO that misses its query', peer: 'socket-io', path: '/socket.io/', says: socketIo },
  { name: 'Socket.IO without a path', peer: 'socket-io', path: '/', says: socketIo },
  { name: 'Socket.IO at another path', peer: 'socket-io', path: '/ws', says: /^the target speaks Socket\.IO at ws:\/\/127\.0\.0\.1:\d+\/socket\.io\/: use that URL, and --preset socket\.io/ },
  { name: 'GraphQL that misses its subprotocol', peer: 'graphql', path: '/graphql', says: graphql },
  { name: 'GraphQL that has its subprotocol', peer: 'graphql', path: '/graphql', subprotocols: ['graphql-transport-ws'], says: graphql },
  { name: 'Phoenix, version 1', peer: 'phoenix', path: '/socket/websocket', says: phoenix },
  { name: 'Phoenix, version 2', peer: 'phoenix', path: '/realtime/v1/websocket?vsn=2.0.0', says: phoenix },
  { name: 'JSON-RPC that notifies', peer: 'json-rpc', path: '/', options: { pushMs: 20 }, says: /^the target speaks JSON-RPC 2\.0: use --preset json-rpc -e method=NAME$/ },
];

const start = (t: TestContext, { peer, options }: Row) => startPeer(t, peer, options);

for (const row of rows) {
  test(`${row.name}: stress stops and names the preset, quick goes on`, { timeout: 30_000 }, async (t) => {
    const server = await start(t, row);
    const url = `${server.url}${row.path}`;
    const events: RunEvent[] = [];
    const options = row.subprotocols ? { subprotocols: row.subprotocols } : {};
    const run = stress(url, { durationMs: 500, ...options }, { onEvent: (event) => events.push(event) });
    await assert.rejects(run, { code: 'USAGE', message: row.says });
    assert.deepEqual(events, []);

    const warnings: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'warning') warnings.push(event.warning.message);
    };
    const result = await quick(url, { only: ['connect'], timeoutMs: 1500, ...options }, { onEvent });
    assert.match(warnings[0] ?? '', row.says);
    assert.deepEqual(
      result.checks.map(({ id }) => id),
      ['connect'],
    );
  });
}

test('with a preset or a target file nobody is looked at first', { timeout: 30_000 }, async (t) => {
  const server = await startPeer(t, 'graphql', {});
  const warnings: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'warning') warnings.push(event.warning.code);
  };
  const result = await stress(server.url, { preset: 'echo', durationMs: 300, timeoutMs: 300 }, { onEvent });
  assert.equal(warnings.includes('recognised'), false);
  // Ten connections as asked, none to look.
  assert.equal(result.counters['connections.attempted'], 10);
});

test('servers that say nothing, echo or hang up are nobody in particular', { timeout: 30_000 }, async (t) => {
  const echo = await startLoadServer(t, { mode: 'echo' });
  const mute = await startLoadServer(t, { mode: 'mute' });
  const rude = await startTcpServer(t, { hangUp: true });
  for (const url of [echo.url, `${echo.url}/echo/websocket`, `${mute.url}/`, rude.url]) {
    const warnings: string[] = [];
    await quick(
      url,
      { only: ['connect'], timeoutMs: 1500 },
      {
        onEvent: (event) => event.type === 'warning' && warnings.push(event.warning.code),
      },
    );
    assert.equal(warnings.includes('recognised'), false, url);
  }
});

test('JSON-RPC that speaks when it is spoken to: the probe finds out', { timeout: 30_000 }, async (t) => {
  const server = await startPeer(t, 'json-rpc', { pushMs: 60_000 });
  const result = await stress(server.url, { durationMs: 500, timeoutMs: 500 });
  assert.equal(result.reasons[0]?.code, 'target-description');
  assert.match(result.reasons[0]?.message ?? '', /; the target speaks JSON-RPC 2\.0: use --preset json-rpc/);
  assert.equal(result.counters['messages.scheduled'], 0);
});
