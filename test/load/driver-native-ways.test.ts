// The ways of the native driver to a target: TLS, certificates of our own, proxies, local addresses, Unix sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import { WsbenchError } from '../../lib/errors.ts';
import type { NativeOptions } from '../../lib/load/drivers/native.ts';
import { type ConnectSpec, createNativeDriver, type Driver } from '../../lib/load/index.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { listen } from '../transport/peer.ts';
import { Notes } from './driver-contract.ts';

const timeout = 30_000;

/** Echoes on a server, and returns its port. */
async function echo(t: TestContext, server: Server, where: string | number = 0): Promise<number> {
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  if (typeof where === 'string') server.listen(where);
  else server.listen(where, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  return typeof where === 'string' ? 0 : (server.address() as AddressInfo).port;
}

function open(driver: Driver, url: string, changes: Partial<ConnectSpec> = {}) {
  const sink = new Notes();
  const spec = { url, headers: [], subprotocols: [], timeoutMs: 5000, insecure: false, ...changes };
  return { sink, connection: driver.open(spec, sink) };
}

/** Messages of many sizes there and back, in several flushes, pings between them. */
async function talk(driver: Driver, url: string, changes: Partial<ConnectSpec> = {}): Promise<Notes> {
  const { sink, connection } = open(driver, url, changes);
  await sink.until(() => sink.calls.length > 0);
  assert.deepEqual(sink.calls, ['opened'], sink.failure?.detail);
  const sent: string[] = [];
  for (let round = 0; round < 40; round++) {
    for (const size of [1, 130, 5000, round === 7 ? 100_000 : 40]) {
      const text = `${round} `.repeat(size).slice(0, size);
      sent.push(text);
      connection.queue({ bytes: Buffer.from(text), binary: false, stamp: () => {} }, 0, 0);
    }
    connection.flush();
    connection.ping();
    if (round % 10 === 0) await sink.until(() => sink.messages.length === sent.length);
  }
  await sink.until(() => sink.messages.length === sent.length && sink.pongs.length > 0);
  assert.deepEqual(
    sink.messages.map(({ text }) => String(text)),
    sent,
  );
  assert.equal(connection.bufferedBytes, 0);
  connection.close(1000, '');
  await sink.until(() => sink.close !== undefined);
  assert.deepEqual(sink.close, { code: 1000, by: 'us', clean: true });
  return sink;
}

test('TLS: an authority of its own, the name of the certificate, any certificate', { timeout }, async (t) => {
  const own = selfSigned({ host: 'target.example' });
  const port = await echo(t, createSecureServer(own));
  const url = `wss://127.0.0.1:${port}/`;
  const driver = createNativeDriver({ servername: 'target.example' });
  const { split } = await talk(driver, url, { caCertificates: own.cert });
  assert.ok((split?.tlsUs ?? 0) > 0);
  await talk(createNativeDriver(), url, { insecure: true });
  const { sink } = open(createNativeDriver(), url, { caCertificates: own.cert });
  await sink.until(() => sink.failure !== undefined);
  assert.equal(sink.failure?.kind, 'tls');
  const unreadable = open(createNativeDriver(), url, { caCertificates: 'no PEM' });
  await unreadable.sink.until(() => unreadable.sink.failure !== undefined);
  assert.deepEqual(unreadable.sink.calls, ['failed']);
  assert.equal(unreadable.sink.failure?.kind, 'tls');
});

test('a certificate of our own is shown', { timeout }, async (t) => {
  const server = selfSigned();
  const client = selfSigned({ host: 'client.example' });
  const shown: string[] = [];
  const https = createSecureServer({ ...server, requestCert: true, ca: [client.cert] });
  https.on('secureConnection', (socket: TLSSocket) =>
    shown.push(socket.getPeerCertificate().subjectaltname ?? ''),
  );
  const url = `wss://localhost:${await echo(t, https)}/`;
  await talk(createNativeDriver({ clientCertificate: client }), url, { caCertificates: server.cert });
  assert.deepEqual(shown, ['DNS:client.example']);
  const wrong: NativeOptions = { clientCertificate: { cert: client.cert, key: 'no PEM' } };
  assert.throws(
    () => createNativeDriver(wrong),
    (error) => error instanceof WsbenchError && error.code === 'USAGE',
  );
});

test('through an HTTP proxy, whose dialogue counts as TCP', { timeout }, async (t) => {
  const asked: string[] = [];
  const target = await echo(t, createServer());
  const proxy = await listen(t, (client) =>
    client.once('data', (chunk) => {
      asked.push(/^CONNECT (\S+)/.exec(String(chunk))?.[1] ?? '');
      const upstream = connectTcp({ port: target, host: '127.0.0.1' }, () => {
        setTimeout(() => client.write('HTTP/1.1 200 OK\r\n\r\n'), 50);
        client.pipe(upstream).pipe(client);
      });
      upstream.on('error', () => client.destroy());
    }),
  );
  const driver = createNativeDriver({ proxy: `http://127.0.0.1:${proxy}` });
  const { split } = await talk(driver, 'ws://target.example:7777/');
  assert.deepEqual(asked, ['target.example:7777']);
  assert.ok(split && split.tcpUs > 45_000);
  assert.ok(Math.abs(split.totalUs - split.tcpUs - split.upgradeUs) < 1);
});

test('from local addresses in turn, with user and password of the URL', { timeout }, async (t) => {
  const from: string[] = [];
  const credentials = new Set<string>();
  const server = createServer();
  server.on('upgrade', ({ socket, headers }) => {
    from.push(socket.remoteAddress ?? '');
    credentials.add(headers.authorization ?? '');
  });
  const port = await echo(t, server);
  const driver = createNativeDriver({ localAddresses: ['127.0.0.2', '127.0.0.3'] });
  for (let turn = 0; turn < 4; turn++) await talk(driver, `ws://me:secret@127.0.0.1:${port}/`);
  assert.deepEqual(from, ['127.0.0.2', '127.0.0.3', '127.0.0.2', '127.0.0.3']);
  assert.deepEqual([...credentials], [`Basic ${btoa('me:secret')}`]);
});

test('a header that no request can carry is a failed connect', { timeout }, async (t) => {
  const port = await echo(t, createServer());
  for (const value of ['line\r\nbreak', 'snow ☃']) {
    const { sink } = open(createNativeDriver(), `ws://127.0.0.1:${port}/`, { headers: [['X-A', value]] });
    await sink.until(() => sink.failure !== undefined);
    assert.equal(sink.failure?.kind, 'handshake');
    assert.deepEqual(sink.calls, ['failed']);
  }
});

test('a Unix socket', { timeout, skip: process.platform === 'win32' }, async (t) => {
  const path = join(tmpdir(), `wsbench-native-${process.pid}.sock`);
  await echo(t, createServer(), path);
  await talk(createNativeDriver(), `ws+unix:${path}:/chat`);
});
