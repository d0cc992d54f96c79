// Every way in which a connect fails or a connection breaks has its kind, and says what was seen.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions as ServerOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { FailureKind } from '../../lib/cause/cause.ts';
import type { OpenOptions } from '../../lib/transport/connection.ts';
import { LocalPorts } from '../../lib/transport/local-ports.ts';
import { tlsSettings } from '../../lib/transport/tls-settings.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startFaultProxy } from '../fixtures/fault-proxy.ts';
import { accept, isOpen, isOver, listen, opened } from './peer.ts';

const upgrade = {};
const ws = (port: number): string => `ws://127.0.0.1:${port}/`;
const wss = (port: number, host = 'localhost'): string => `wss://${host}:${port}/`;

async function fails(
  t: TestContext,
  url: string,
  options: Partial<OpenOptions>,
  kind: FailureKind,
  detail: RegExp,
): Promise<void> {
  const { seen } = opened(t, url, options);
  await seen.until(isOpen);
  assert.ok(seen.failed, 'it opened');
  assert.match(seen.failed.detail, detail);
  assert.equal(seen.failed.kind, kind);
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('before there is a connection', () => {
  test('refused', { timeout: 10_000 }, async (t) =>
    fails(t, ws(await closedPort()), { upgrade }, 'refused', /ECONNREFUSED 127\.0\.0\.1/),
  );
  test('refused by all addresses of a name', { timeout: 10_000 }, async (t) =>
    fails(t, `ws://localhost:${await closedPort()}/`, {}, 'refused', /ECONNREFUSED/),
  );
  test('no such name', { timeout: 20_000 }, (t) => {
    const lookup: OpenOptions['lookup'] = (host, _options, callback) =>
      process.nextTick(
        callback,
        Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }),
        '',
        4,
      );
    return fails(t, 'ws://nowhere.invalid/', { lookup }, 'dns', /ENOTFOUND nowhere\.invalid/);
  });
  test('a name server that does not answer', { timeout: 10_000 }, (t) =>
    fails(
      t,
      'ws://nowhere.invalid/',
      { timeoutMs: 80, lookup: () => {} },
      'timeout',
      /80 ms, waiting for the name server/,
    ),
  );
  test('no such Unix socket', { timeout: 10_000 }, (t) =>
    fails(t, 'ws+unix:/nowhere/at/all.sock:/', {}, 'network', /ENOENT/),
  );
  test('wss:// without settings for TLS', { timeout: 10_000 }, (t) =>
    fails(t, 'wss://127.0.0.1:1/', {}, 'network', /settings for TLS/),
  );
});

