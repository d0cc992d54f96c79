// Frames that each are legal: too large, too many, too slow, cut off, never answered.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { guards } from '../../reference-server/guards.ts';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { startGuardedServer } from '../fixtures/server-process.ts';
import { Client } from '../reference-server/client.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { calm, eventually, frame, hex, isServed, settlesWithin, WireClient } from './wire-client.ts';

const timeout = 60_000;
const mib = 1024 ** 2;

test('FR-09 a length of 4 GiB closes with 1009 from the header alone, and nothing is allocated', {
  timeout,
}, async (t) => {
  const server = await startGuardedServer(t);
  const attack = async (path: string): Promise<number> => {
    const client = await WireClient.open(server, path);
    const startedMs = performance.now();
    client.write(hex('82 FF 0000000100000000 00000000'));
    assert.equal((await client.ended).code, 1009);
    return performance.now() - startedMs;
  };
  for (const path of ['/ws', '/ws/echo']) {
    await attack(path);
    const growths: number[] = [];
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const { rssBytes } = await server.figures();
      times.push(await attack(path));
      growths.push((await server.figures()).peakRssBytes - rssBytes);
    }
    t.diagnostic(
      `${path}: RSS +${growths.map((growth) => Math.round(growth / 1024)).join(', +')} KiB; after ${times.map((took) => took.toFixed(1)).join(', ')} ms`,
    );
    assert.ok(Math.min(...growths) < mib, `${path}: ${growths.join(', ')} bytes`);
  }
  await isServed(server);
});

test('FR-09 without maxMessageBytes: 4 GiB may come, and 1 MiB is taken', { timeout }, async (t) => {
  const server = await unguarded(t, { maxMessageBytes: 0 }, calm);
  const waiting = await WireClient.open(server);
  waiting.write(hex('81 FF 0000000100000000 00000000'));
  const client = await WireClient.open(server);
  client.write(frame(1, JSON.stringify({ type: 'ECHO', id: 'large', payload: 'x'.repeat(mib) })));
  await client.until(() => client.messages.some((text) => text.length > mib), 'echo of 1 MiB');
  assert.ok(!waiting.socket.destroyed && waiting.frames.every(({ opcode }) => opcode !== 8));
  waiting.destroy();
  client.destroy();
});

