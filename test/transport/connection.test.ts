// Bytes both ways: reads, writes, pieces, backpressure, half-close, RST, and the log of the wire.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { tlsSettings } from '../../lib/transport/tls-settings.ts';
import { formatWireLog, WireLog } from '../../lib/transport/wire-log.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { accept, isOpen, isOver, listen, opened } from './peer.ts';

const url = (port: number): string => `ws://127.0.0.1:${port}/chat?x=1`;

/** A connection to a server whose socket is at hand. */
async function pair(t: TestContext, options: Parameters<typeof opened>[2] = {}) {
  const sockets: Socket[] = [];
  const port = await listen(t, (socket) => sockets.push(socket));
  const { connection, seen } = opened(t, url(port), options);
  await seen.until(isOpen);
  while (sockets.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const [peer] = sockets;
  assert.ok(peer);
  return { connection, seen, peer };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('before the handshake: bytes both ways, and how long it took', { timeout: 10_000 }, async (t) => {
  const { connection, seen, peer } = await pair(t);
  assert.equal(seen.handshake, null);
  assert.ok(seen.times && seen.times.tcpUs > 0 && seen.times.totalUs >= seen.times.tcpUs);
  assert.deepEqual(
    [seen.times.dnsUs, seen.times.proxyUs, seen.times.tlsUs, seen.times.upgradeUs],
    [null, null, null, null],
  );
  const heard: Buffer[] = [];
  peer.on('data', (chunk) => heard.push(chunk));
  connection.write(Buffer.from('hello'));
  await until(() => heard.length > 0);
  assert.equal(Buffer.concat(heard).toString(), 'hello');
  peer.write('world');
  await seen.until(({ bytes }) => bytes.length === 5);
  assert.equal(seen.bytes.toString(), 'world');
  assert.equal(connection.local?.port, peer.remotePort);
});

test('a name is looked up, and that is timed', { timeout: 10_000 }, async (t) => {
  const port = await listen(t, () => {});
  const { seen } = opened(t, `ws://localhost:${port}/`);
  await seen.until(isOpen);
  assert.ok(seen.times && seen.times.dnsUs !== null && seen.times.dnsUs > 0, JSON.stringify(seen.failed));
});

test('after the handshake: the request, the agreement, and what came with the head', {
  timeout: 10_000,
}, async (t) => {
  const port = await listen(t, (socket) => accept(socket, () => {}, Buffer.from('8100', 'hex')));
  const log = new WireLog();
  const { seen } = opened(t, url(port), { upgrade: { headers: [['Origin', 'http://a']] }, wireLog: log });
  await seen.until(({ bytes }) => bytes.length === 2);
  assert.equal(seen.handshake?.response.status, 101);
  assert.equal(seen.handshake?.subprotocol, '');
  assert.ok((seen.times?.upgradeUs ?? 0) > 0);
  const request = log.entries[0]?.bytes.toString() ?? '';
  assert.match(request, new RegExp(`^GET /chat\\?x=1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`));
  assert.match(request, /\r\nOrigin: http:\/\/a\r\n/);
  assert.deepEqual(seen.bytes, Buffer.from('8100', 'hex'));
});

test('pieces arrive one by one, and what is written meanwhile comes after them', {
  timeout: 10_000,
}, async (t) => {
  const { connection, peer } = await pair(t);
  const reads: string[] = [];
  let over = false;
  peer.on('data', (chunk) => reads.push(chunk.toString()));
  peer.on('end', () => {
    over = true;
  });
  connection.chop(Buffer.from('abcdefgh'), { sizes: [1, 3], delayMs: 20 });
  connection.write(Buffer.from('XYZ'));
  assert.equal(connection.bufferedBytes, 10);
  connection.end();
  await until(() => over);
  assert.deepEqual(reads, ['a', 'bcd', 'e', 'fgh', 'XYZ']);
  assert.equal(connection.bufferedBytes, 0);
  assert.throws(() => connection.chop(Buffer.from('a'), { sizes: [0] }), RangeError);
  assert.throws(() => connection.chop(Buffer.from('a'), { sizes: [] }), RangeError);
});

test('writes that are corked leave together', { timeout: 10_000 }, async (t) => {
  const { connection, peer } = await pair(t);
  const reads: string[] = [];
  peer.on('data', (chunk) => reads.push(chunk.toString()));
  connection.cork();
  for (const text of ['a', 'b', 'c']) connection.write(Buffer.from(text));
  assert.ok(connection.bufferedBytes === 3);
  connection.uncork();
  await until(() => reads.length > 0);
  assert.deepEqual(reads, ['abc']);
});

test('half-close: our direction ends, theirs goes on', { timeout: 10_000 }, async (t) => {
  const { connection, seen, peer } = await pair(t);
  peer.resume();
  peer.on('end', () => peer.end('still here'));
  connection.end();
  await seen.until(isOver);
  assert.equal(seen.bytes.toString(), 'still here');
  assert.ok(seen.hasEnded);
  assert.equal(seen.closed, null);
});

test('half-close by the peer: ours goes on', { timeout: 10_000 }, async (t) => {
  const { connection, seen, peer } = await pair(t);
  const heard: Buffer[] = [];
  peer.on('data', (chunk) => heard.push(chunk));
  peer.end();
  await seen.until(({ hasEnded }) => hasEnded);
  assert.equal(seen.closed, undefined);
  connection.write(Buffer.from('one more'));
  await until(() => heard.length > 0);
  connection.end();
  await seen.until(isOver);
  assert.equal(seen.closed, null);
});

test('a RST of ours, and nothing is told after it', { timeout: 10_000 }, async (t) => {
  const { connection, seen, peer } = await pair(t);
  let code = '';
  peer.resume();
  peer.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? '';
  });
  connection.reset();
  await until(() => code !== '');
  assert.equal(code, 'ECONNRESET');
  assert.equal(seen.closed, undefined);
  assert.equal(connection.write(Buffer.from('x')), false);
});

