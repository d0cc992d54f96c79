// Clients that do not read what they ask for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { Connection } from '../../reference-server/connection.ts';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { Client } from '../reference-server/client.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { besieged, frame, intrude, text, until } from './siege.ts';

const timeout = 40_000;
const heartbeat = { intervalMs: 60_000, timeoutMs: 60_000 };
const off = Number.POSITIVE_INFINITY;
const mebibyte = 1024 ** 2;

/** Asks for 64 MiB and reads nothing of it. */
async function greedy(
  server: ReferenceServer,
  path = '/ws',
): Promise<{
  socket: Socket;
  connection: Connection;
  ended: Promise<{ code: number | null; reason: string }>;
}> {
  const { socket, ended } = await intrude(server.url + path);
  socket.pause();
  const request = text({ type: 'ECHO', payload: 'x'.repeat(64_000) });
  for (let n = 0; n < 1050; n++) socket.write(request);
  const connection = [...server.app.connections.open].at(-1);
  assert.ok(connection);
  return { socket, connection, ended };
}

for (const path of ['/ws', '/ws/echo']) {
  test(`RS-05 who reads nothing on ${path} is not read either, and closed with 1008 within 5 s`, {
    timeout,
  }, async (t) => {
    const server = await listening(t, { heartbeat });
    const honest = await Client.open(`${server.url}/ws`);
    const { socket, connection, ended } = await greedy(server, path);
    await until(() => connection.isSlow, 'it is slow');
    const slowAtMs = performance.now();
    let most = 0;
    await until(() => {
      most = Math.max(most, connection.socket.bufferedAmount);
      return !connection.isOpen;
    }, 'it is closed');
    const ms = performance.now() - slowAtMs;
    t.diagnostic(`${most} bytes at most; closed after ${Math.round(ms)} ms`);
    assert.ok(most <= mebibyte, `${most} bytes`);
    assert.ok(ms > 3000 && ms < 5000, `${ms} ms`);
    // It may still learn why.
    socket.resume();
    assert.deepEqual(await ended, { code: 1008, reason: 'SLOW_CONSUMER' });
    assert.equal((await honest.request('PING')).type, 'PONG');
  });
}

test('RS-05 who reads again in time loses nothing', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat });
  const client = await Client.open(`${server.url}/ws`);
  client.socket.pause();
  const count = 400;
  for (let n = 0; n < count; n++) client.send({ type: 'ECHO', id: `${n}`, payload: 'x'.repeat(60_000) });
  const [connection] = server.app.connections.open;
  await until(() => connection?.isSlow === true, 'it is slow');
  client.socket.resume();
  for (let n = 0; n < count; n++) assert.equal((await client.next('ECHO')).id, `${n}`);
  assert.equal(connection?.isSlow, false);
});

test('RS-05 without slowConsumerMs: it may stay as it is', { timeout }, async (t) => {
  const server = await unguarded(t, { slowConsumerMs: 2 ** 31 }, { heartbeat });
  const { socket, connection } = await greedy(server);
  await until(() => connection.isSlow, 'it is slow');
  await new Promise((resolve) => setTimeout(resolve, 5500));
  assert.ok(connection.isOpen);
  socket.destroy();
});

test('RS-05 without pauseAboveBytes and maxBufferedBytes: all that it asked for lies with the server', {
  timeout,
}, async (t) => {
  const server = await unguarded(t, { pauseAboveBytes: off, maxBufferedBytes: off }, { heartbeat });
  const { socket, connection } = await greedy(server);
  await until(() => connection.socket.bufferedAmount > 32 * mebibyte, '32 MiB are unread');
  socket.destroy();
});

