// What each preset makes of a target that says no: to the connection, or to a message.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type StressOptions, type StressResult, stress } from '../../lib/index.ts';
import { emptyFolder } from '../cli/spawn.ts';
import { supabaseToken } from '../fixtures/preset-peers.ts';
import { type PeerOptions, startPeer } from '../fixtures/server-process.ts';

const short: StressOptions = {
  connections: 2,
  ratePerSecond: 50,
  durationMs: 500,
  warmupMs: 0,
  timeoutMs: 500,
};

interface Row<P extends keyof PeerOptions = keyof PeerOptions> {
  name: string;
  preset: string;
  peer: P;
  server: PeerOptions[P];
  path?: string;
  options?: StressOptions;
  says: RegExp;
}

const secret = 'the right secret, which is long enough';

// biome-ignore format: a table
const refusedConnections: Row[] = [
  { name: 'Socket.IO without a token', preset: 'socket.io', peer: 'socket-io', server: { token: 'right' }, says: /^refused: "44\{\\"message\\":\\"not authorized/ },
  { name: 'Socket.IO with a wrong token', preset: 'socket.io', peer: 'socket-io', server: { token: 'right' }, options: { tokens: ['wrong'] }, says: /not authorized/ },
  { name: 'Socket.IO with a token under another name', preset: 'socket.io', peer: 'socket-io', server: { token: 'right' }, options: { tokens: ['right'], variables: { auth: '{"key":"{{ token }}"}' } }, says: /not authorized/ },
  { name: 'a namespace that Socket.IO does not have', preset: 'socket.io', peer: 'socket-io', server: {}, options: { variables: { namespace: '/nowhere' } }, says: /Invalid namespace/ },
  { name: 'GraphQL without a token', preset: 'graphql-ws', peer: 'graphql', server: { token: 'right' }, says: /^it closed with 4403 "Forbidden"/ },
  { name: 'GraphQL with a wrong token', preset: 'graphql-ws', peer: 'graphql', server: { token: 'right' }, options: { tokens: ['wrong'] }, says: /4403/ },
  { name: 'a GraphQL subscription that is none', preset: 'graphql-ws', peer: 'graphql', server: {}, options: { variables: { subscription: 'subscription { nothing }' } }, says: /^refused: .*Cannot query field/ },
  { name: 'JSON-RPC without a token', preset: 'json-rpc', peer: 'json-rpc', server: { token: 'right' }, says: /^HTTP 401/ },
  { name: 'Supabase without its key', preset: 'phoenix', peer: 'phoenix', server: { apikey: 'key' }, path: '/realtime/v1/websocket', says: /^HTTP 401/ },
  { name: 'Supabase with a token of another', preset: 'phoenix', peer: 'phoenix', server: { secret }, options: { tokens: [supabaseToken(60, 'wrong')] }, says: /JwtSignatureError/ },
  { name: 'Supabase with an old token, version 2', preset: 'phoenix-v2', peer: 'phoenix', server: { secret }, options: { tokens: [supabaseToken(-60, secret)] }, says: /Token has expired/ },
  { name: 'a topic that Phoenix does not have', preset: 'phoenix', peer: 'phoenix', server: {}, options: { variables: { topic: 'nowhere' } }, says: /unmatched topic/ },
];

for (const { name, preset, peer, server, path = '', options, says } of refusedConnections) {
  test(`${name}: nobody gets in, and the report says why`, { timeout: 30_000 }, async (t) => {
    const { url } = await startPeer(t, peer, server);
    const result = await stress(`${url}${path}`, { ...short, preset, ...options });
    assert.equal(result.counters['connections.opened'], 0);
    assert.equal(result.counters['connections.failed'], 2);
    assert.equal(result.counters['messages.scheduled'], 0);
    assert.match(result.failures[0]?.detail ?? '', says);
    assert.equal(result.reasons[0]?.code, 'unreachable');
  });
}

const room = { topic: 'room:lobby', event: 'fail', payload: '{}' };

// biome-ignore format: a table
const refusedMessages: Row[] = [
  { name: 'JSON-RPC: an error', preset: 'json-rpc', peer: 'json-rpc', server: {}, options: { variables: { method: 'fail' } }, says: /^-32042$/ },
  { name: 'JSON-RPC: a method that is not there', preset: 'json-rpc', peer: 'json-rpc', server: {}, options: { variables: { method: 'nothing' } }, says: /^-32601$/ },
  { name: 'GraphQL: a query that is none', preset: 'graphql-ws', peer: 'graphql', server: {}, options: { variables: { query: '{ nothing }' } }, says: /^Cannot query field/ },
  { name: 'GraphQL: a field that does not resolve', preset: 'graphql-ws', peer: 'graphql', server: {}, options: { variables: { query: '{ broken }' } }, says: /^this field does not resolve$/ },
  { name: 'Phoenix: an error', preset: 'phoenix', peer: 'phoenix', server: {}, options: { variables: room }, says: /^asked to fail$/ },
  { name: 'Phoenix, version 2: an error', preset: 'phoenix-v2', peer: 'phoenix', server: {}, options: { variables: room }, says: /^asked to fail$/ },
];

for (const { name, preset, peer, server, options, says } of refusedMessages) {
  test(`${name} is a refusal with its code`, { timeout: 30_000 }, async (t) => {
    const { url } = await startPeer(t, peer, server);
    const { counters, rejections } = await stress(url, { ...short, preset, ...options });
    assert.equal(counters['messages.scheduled'], 25);
    assert.equal(counters['messages.rejected'], 25);
    assert.equal(counters['messages.unexpected'], 0);
    assert.equal(rejections.length, 1);
    assert.match(rejections[0]?.code ?? '', says);
  });
}

test('Socket.IO: an event that is not acknowledged is lost', { timeout: 30_000 }, async (t) => {
  const { url } = await startPeer(t, 'socket-io');
  const { counters } = await stress(url, { ...short, preset: 'socket.io', variables: { event: 'silent' } });
  assert.equal(counters['messages.lost'], 25);
  assert.equal(counters['connections.abnormal'], 0);
});

/** A preset with another heartbeat, as a target file. */
function withHeartbeat(t: TestContext, preset: string, every: string): string {
  const text = readFileSync(
    new URL(`../../../scenarios/presets/${preset}.target.yml`, import.meta.url),
    'utf8',
  );
  assert.match(text, /every: 25s/);
  const file = join(emptyFolder(t), `${preset}.target.yml`);
  writeFileSync(file, text.replace('every: 25s', `every: ${every}`));
  return file;
}

for (const preset of ['phoenix', 'phoenix-v2']) {
  test(`${preset}: heartbeats keep connections that have nothing to say`, { timeout: 30_000 }, async (t) => {
    const { url } = await startPeer(t, 'phoenix', { idleMs: 900 });
    const run = (every: string): Promise<StressResult> =>
      stress(url, {
        targetFile: withHeartbeat(t, preset, every),
        connections: 4,
        ratePerSecond: 1,
        durationMs: 3000,
        warmupMs: 0,
      });
    const alive = await run('200ms');
    assert.equal(alive.counters['connections.abnormal'], 0);
    assert.equal(alive.openAtEnd, 4);
    assert.equal(alive.counters['messages.matched'], 3);
    assert.equal(alive.counters['messages.unexpected'], 0);
    assert.equal((await run('25s')).openAtEnd, 0);
  });
}