test('a RST of theirs', { timeout: 10_000 }, async (t) => {
  const { seen, peer } = await pair(t);
  peer.resetAndDestroy();
  await seen.until(isOver);
  assert.deepEqual(seen.closed, { kind: 'reset', detail: 'the connection was reset (read ECONNRESET)' });
});

test('backpressure: what we do not read fills up, what they do not read we count', {
  timeout: 20_000,
}, async (t) => {
  const { connection, seen, peer } = await pair(t);
  peer.pause();
  const mebibyte = Buffer.alloc(2 ** 20);
  let written = 0;
  while (connection.write(mebibyte) || written < 16) written++;
  assert.ok(connection.bufferedBytes >= 2 ** 20, `${connection.bufferedBytes}`);
  peer.resume();
  await seen.until(({ drains }) => drains > 0);
  assert.equal(connection.bufferedBytes, 0);

  connection.pause();
  for (let count = 0; count < 12; count++) peer.write(mebibyte);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = seen.bytes.length;
  assert.ok(peer.writableLength > 2 ** 20);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(seen.bytes.length, before, 'something was read');
  connection.resume();
  await until(() => peer.writableLength === 0);
  await seen.until(({ bytes }) => bytes.length === 12 * 2 ** 20);
});

test('a Unix socket, as the ws package writes it', { timeout: 10_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wsbench-unix-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'a socket');
  let request = '';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      request += chunk.toString();
    });
    accept(socket);
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const { connection, seen } = opened(t, `ws+unix:${path}:/chat?a=b`, { upgrade: {} });
  await seen.until(isOpen);
  assert.equal(seen.handshake?.response.status, 101, JSON.stringify(seen.failed));
  assert.match(request, /^GET \/chat\?a=b HTTP\/1\.1\r\nHost: localhost\r\n/);
  connection.reset();
});

test('the log of the wire, as text', { timeout: 10_000 }, async (t) => {
  const log = new WireLog(20);
  const { connection, seen, peer } = await pair(t, { wireLog: log });
  connection.write(Buffer.from('GET / HTTP/1.1\r\n'));
  peer.write(Buffer.from('00ff41', 'hex'));
  await seen.until(({ bytes }) => bytes.length === 3);
  peer.write('more than it keeps');
  await seen.until(({ bytes }) => bytes.length > 3);
  const lines = formatWireLog(log.entries).split('\n');
  assert.match(
    lines[0] ?? '',
    /^ {5}0\.000 {2}→ {2}0000 {2}47 45 54 20 2f 20 48 54 {2}54 50 2f 31 2e 31 0d 0a {2}GET \/ HTTP\/1\.1\.\.$/,
  );
  assert.match(lines[1] ?? '', /^ +\d+\.\d{3} {2}← {2}0000 {2}00 ff 41 +\.\.A$/);
  assert.match(lines[2] ?? '', /^ +\d+\.\d{3} {2}← {2}0000 {2}6d +m$/);
  assert.match(lines[3] ?? '', /… 17 more bytes$/);
});

test('nothing is told after destroy, opening or open', { timeout: 10_000 }, async (t) => {
  const port = await listen(t, (socket) => socket.write('hello'));
  const first = opened(t, url(port), { timeoutMs: 2 ** 40 });
  assert.equal(first.connection.write(Buffer.from('too early')), false);
  first.connection.destroy();
  const second = opened(t, url(port));
  await second.seen.until(isOpen);
  second.connection.destroy();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.deepEqual(
    [first.seen.times, first.seen.failed, first.seen.closed],
    [undefined, undefined, undefined],
  );
  assert.deepEqual([second.seen.failed, second.seen.closed], [undefined, undefined]);
});

test('inside TLS: pieces, half-close, RST, and a log in clear text', { timeout: 10_000 }, async (t) => {
  const own = selfSigned();
  const reads: string[] = [];
  const ends: string[] = [];
  const server = createTlsServer({ ...own, allowHalfOpen: true }, (socket) => {
    socket.on('data', (chunk) => reads.push(chunk.toString()));
    socket.on('end', () => {
      ends.push('end');
      socket.end('still here');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const wss = `wss://localhost:${(server.address() as AddressInfo).port}/`;
  const tls = tlsSettings({ ca: own.cert });
  const log = new WireLog();

  const first = opened(t, wss, { tls, wireLog: log });
  await first.seen.until(isOpen);
  first.connection.chop(Buffer.from('abcd'), { sizes: [3], delayMs: 20 });
  first.connection.end();
  await first.seen.until(isOver);
  assert.equal(first.seen.bytes.toString(), 'still here');
  assert.equal(first.seen.closed, null);
  assert.deepEqual(reads, ['abc', 'd']);
  assert.deepEqual(
    log.entries.map(({ direction, bytes }) => `${direction} ${bytes}`),
    ['out abc', 'out d', 'in still here'],
  );

  const second = opened(t, wss, { tls });
  await second.seen.until(isOpen);
  second.connection.write(Buffer.from('x'));
  await until(() => reads.length === 3);
  second.connection.reset();
  await until(() => ends.length === 2);
  assert.deepEqual(ends, ['end', 'ECONNRESET']);
});