/** How many connections a server counts as ended with 1006: without a close frame. */
async function abnormal(server: ReferenceServer): Promise<number> {
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  return Number(/^wsbench_closes_total\{code="1006"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

const ends = [
  ['FIN', (client: WireClient) => client.socket.end()],
  ['RST', (client: WireClient) => client.socket.resetAndDestroy()],
] as const;

for (const [id, what, bytes] of [
  ['FR-17', 'cut in a character', hex('01 82 00000000 F09F')],
  ['FR-17', 'cut in a header', hex('81 FE 00')],
  ['FR-19', 'ended without a close frame', Buffer.alloc(0)],
] as const) {
  test(`${id} ${what}, by FIN or RST: counted as 1006 once, and given back`, { timeout }, async (t) => {
    const server = await listening(t, calm);
    const honest = await Client.open(`${server.url}/ws`);
    const tookMs: number[] = [];
    let ended = 0;
    for (const path of ['/ws', '/ws/echo']) {
      for (const [, end] of ends) {
        const client = await WireClient.open(server, path);
        client.write(bytes);
        // Sees that the bytes were read: what follows them is not lost in a reset.
        await eventually(() => server.app.connections.open.size === 2, 'the connection is known');
        await honest.request('PING');
        end(client);
        tookMs.push(await eventually(() => server.app.connections.open.size === 1, 'it is given back', 5000));
        assert.equal(await abnormal(server), ++ended);
      }
    }
    t.diagnostic(`given back after ${tookMs.map((took) => took.toFixed(0)).join(', ')} ms`);
    assert.ok(Math.min(...tookMs) <= 1000);
    assert.equal((await honest.request('PING')).type, 'PONG');
  });
}

/** Writes bytes one a segment, waiting for each to be on its way. */
async function dribble(client: WireClient, bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    client.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('FR-18 messages that come byte by byte on 200 connections are handled, and a byte costs little', {
  timeout,
}, async (t) => {
  const server = await startGuardedServer(t);
  await isServed(server);
  const clients = await Promise.all(Array.from({ length: 200 }, () => WireClient.open(server)));
  await server.figures();
  const message = frame(1, '{"type":"PING","id":"dribbled"}');
  await Promise.all(clients.map((client) => dribble(client, message)));
  const isAnswered = ({ messages }: WireClient): boolean =>
    messages.some((text) => text.includes('dribbled'));
  for (const client of clients) await client.until(() => isAnswered(client), 'PONG');
  const { cpuMs } = await server.figures();
  const perByteUs = (cpuMs * 1000) / (200 * message.length);
  t.diagnostic(`${perByteUs.toFixed(1)} µs of CPU a byte that comes alone`);
  // A kernel's read, an event, a look: 200 µs would be 50 times what a usual machine takes.
  assert.ok(perByteUs < 1000, `${perByteUs} µs`);
  await isServed(server);
  for (const client of clients) client.destroy();
});

/** Sends a message of so many pieces, each a read of the server's own, and says whether it was answered or how it ended. */
async function inPieces(server: ReferenceServer, pieces: number): Promise<number | 'answered'> {
  const client = await WireClient.open(server);
  const text = JSON.stringify({ type: 'ECHO', id: 'pieces', payload: 'x'.repeat(pieces) });
  const over = client.ended.then(({ code }) => code ?? 0);
  await dribble(client, frame(1, text));
  const answered = client.until(() => client.messages.some((got) => got.includes('pieces')), 'echo');
  const result = await Promise.race([over, answered.then(() => 'answered' as const)]).catch(() => over);
  client.destroy();
  return result;
}

test('FR-18 a message in too many pieces closes with 1008', { timeout }, async (t) => {
  const server = await unguarded(t, { maxBufferedChunks: 64 }, calm);
  assert.equal(await inPieces(server, 400), 1008);
  await isServed(server);
  const usual = await listening(t, calm);
  assert.equal(await inPieces(usual, 400), 'answered');
});

test('FR-18 without maxBufferedChunks: every piece of it is kept', { timeout }, async (t) => {
  const server = await unguarded(t, { maxBufferedChunks: 0 }, calm);
  assert.equal(await inPieces(server, 2 * guards.maxBufferedChunks), 'answered');
});

/** Sends a message in so many fragments. */
async function inFragments(server: ReferenceServer, count: number): Promise<WireClient> {
  const client = await WireClient.open(server);
  const text = '{"type":"PING","id":"fragments"}';
  client.write(frame(1, text, { fin: false }));
  for (let n = 2; n < count; n++) client.write(frame(0, '', { fin: false }));
  client.write(frame(0, ''));
  return client;
}

test('FR-18 a message in too many fragments closes with 1008', { timeout }, async (t) => {
  const server = await listening(t, calm);
  assert.equal((await (await inFragments(server, guards.maxFragments + 1)).ended).code, 1008);
  const most = await inFragments(server, guards.maxFragments);
  await most.until(() => most.messages.some((text) => text.includes('fragments')), 'PONG');
  most.destroy();
});

test('FR-18 without maxFragments: any number of them is taken', { timeout }, async (t) => {
  const server = await unguarded(t, { maxFragments: 0 }, calm);
  const client = await inFragments(server, 5000);
  await client.until(() => client.messages.some((text) => text.includes('fragments')), 'PONG');
  client.destroy();
});

/** A client that breaks a rule, reads nothing from then on, and keeps its end open. Resolves when the server let go of it. */
async function stubborn(t: TestContext, server: ReferenceServer): Promise<{ gone: Promise<number> }> {
  const sockets = (): Promise<number> =>
    new Promise((resolve) => server.app.server.getConnections((_error, count) => resolve(count)));
  const client = await WireClient.open(server);
  t.after(() => client.destroy());
  client.socket.pause();
  client.write(hex('81 01 78'));
  const gone = eventually(async () => (await sockets()) === 0, 'the socket is given back', 30_000);
  return { gone };
}

test('FR-20 a peer that never answers a close frame is gone within the close timeout', {
  timeout,
}, async (t) => {
  assert.ok(guards.closeTimeoutMs <= 5000);
  const server = await listening(t, calm);
  const tookMs = await (await stubborn(t, server)).gone;
  t.diagnostic(`gone after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs <= 5000, `${tookMs} ms`);
  await isServed(server);
});

test('FR-20 without closeTimeoutMs: it holds its connection', { timeout }, async (t) => {
  const server = await unguarded(t, { closeTimeoutMs: 600_000 }, calm);
  const { gone } = await stubborn(t, server);
  // Longer than the usual bound.
  assert.equal(await settlesWithin(gone, guards.closeTimeoutMs + 1000), false);
  for (const { socket } of server.app.connections.open) socket.terminate();
  await gone;
});

const empty = hex('81 80 00000000');

test('FR-23 each empty message is answered by INVALID_JSON, and the fifth in a row ends it', {
  timeout,
}, async (t) => {
  const server = await listening(t, calm);
  const client = await WireClient.open(server);
  client.write(Buffer.concat(Array.from({ length: 10_000 }, () => empty)));
  const end = await client.closed();
  assert.deepEqual([end.code, end.reason], [4400, 'BAD_REQUEST']);
  const answers = client.messages.slice(1);
  assert.ok(answers.length === 5 && answers.every((text) => text.includes('"INVALID_JSON"')));
  await isServed(server);
});

test('FR-23 without maxInvalidInRow: all of 10,000 are answered', { timeout }, async (t) => {
  const server = await unguarded(t, { maxInvalidInRow: Number.POSITIVE_INFINITY }, calm);
  const client = await WireClient.open(server);
  client.write(Buffer.concat(Array.from({ length: 10_000 }, () => empty)));
  await client.until(() => client.frames.length === 10_001, '10,000 answers');
  client.destroy();
  await isServed(server);
});

test('FR-23 empty messages cost as much as others: 4429 after the burst and what may be refused', {
  timeout,
}, async (t) => {
  // Their own bound would end it first.
  const without = { maxInvalidInRow: Number.POSITIVE_INFINITY };
  const server = await unguarded(t, without, { limits: 'test', ...calm });
  const client = await WireClient.open(server);
  client.write(Buffer.concat(Array.from({ length: 10_000 }, () => empty)));
  const end = await client.closed();
  assert.deepEqual([end.code, end.reason], [4429, 'RATE_LIMITED']);
  const taken = client.messages.filter((text) => text.includes('"INVALID_JSON"')).length;
  t.diagnostic(`${taken} were taken`);
  assert.ok(taken >= 20 && taken <= 30, `${taken} were taken of a burst of 20`);
});