describe('in the handshake', () => {
  // biome-ignore format: a table
  const answers: [name: string, answer: string | Buffer | null, kind: FailureKind, detail: RegExp][] = [
    ['404 with a body', 'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno such\r\n', 'http', /^HTTP 404 Not Found; body: no such$/],
    ['429 with Retry-After', 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n', 'http', /Retry-After: 7/],
    ['a body in chunks', 'HTTP/1.1 500 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'http', /body: hello world$/],
    ['a body without an end', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(2000)}`, 'http', /^HTTP 200 OK; body: x{200}/],
    ['a wrong accept', 'HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n', 'accept-key', /HTTP 101, but with a wrong Sec-WebSocket-Accept .*from our key \(RFC 6455 §4\.2\.2\)/],
    ['no Upgrade', 'HTTP/1.1 101 \r\n\r\n', 'handshake', /HTTP 101, but without the header Upgrade: websocket/],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'handshake', /not HTTP: it begins with "SSH-2\.0/],
    ['something like HTTP', 'HTTP/1.1 101 x\r\nbad line\r\n\r\n', 'handshake', /not HTTP \(a header line that is none/],
    ['a head without end', `HTTP/1.1 101 x\r\n${'A: b\r\n'.repeat(20_000)}`, 'handshake', /longer than 16 KiB/],
    ['a TLS alert', Buffer.from('15030100020246', 'hex'), 'tls', /the port speaks TLS/],
    ['nothing, and the end', null, 'reset', /closed without an HTTP answer/],
  ];
  for (const [name, answer, kind, detail] of answers) {
    test(name, { timeout: 10_000 }, async (t) => {
      const port = await listen(t, (socket) => {
        socket.resume();
        if (answer === null) socket.once('data', () => socket.end());
        else socket.write(answer);
      });
      await fails(t, ws(port), { upgrade }, kind, detail);
    });
  }

  test('a refusal whose body does not come is told without it', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, (socket) =>
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n'),
    );
    await fails(t, ws(port), { upgrade }, 'http', /^HTTP 503 Busy$/);
  });
  test('silence', { timeout: 10_000 }, async (t) =>
    fails(
      t,
      ws(await listen(t, () => {})),
      { upgrade, timeoutMs: 80 },
      'timeout',
      /no HTTP answer to the upgrade within 80 ms/,
    ),
  );
  test('a drip', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, (socket) => socket.write('HTTP/1.1 1'));
    await fails(t, ws(port), { upgrade, timeoutMs: 80 }, 'timeout', /10 bytes came/);
  });
  test('accepted, and reset', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    await fails(t, ws(port), { upgrade }, 'reset', /closed without an HTTP answer/);
  });
  test('a subprotocol that was not offered, an extension that was not offered', {
    timeout: 10_000,
  }, async (t) => {
    for (const [header, kind] of [
      ['Sec-WebSocket-Protocol: x', 'subprotocol'],
      ['Sec-WebSocket-Extensions: permessage-deflate', 'extension'],
    ] as const) {
      const port = await listen(t, (socket) => accept(socket, () => {}, Buffer.alloc(0), [header]));
      await fails(t, ws(port), { upgrade }, kind, /was not offered/);
    }
  });
});

test('a subprotocol that was offered, chosen or not', { timeout: 10_000 }, async (t) => {
  const choosing = await listen(t, (socket) =>
    accept(socket, () => {}, Buffer.alloc(0), ['Sec-WebSocket-Protocol: b']),
  );
  const silent = await listen(t, (socket) => accept(socket));
  const subprotocols = ['a', 'b'];
  for (const [port, chosen] of [
    [choosing, 'b'],
    [silent, ''],
  ] as const) {
    const { seen } = opened(t, ws(port), { upgrade: { subprotocols } });
    await seen.until(isOpen);
    assert.equal(seen.handshake?.subprotocol, chosen);
  }
  await fails(
    t,
    ws(silent),
    { upgrade: { subprotocols, subprotocolRequired: true } },
    'subprotocol',
    /chose none of the 2 subprotocols/,
  );
});

/** A TLS server that says hello. */
async function tlsServer(
  t: TestContext,
  options: ServerOptions,
  onError: (error: Error) => void = () => {},
): Promise<number> {
  const server = createTlsServer(options, (socket) => {
    socket.on('error', () => {});
    socket.write('hello');
  });
  server.on('tlsClientError', onError);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('TLS', () => {
  const own = selfSigned();
  const elsewhere = selfSigned({ host: 'elsewhere.example' });
  const expired = selfSigned({ expired: true });
  const trusting = (cert: string): OpenOptions['tls'] => tlsSettings({ ca: cert });

  test('an authority that is not known', { timeout: 10_000 }, async (t) =>
    fails(t, wss(await tlsServer(t, own)), { tls: tlsSettings() }, 'tls', /self.signed/i),
  );
  test('another name', { timeout: 10_000 }, async (t) =>
    fails(
      t,
      wss(await tlsServer(t, elsewhere)),
      { tls: tlsSettings({ ca: elsewhere.cert }) },
      'tls',
      /altnames/i,
    ),
  );
  test('expired', { timeout: 10_000 }, async (t) =>
    fails(t, wss(await tlsServer(t, expired)), { tls: tlsSettings({ ca: expired.cert }) }, 'tls', /EXPIRED/i),
  );
  test('a port that speaks plain text', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await fails(t, wss(port), { tls: tlsSettings() }, 'tls', /wrong version number|packet length too long/i);
  });
  test('a port that speaks TLS, asked in plain text', { timeout: 10_000 }, async (t) => {
    const { seen } = opened(t, ws(await tlsServer(t, own)), { upgrade });
    await seen.until(isOpen);
    // OpenSSL answers with an alert, or hangs up, as it likes.
    assert.ok(seen.failed?.kind === 'tls' || seen.failed?.kind === 'reset', JSON.stringify(seen.failed));
  });
  test('a version that we do not speak', { timeout: 10_000 }, async (t) => {
    const port = await tlsServer(t, {
      ...own,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await fails(
      t,
      wss(port),
      { tls: tlsSettings({ insecure: true }) },
      'tls',
      /protocol version|unsupported protocol|alert/i,
    );
  });
  test('silence', { timeout: 10_000 }, async (t) =>
    fails(
      t,
      wss(await listen(t, () => {})),
      { tls: tlsSettings(), timeoutMs: 100 },
      'timeout',
      /waiting for the TLS handshake/,
    ),
  );
  test('hung up', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, (socket) => socket.once('data', () => socket.end()));
    await fails(t, wss(port), { tls: tlsSettings() }, 'tls', /./);
  });

  test('trusted by name, by another name, and unseen', { timeout: 10_000 }, async (t) => {
    // biome-ignore format: a table
    const good: [cert: typeof own, options: Parameters<typeof tlsSettings>[0]][] = [
      [own, { ca: own.cert }],
      [elsewhere, { ca: elsewhere.cert, servername: 'elsewhere.example' }],
      [expired, { insecure: true }],
    ];
    for (const [cert, options] of good) {
      const names: unknown[] = [];
      const port = await tlsServer(t, {
        ...cert,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      });
      const { seen, connection } = opened(t, wss(port), { tls: tlsSettings(options) });
      await seen.until(({ bytes, failed }) => bytes.length === 5 || failed !== undefined);
      assert.equal(seen.bytes.toString(), 'hello', JSON.stringify(seen.failed));
      assert.ok((seen.times?.tlsUs ?? 0) > 0);
      assert.deepEqual(names, [options?.servername ?? 'localhost']);
      connection.reset();
    }
  });

  test('an address has no name to ask for, and is looked for in the certificate', {
    timeout: 10_000,
  }, async (t) => {
    const { seen } = opened(t, wss(await tlsServer(t, own), '127.0.0.1'), {
      tls: trusting(own.cert) ?? tlsSettings(),
    });
    await seen.until(isOpen);
    assert.equal(seen.failed, undefined);
  });

  test('a certificate of the client: without it refused, with it taken', { timeout: 10_000 }, async (t) => {
    const client = selfSigned({ host: 'client.example' });
    const port = await tlsServer(t, { ...own, requestCert: true, rejectUnauthorized: true, ca: client.cert });
    const without = opened(t, wss(port), { tls: tlsSettings({ ca: own.cert }), upgrade });
    await without.seen.until(isOpen);
    assert.equal(without.seen.failed?.kind, 'tls');
    assert.match(without.seen.failed?.detail ?? '', /certificate required/i);
    const { seen } = opened(t, wss(port), {
      tls: tlsSettings({ ca: own.cert, cert: client.cert, key: client.key }),
    });
    await seen.until(({ bytes, failed }) => bytes.length === 5 || failed !== undefined);
    assert.equal(seen.bytes.toString(), 'hello', JSON.stringify(seen.failed));
  });

  test('certificates and keys that cannot be read are mistakes of the user', () => {
    assert.throws(() => tlsSettings({ cert: own.cert }), /the key is missing/);
    assert.throws(() => tlsSettings({ key: own.key }), /the certificate is missing/);
    assert.throws(() => tlsSettings({ cert: own.cert, key: 'nonsense' }), { code: 'USAGE' });
    assert.throws(() => tlsSettings({ cert: own.cert, key: elsewhere.key }), { code: 'USAGE' });
  });
});

describe('through a network that does harm', () => {
  const echo = (socket: Socket): void => accept(socket, () => socket.pipe(socket));

  test('a black hole: nothing is seen of it but the deadline', { timeout: 10_000 }, async (t) => {
    const proxy = await startFaultProxy(await listen(t, echo), { accept: 'stall' });
    t.after(() => proxy.close());
    await fails(t, ws(proxy.port), { upgrade, timeoutMs: 100 }, 'timeout', /no HTTP answer/);
  });
  test('accepted and reset at once', { timeout: 10_000 }, async (t) => {
    const proxy = await startFaultProxy(await listen(t, echo), { accept: 'reset' });
    t.after(() => proxy.close());
    await fails(t, ws(proxy.port), { upgrade }, 'reset', /./);
  });
  test('cut within the head', { timeout: 10_000 }, async (t) => {
    const proxy = await startFaultProxy(await listen(t, echo), {
      down: { after: { bytes: 20, what: 'cut' } },
    });
    t.after(() => proxy.close());
    await fails(t, ws(proxy.port), { upgrade }, 'reset', /closed without an HTTP answer/);
  });
  test('slow, and in slices: it opens', { timeout: 10_000 }, async (t) => {
    const proxy = await startFaultProxy(await listen(t, echo), { down: { sliceBytes: 7, delayMs: 20 } });
    t.after(() => proxy.close());
    const { seen } = opened(t, ws(proxy.port), { upgrade });
    await seen.until(isOpen);
    assert.equal(seen.failed, undefined);
    assert.ok((seen.times?.upgradeUs ?? 0) >= 20_000);
  });
  test('reset in the middle of a message', { timeout: 10_000 }, async (t) => {
    const proxy = await startFaultProxy(await listen(t, echo), {
      down: { after: { bytes: 1000, what: 'reset' } },
    });
    t.after(() => proxy.close());
    const { connection, seen } = opened(t, ws(proxy.port), { upgrade });
    await seen.until(isOpen);
    connection.write(Buffer.alloc(5000));
    await seen.until(isOver);
    assert.equal(seen.closed?.kind, 'reset');
  });
  test('silence on an open connection is not seen by the transport', { timeout: 10_000 }, async (t) => {
    const proxy = await startFaultProxy(await listen(t, echo), {
      down: { after: { bytes: 200, what: 'stall' } },
    });
    t.after(() => proxy.close());
    const { connection, seen } = opened(t, ws(proxy.port), { upgrade });
    await seen.until(isOpen);
    connection.write(Buffer.alloc(500));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(seen.closed, undefined);
    assert.equal(seen.hasEnded, false);
  });
});

describe('our own shortages', () => {
  test('no local port left', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, () => {});
    const free = await closedPort();
    const localPorts = new LocalPorts(['127.0.0.1'], { first: free, last: free });
    const first = opened(t, ws(port), { localPorts });
    await first.seen.until(isOpen);
    assert.equal(first.connection.local?.port, free, JSON.stringify(first.seen.failed));
    await fails(
      t,
      ws(port),
      { localPorts },
      'resources',
      new RegExp(`no free local port in 127.0.0.1:${free}$`),
    );
  });
  test('ports that others use are skipped', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, () => {});
    const taken = await listen(t, () => {});
    const localPorts = new LocalPorts(['127.0.0.1'], { first: taken, last: Math.min(65_535, taken + 20) });
    const { connection, seen } = opened(t, ws(port), { localPorts });
    await seen.until(isOpen);
    assert.equal(seen.failed, undefined);
    assert.ok((connection.local?.port ?? 0) > taken);
  });
  test('all ports are used by others', { timeout: 10_000 }, async (t) => {
    const port = await listen(t, () => {});
    const taken = await listen(t, () => {});
    const localPorts = new LocalPorts(['127.0.0.1'], { first: taken, last: taken });
    await fails(t, ws(port), { localPorts }, 'resources', /no free local port/);
    await new Promise((resolve) => setTimeout(resolve, 20));
    // What was tried was given back.
    assert.deepEqual(localPorts.take(), { address: '127.0.0.1', port: taken });
  });
  test('no file left', { timeout: 20_000, skip: process.platform === 'win32' && 'ulimit' }, async (t) => {
    const port = await listen(t, () => {});
    const script = fileURLToPath(new URL('../fixtures/out-of-files.js', import.meta.url));
    const child = spawn('/bin/sh', ['-c', `ulimit -n 64; exec "${process.execPath}" "${script}" ${port}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(child, 'close');
    const { opened: open, failed } = JSON.parse(Buffer.concat(chunks).toString()) as {
      opened: number;
      failed: { kind: string; detail: string }[];
    };
    assert.ok(open > 5, `${open}`);
    assert.ok(failed.length > 5);
    for (const { kind, detail } of failed) {
      assert.equal(kind, 'resources');
      assert.match(detail, /EMFILE/);
    }
  });
});