test('RS-05 without maxPendingAutoPongs: pongs pile up that nobody reads', { timeout }, async (t) => {
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(0x89, Buffer.alloc(125, 'p'))));
  const flood = async (server: ReferenceServer): Promise<Connection> => {
    const { socket } = await intrude(`${server.url}/ws`);
    t.after(() => socket.destroy());
    socket.pause();
    const connection = [...server.app.connections.open].at(-1);
    assert.ok(connection);
    for (let n = 0; n < 200 && connection.isOpen; n++) {
      if (!socket.write(pings)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
    return connection;
  };
  const guarded = await flood(await listening(t, { heartbeat }));
  await until(() => !guarded.isOpen, 'the flood ends');
  assert.ok(guarded.socket.bufferedAmount <= mebibyte, `${guarded.socket.bufferedAmount} bytes`);
  const open = await flood(await unguarded(t, { maxPendingAutoPongs: 0 }, { heartbeat }));
  await until(() => open.socket.bufferedAmount > 2 * mebibyte, '2 MiB of pongs');
  assert.ok(open.isOpen);
});

const subscribers = 20;

test('RS-06 a subscriber that stops reading goes; the others hear everything as fast as before', {
  timeout,
}, async (t) => {
  const server = await besieged(t, { options: { heartbeat }, subs: ['all'] });
  const [token = ''] = server.tokens;
  const readers = await Promise.all(
    Array.from({ length: subscribers }, () => Client.open(`${server.url}/ws`, token)),
  );
  const slow = await Client.open(`${server.url}/ws`, token);
  const writer = await Client.open(`${server.url}/ws`, token);
  for (const reader of [...readers, slow]) await reader.ack('SUBSCRIBE', { channel: 'c' });
  await slow.ack('SUBSCRIBE', { channel: 'large' });
  const delays: number[] = [];
  for (const { socket } of readers) {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; payload: { data: number } };
      if (message.type === 'MESSAGE') delays.push(performance.now() - message.payload.data);
    });
  }
  let sent = 0;
  let most = 0;
  /** Publishes for three seconds and returns how long deliveries took in 99 of 100 cases. */
  const phase = async (): Promise<number> => {
    delays.length = 0;
    const count = 150;
    const startedMs = performance.now();
    for (let n = 0; n < count; n++) {
      await new Promise((resolve) => setTimeout(resolve, startedMs + n * 20 - performance.now()));
      writer.send({ type: 'PUBLISH', payload: { channel: 'c', data: performance.now() } });
      // The kernel takes some MiB before anything is left to the server.
      writer.send({ type: 'PUBLISH', payload: { channel: 'large', data: 'x'.repeat(60_000) } });
      sent += 1;
      if (n % 10 === 9) most = Math.max(most, (await server.holdings()).unreadBytes);
    }
    await until(() => delays.length >= count * subscribers, 'all deliveries');
    delays.sort((a, b) => a - b);
    return delays[Math.floor(delays.length * 0.99)] ?? Number.NaN;
  };
  const before = await phase();
  slow.socket.pause();
  const during = await phase();
  await until(async () => (await server.holdings()).connections === subscribers + 1, 'the slow one is gone');
  t.diagnostic(
    `p99 ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms during; ${most} bytes unread at most`,
  );
  // Ten percent is the point; 25 ms is for a machine that does other things.
  assert.ok(during <= before * 1.1 + 25, `${before} ms → ${during} ms`);
  assert.ok(most <= mebibyte + 64 * 1024, `${most} bytes`);
  for (const reader of readers) {
    assert.equal(reader.inbox.filter(({ type }) => type === 'MESSAGE').length, sent);
  }
});

test('RS-06 without maxBufferedBytes: what one subscriber does not read is kept for it', {
  timeout,
}, async (t) => {
  const server = await unguarded(t, { maxBufferedBytes: off }, { heartbeat });
  const token = await server.mint();
  const slow = await Client.open(`${server.url}/ws`, token);
  const writer = await Client.open(`${server.url}/ws`, token);
  await slow.ack('SUBSCRIBE', { channel: 'c' });
  const [connection] = server.app.connections.open;
  assert.ok(connection);
  slow.socket.pause();
  for (let n = 0; n < 400; n++)
    writer.send({ type: 'PUBLISH', payload: { channel: 'c', data: 'x'.repeat(60_000) } });
  await until(() => connection.socket.bufferedAmount > 4 * mebibyte, '4 MiB are unread');
});
