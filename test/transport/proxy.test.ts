// Through HTTP and SOCKS proxies, plain and with TLS inside.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { dialogueWith, proxyOf } from '../../lib/transport/proxy.ts';
import { tlsSettings } from '../../lib/transport/tls-settings.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { accept, isOpen, listen, opened } from './peer.ts';

/** Connects two sockets for good; what both names mean here is the loopback. */
function tunnel(client: Socket, port: number, hello: Buffer): void {
  const upstream = connect({ port, host: '127.0.0.1' });
  upstream.on('error', () => client.destroy());
  client.on('close', () => upstream.destroy());
  upstream.once('connect', () => {
    client.write(hello);
    client.pipe(upstream).pipe(client);
  });
}

/** An HTTP proxy that keeps the heads it was sent. */
async function httpProxy(t: TestContext, heads: string[], answer?: string): Promise<string> {
  const port = await listen(t, (client) => {
    client.once('data', (chunk) => {
      heads.push(chunk.toString());
      const [, target = ''] = /^CONNECT \S+:(\d+) HTTP\/1\.1\r\n/.exec(chunk.toString()) ?? [];
      if (answer !== undefined) client.end(answer);
      else tunnel(client, Number(target), Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n'));
    });
  });
  return `http://127.0.0.1:${port}`;
}

/** A SOCKS proxy in a few lines, by RFC 1928; it wants a user if it is given one. */
async function socksProxy(t: TestContext, hosts: string[], user?: string, code = 0): Promise<string> {
  const port = await listen(t, (client) => {
    const steps = [
      (): void => void client.write(Buffer.of(5, user === undefined ? 0 : 2)),
      ...(user === undefined
        ? []
        : [
            (chunk: Buffer): void => {
              const [, length = 0] = chunk;
              const said = `${chunk.toString('latin1', 2, 2 + length)}:${chunk.toString('latin1', 3 + length)}`;
              client.write(Buffer.of(1, said === user ? 0 : 1));
            },
          ]),
      (chunk: Buffer): void => {
        const [, , , type, length = 0] = chunk;
        const host =
          type === 3 ? chunk.toString('latin1', 5, 5 + length) : chunk.subarray(4, -2).toString('hex');
        hosts.push(`${type} ${host}`);
        const reply = Buffer.of(5, code, 0, 1, 127, 0, 0, 1, 0, 0);
        if (code === 0) tunnel(client, chunk.readUInt16BE(chunk.length - 2), reply);
        else client.write(reply);
      },
    ];
    const onData = (chunk: Buffer): void => {
      steps.shift()?.(chunk);
      if (steps.length === 0) client.off('data', onData);
    };
    client.on('data', onData);
  });
  return `socks5://127.0.0.1:${port}`;
}

const echo = (socket: Socket): void => accept(socket, () => socket.pipe(socket));

/** Opens through a proxy, and sends something there and back. */
async function roundTrip(
  t: TestContext,
  url: string,
  proxy: string,
  tls?: ReturnType<typeof tlsSettings>,
): Promise<void> {
  const { connection, seen } = opened(t, url, {
    proxy: proxyOf(proxy),
    upgrade: {},
    ...(tls ? { tls } : {}),
  });
  await seen.until(isOpen);
  assert.equal(seen.failed, undefined);
  assert.ok((seen.times?.proxyUs ?? 0) > 0);
  connection.write(Buffer.from('there and back'));
  await seen.until(({ bytes }) => bytes.length === 14);
  connection.destroy();
}

test('HTTP CONNECT, with a credential', { timeout: 10_000 }, async (t) => {
  const heads: string[] = [];
  const proxy = await httpProxy(t, heads);
  const port = await listen(t, echo);
  await roundTrip(t, `ws://target.example:${port}/`, proxy.replace('//', '//user:pass%20word@'));
  assert.equal(
    heads[0],
    `CONNECT target.example:${port} HTTP/1.1\r\nHost: target.example:${port}\r\nProxy-Authorization: Basic ${btoa('user:pass word')}\r\n\r\n`,
  );
  await roundTrip(t, `ws://[::1]:${port}/`, proxy);
  assert.match(
    heads[1] ?? '',
    new RegExp(`^CONNECT \\[::1\\]:${port} HTTP/1\\.1\r\nHost: \\[::1\\]:${port}\r\n\r\n$`),
  );
});

for (const kind of ['http', 'socks5'] as const) {
  test(`TLS to the target, inside ${kind}`, { timeout: 10_000 }, async (t) => {
    const own = selfSigned({ host: 'target.example' });
    const server = createTlsServer(own, (socket) => {
      socket.on('error', () => {});
      echo(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const proxy = kind === 'http' ? await httpProxy(t, []) : await socksProxy(t, []);
    const { port } = server.address() as AddressInfo;
    await roundTrip(t, `wss://target.example:${port}/`, proxy, tlsSettings({ ca: own.cert }));
  });
}

test('SOCKS: names go as names, addresses as addresses, and a user may be wanted', {
  timeout: 10_000,
}, async (t) => {
  const hosts: string[] = [];
  const port = await listen(t, echo);
  const proxy = await socksProxy(t, hosts);
  for (const host of ['target.example', '127.0.0.1', '[2001:db8::1:2]', '[::ffff:1.2.3.4]', '[::]']) {
    await roundTrip(t, `ws://${host}:${port}/`, proxy);
  }
  assert.deepEqual(hosts, [
    '3 target.example',
    '1 7f000001',
    '4 20010db8000000000000000000010002',
    '4 00000000000000000000ffff01020304',
    `4 ${'00'.repeat(16)}`,
  ]);
  await roundTrip(
    t,
    `ws://target.example:${port}/`,
    (await socksProxy(t, hosts, 'me:secret')).replace('//', '//me:secret@'),
  );
});

// biome-ignore format: a table
const refusals: [name: string, start: (t: TestContext) => Promise<string>, kind: string, detail: RegExp][] = [
  ['HTTP 407', (t) => httpProxy(t, [], 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'), 'network', /^the proxy 127\.0\.0\.1:\d+ refused: HTTP 407 Proxy Authentication Required$/],
  ['no HTTP', (t) => httpProxy(t, [], 'hello, this is something else'), 'network', /refused: what answers does not speak HTTP/],
  ['HTTP hangs up', (t) => httpProxy(t, [], ''), 'reset', /the proxy .* hung up/],
  ['SOCKS: a rule', (t) => socksProxy(t, [], undefined, 2), 'network', /SOCKS: not allowed by the rules/],
  ['SOCKS: refused', (t) => socksProxy(t, [], undefined, 5), 'network', /SOCKS: connection refused/],
  ['SOCKS: a code that is none', (t) => socksProxy(t, [], undefined, 99), 'network', /SOCKS: reply 99/],
  ['SOCKS: a user is wanted', (t) => socksProxy(t, [], 'me:secret'), 'network', /a way to log in that we do not have/],
  ['SOCKS: a wrong password', async (t) => (await socksProxy(t, [], 'me:secret')).replace('//', '//me:wrong@'), 'network', /user name or password refused/],
  ['SOCKS: something else', async (t) => (await httpProxy(t, [], 'HTTP/1.1 400 \r\n\r\n')).replace('http', 'socks5'), 'network', /does not speak version 5/],
  ['refused', () => Promise.resolve('http://127.0.0.1:1'), 'refused', /^the proxy: .*ECONNREFUSED/],
];
for (const [name, start, kind, detail] of refusals) {
  test(name, { timeout: 10_000 }, async (t) => {
    const { seen } = opened(t, 'ws://target.example/', { proxy: proxyOf(await start(t)), upgrade: {} });
    await seen.until(isOpen);
    assert.match(seen.failed?.detail ?? '', detail);
    assert.doesNotMatch(seen.failed?.detail ?? '', /secret|wrong/);
    assert.equal(seen.failed?.kind, kind);
  });
}

test('a proxy that is silent', { timeout: 10_000 }, async (t) => {
  const port = await listen(t, () => {});
  const { seen } = opened(t, 'ws://target.example/', {
    proxy: proxyOf(`http://127.0.0.1:${port}`),
    timeoutMs: 80,
  });
  await seen.until(isOpen);
  assert.deepEqual(seen.failed, { kind: 'timeout', detail: 'no answer within 80 ms, waiting for the proxy' });
});

test('what comes with the last words of a proxy belongs to the target', { timeout: 10_000 }, async (t) => {
  const port = await listen(t, (client) =>
    client.once('data', () => client.write('HTTP/1.1 200 \r\n\r\nfirst')),
  );
  const { seen } = opened(t, 'ws://target.example/', { proxy: proxyOf(`http://127.0.0.1:${port}`) });
  await seen.until(({ bytes }) => bytes.length === 5);
  assert.equal(seen.bytes.toString(), 'first');
});

test('but not before the TLS handshake', { timeout: 10_000 }, async (t) => {
  const port = await listen(t, (client) =>
    client.once('data', () => client.write('HTTP/1.1 200 \r\n\r\nfirst')),
  );
  const proxy = proxyOf(`http://127.0.0.1:${port}`);
  const { seen } = opened(t, 'wss://target.example/', { proxy, tls: tlsSettings() });
  await seen.until(isOpen);
  assert.equal(seen.failed?.kind, 'tls');
  assert.match(seen.failed?.detail ?? '', /speak before the TLS handshake/);
});

test('dialogues take bytes one by one', () => {
  const http = dialogueWith(proxyOf('http://p'), { host: 'h', port: 1 });
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\nVia: x\r\n\r\n!');
  const states = Array.from(bytes, (byte) => http.push(Buffer.of(byte)).state).slice(0, -1);
  assert.equal(states.at(-1), 'done');
  assert.ok(states.slice(0, -1).every((state) => state === 'more'));

  const socks = dialogueWith(proxyOf('socks5://p'), { host: 'h', port: 258 });
  assert.deepEqual(socks.hello, Buffer.of(5, 1, 0));
  assert.deepEqual(socks.push(Buffer.of(5)), { state: 'more' });
  assert.deepEqual(socks.push(Buffer.of(0)), { state: 'more', say: Buffer.of(5, 1, 0, 3, 1, 0x68, 1, 2) });
  const reply = [5, 0, 0, 3, 3, 97, 98, 99, 0, 80];
  for (const byte of reply.slice(0, -1)) assert.deepEqual(socks.push(Buffer.of(byte)), { state: 'more' });
  assert.equal(socks.push(Buffer.of(80)).state, 'done');
});
