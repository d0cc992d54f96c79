// Upgrades that are none: each is refused before anything is upgraded, and the connection ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Guards } from '../../reference-server/guards.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { calm, eventually, exchange, frame, isServed, upgradeRequest, WireClient } from './wire-client.ts';

const timeout = 30_000;

const key = (value: string): string =>
  upgradeRequest('/ws', [`Sec-WebSocket-Key: ${value}`], ['Sec-WebSocket-Key']);
const version = (value: string): string =>
  upgradeRequest('/ws', [`Sec-WebSocket-Version: ${value}`], ['Sec-WebSocket-Version']);
const as = (method: string, request = upgradeRequest()): string => request.replace('GET', method);
const bytes = (count: number): string => Buffer.alloc(count, 7).toString('base64');
const upgradeTo = (what: string, more: readonly string[] = []): string =>
  upgradeRequest('/ws', [`Upgrade: ${what}`, ...more], ['Upgrade']);

interface Refused {
  id: string;
  what: string;
  requests: Record<string, string>;
  status: RegExp;
  also?: RegExp;
}

const refused: Refused[] = [
  {
    id: 'HS-01',
    what: 'a wrong method',
    requests: {
      POST: as('POST'),
      PUT: as('PUT'),
      HEAD: as('HEAD'),
      'HEAD without an upgrade': 'HEAD /ws HTTP/1.1\r\nHost: x\r\n\r\n',
    },
    status: /^405$/,
    also: /^allow: GET\r$/im,
  },
  {
    id: 'HS-03',
    what: 'a key that is none',
    requests: {
      missing: upgradeRequest('/ws', [], ['Sec-WebSocket-Key']),
      short: key('AAAA'),
      'not base64': key('!!!!'),
      '15 bytes': key(bytes(15)),
      '17 bytes': key(bytes(17)),
    },
    status: /^400$/,
  },
  {
    id: 'HS-04',
    what: 'two keys',
    requests: { different: upgradeRequest('/ws', [`Sec-WebSocket-Key: ${bytes(16)}`]) },
    status: /^400$/,
  },
  {
    id: 'HS-05',
    what: 'a version that is not spoken',
    requests: {
      '12': version('12'),
      '0': version('0'),
      '255': version('255'),
      '777': version('777'),
      '13, 8': version('13, 8'),
      absent: upgradeRequest('/ws', [], ['Sec-WebSocket-Version']),
    },
    status: /^426$/,
    also: /^sec-websocket-version: 13\r$/im,
  },
  {
    id: 'HS-06',
    what: 'the draft version 8',
    requests: { '8': version('8') },
    status: /^426$/,
    also: /^sec-websocket-version: 13\r$/im,
  },
  {
    id: 'HS-07',
    what: 'an upgrade to something else',
    requests: {
      h2c: upgradeTo('h2c', ['HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']),
      TLS: upgradeTo('TLS/1.0'),
      both: upgradeTo('websocket, h2c', ['HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']),
      'h2c first': upgradeTo('h2c, websocket'),
    },
    status: /^(400|426)$/,
  },
  {
    id: 'HS-08',
    what: 'no Host, or two',
    requests: {
      none: upgradeRequest('/ws', [], ['Host']),
      two: upgradeRequest('/ws', ['Host: internal']),
      'two alike': upgradeRequest('/ws', ['host: localhost']),
    },
    status: /^400$/,
  },
  {
    id: 'HS-19',
    what: 'a route that does not exist',
    requests: { '/nope': upgradeRequest('/nope'), 'a route of HTTP': upgradeRequest('/healthz') },
    status: /^404$/,
  },
  {
    id: 'HS-20',
    what: 'a body',
    requests: {
      'with a length': `${upgradeRequest('/ws', ['Content-Length: 10'])}0123456789`,
      chunked: `${upgradeRequest('/ws', ['Transfer-Encoding: chunked'])}a\r\n0123456789\r\n0\r\n\r\n`,
    },
    status: /^400$/,
  },
];

for (const { id, what, requests, status, also } of refused) {
  test(`${id} ${what} is refused, and the connection ends`, { timeout }, async (t) => {
    const server = await listening(t, calm);
    for (const [name, request] of Object.entries(requests)) {
      const answer = await exchange(server, request);
      const [, got = ''] = /^HTTP\/1\.1 (\d+) /.exec(answer) ?? [];
      assert.match(got, status, `${name}: ${answer}`);
      if (also) assert.match(answer, also, name);
      assert.match(answer, /^connection: .*close\r$/im, name);
      assert.equal(answer.split('HTTP/1.1 ').length, 2, `${name} was answered more than once: ${answer}`);
    }
    await isServed(server);
    await eventually(async () => (await openSockets(server.app.server)) === 0, 'every socket is given back');
  });
}

/** How many TCP connections a server holds. */
function openSockets(server: {
  getConnections(done: (error: Error | null, count: number) => void): void;
}): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

test('HS-02 HTTP/1.0 is refused with 505', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const answer = await exchange(server, upgradeRequest().replace('HTTP/1.1', 'HTTP/1.0'));
  assert.match(answer, /^HTTP\/1\.1 505 /);
  await isServed(server);
});

// biome-ignore format: a table
const taken: [id: string, off: Partial<Guards>, request: string][] = [
  ['HS-02', { onlyHttp11: false }, upgradeRequest().replace('HTTP/1.1', 'HTTP/1.0')],
  ['HS-06', { onlyVersion13: false }, version('8')],
  ['HS-08', { oneHost: false }, upgradeRequest('/ws', [], ['Host'])],
  ['HS-08', { oneHost: false }, upgradeRequest('/ws', ['Host: internal'])],
];

for (const [id, off, request] of taken) {
  test(`${id} without ${Object.keys(off).join()}: the upgrade is taken (${request.split('\r\n', 2).join(', ')})`, {
    timeout,
  }, async (t) => {
    const server = await unguarded(t, off, calm);
    const client = new WireClient(server);
    client.write(request);
    assert.match(await client.head(), /^HTTP\/1\.1 101 /);
    client.destroy();
  });
}

test('HS-20 without noUpgradeBody: the body is taken for frames', { timeout }, async (t) => {
  const server = await unguarded(t, { noUpgradeBody: false }, calm);
  const body = frame(1, '{"type":"PING","id":"from-the-body"}');
  const client = new WireClient(server);
  client.write(upgradeRequest('/ws', [`Content-Length: ${body.length}`]));
  client.write(body);
  await client.until(() => client.messages.some((text) => text.includes('from-the-body')), 'answer');
  client.destroy();
});

const second = 'GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n';
// The second is what a proxy makes of the first that takes Connection for its own business.
const smuggling = {
  'an upgrade': upgradeRequest('/ws', ['Sec-WebSocket-Version: 777'], ['Sec-WebSocket-Version']),
  'an upgrade without Connection': upgradeRequest(
    '/ws',
    ['Sec-WebSocket-Version: 777'],
    ['Sec-WebSocket-Version', 'Connection'],
  ),
  'an upgrade of no route': upgradeRequest('/nope'),
  'a request of no route': 'GET /nope HTTP/1.1\r\nHost: x\r\n\r\n',
};

test('HS-14 what comes behind a refused upgrade is not answered', { timeout }, async (t) => {
  const server = await listening(t, calm);
  for (const [name, first] of Object.entries(smuggling)) {
    const answer = await exchange(server, first + second);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, name);
    assert.equal(answer.split('HTTP/1.1 ').length, 2, `${name}: ${answer}`);
  }
  await isServed(server);
});

test('HS-14 without closeOnRefusal: the request behind it is answered', { timeout }, async (t) => {
  const server = await unguarded(t, { closeOnRefusal: false }, calm);
  const client = new WireClient(server);
  client.write(smuggling['an upgrade without Connection'] + second);
  await client.until(() => client.text.includes('"limits"'), 'second answer');
  assert.match(client.text, /^HTTP\/1\.1 426 [\s\S]*HTTP\/1\.1 200 /);
  client.destroy();
});
