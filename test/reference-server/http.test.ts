import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import fastifyWebsocket from '@fastify/websocket';
import fastify from 'fastify';
import { WebSocket } from 'ws';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { Metrics } from '../../reference-server/metrics.ts';
import { resolveOptions } from '../../reference-server/options.ts';
import { setupWebSocketPlugin } from '../../reference-server/plugins/websocket.ts';
import type { ServerContext } from '../../reference-server/server-context.ts';
import { Client, Refused } from './client.ts';
import { listening } from './servers.ts';

const timeout = 20_000;

/** Sends raw bytes and reads until the server closes the connection. */
async function raw(server: ReferenceServer, text: string, answered = (): void => {}): Promise<string> {
  const { hostname, port } = new URL(server.httpUrl);
  const socket = connect(Number(port), hostname);
  socket.write(text.replaceAll('\n', '\r\n'));
  const chunks: Buffer[] = [];
  socket.once('data', answered);
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const upgrade = `Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
`;

// biome-ignore format: a table
const handshakes: [name: string, request: string, status: number, also?: RegExp][] = [
  ['a plain GET',            'GET /ws HTTP/1.1\nHost: x\nConnection: close\n\n',                                         426, /upgrade: websocket/i],
  ['version 8',              `GET /ws HTTP/1.1\nHost: x\n${upgrade}Sec-WebSocket-Version: 8\n\n`,                        426, /sec-websocket-version: 13/i],
  ['no version',             `GET /ws HTTP/1.1\nHost: x\n${upgrade}\n`,                                                  426, /sec-websocket-version: 13/i],
  ['version 13, twice',      `GET /ws HTTP/1.1\nHost: x\n${upgrade}Sec-WebSocket-Version: 13\nSec-WebSocket-Version: 13\n\n`, 426],
  ['HTTP/1.0',               `GET /ws HTTP/1.0\nHost: x\n${upgrade}Sec-WebSocket-Version: 13\n\n`,                       505],
  ['two hosts',              `GET /ws HTTP/1.1\nHost: x\nHost: y\n${upgrade}Sec-WebSocket-Version: 13\n\n`,              400],
  ['no host',                `GET /ws HTTP/1.1\n${upgrade}Sec-WebSocket-Version: 13\n\n`,                                400],
  ['a short key',            `GET /ws HTTP/1.1\nHost: x\n${upgrade.replace('dGhlIHNhbXBsZSBub25jZQ==', 'abc')}Sec-WebSocket-Version: 13\n\n`, 400],
  ['no key',                 'GET /ws HTTP/1.1\nHost: x\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n\n', 400],
  ['another protocol',       'GET /ws HTTP/1.1\nHost: x\nUpgrade: h2c\nConnection: Upgrade\n\n',                         426],
  ['POST',                   `POST /ws HTTP/1.1\nHost: x\n${upgrade}Sec-WebSocket-Version: 13\n\n`,                      405, /allow: GET/i],
  ['a body',                 `GET /ws HTTP/1.1\nHost: x\nContent-Length: 5\n${upgrade}Sec-WebSocket-Version: 13\n\nhello`, 400],
  ['an unknown path',        `GET /wsx HTTP/1.1\nHost: x\n${upgrade}Sec-WebSocket-Version: 13\n\n`,                      404],
  ['an HTTP path',           `GET /healthz HTTP/1.1\nHost: x\n${upgrade}Sec-WebSocket-Version: 13\n\n`,                  404],
  ['a URL that is none',     `GET /%zz HTTP/1.1\nHost: x\n${upgrade}Sec-WebSocket-Version: 13\n\n`,                      400],
  ['HEAD',                   'HEAD /ws HTTP/1.1\nHost: x\n\n',                                                          405],
  ['CONNECT',                'CONNECT x:1 HTTP/1.1\nHost: x\n\n',                                                       405],
  ['a bad body',             'POST /ws HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 1\n\n{',      400],
  ['a large body',           'POST /no HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 9999999\n\n', 413],
  ['an expectation',         'GET /healthz HTTP/1.1\nHost: x\nExpect: miracles\n\n',                                     417],
  ['large headers',          `GET /ws HTTP/1.1\nHost: x\nX: ${'x'.repeat(20_000)}\n\n`,                                  431],
  ['no HTTP at all',         'hello\n\n',                                                                                400],
];

test('handshakes that are none are refused, and the connection ends', { timeout }, async (t) => {
  const server = await listening(t);
  for (const [name, request, status, also] of handshakes) {
    const answer = await raw(server, request);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${name}: ${answer.slice(0, 100)}`);
    if (also) assert.match(answer, also, name);
    assert.match(answer, /^connection: .*close\r$/im, name);
    assert.match(answer, /^content-type: application\/json/im, name);
    if (name === 'HEAD') continue;
    const body: unknown = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
    assert.deepEqual(Object.keys(body as object), ['error', 'message'], name);
  }
  await (await Client.open(`${server.url}/ws`)).close();
});

test('health, readiness, status and metrics', { timeout }, async (t) => {
  const server = await listening(t);
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(server.httpUrl + path);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await get('/healthz'), [200, '{"status":"ok"}']);
  assert.deepEqual(await get('/readyz'), [200, '{"status":"ready"}']);
  assert.equal((await get('/nope'))[0], 404);
  const client = await Client.open(`${server.url}/ws`);
  await client.request('PING');
  client.send('garbage');
  await client.next('ERROR');
  await Client.open(`${server.url}/ws`, 'garbage').catch(() => {});
  const status = JSON.parse((await get('/api/status'))[1]) as Record<string, unknown>;
  assert.equal(status.connections, 1);
  assert.deepEqual([status.status, status.auth, status.limits], ['ok', 'ephemeral', 'off']);
  const [, text] = await get('/metrics');
  for (const line of [
    'wsbench_connections 1',
    'wsbench_connections_total{route="/ws"} 1',
    'wsbench_messages_received_total{type="PING"} 1',
    'wsbench_messages_received_total{type="invalid"} 1',
    'wsbench_messages_sent_total{type="PONG"} 1',
    'wsbench_messages_sent_total{type="WELCOME"} 1',
    'wsbench_upgrades_refused_total{status="401"} 1',
    'wsbench_messages_refused_total 0',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line} is missing in\n${text}`);
  }
  for (const line of text.trim().split('\n')) {
    assert.match(
      line,
      /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [\d.e+]+)$/,
    );
  }
});

test('raw endpoints: echo, sink and push', { timeout }, async (t) => {
  const server = await listening(t);
  const echo = new WebSocket(`${server.url}/ws/echo`);
  const echoed: [string, boolean][] = [];
  echo.on('message', (data, isBinary) => echoed.push([data.toString(), isBinary]));
  await new Promise((resolve) => echo.once('open', resolve));
  assert.match(echo.extensions, /permessage-deflate/);
  echo.send('text');
  echo.send(Buffer.from('binary'));
  echo.send('');
  const big = Buffer.alloc(16 * 1024 ** 2, 7);
  await new Promise<void>((resolve, reject) => {
    echo.on('message', () => echoed.length === 4 && resolve());
    echo.once('close', (code) => reject(new Error(`closed ${code}`)));
    echo.send(big);
  });
  assert.deepEqual(echoed.slice(0, 3), [
    ['text', false],
    ['binary', true],
    ['', false],
  ]);
  assert.equal(echoed[3]?.[0].length, big.length);
  const closed = new Promise((resolve) => echo.once('close', resolve));
  echo.send(Buffer.alloc(big.length + 1));
  assert.equal(await closed, 1009);

  const sink = new WebSocket(`${server.url}/ws/sink`);
  await new Promise((resolve) => sink.once('open', resolve));
  sink.on('message', () => assert.fail('the sink spoke'));
  for (let n = 0; n < 100; n++) sink.send('x');
  await new Promise((resolve) => {
    sink.once('pong', resolve);
    sink.ping();
  });
  sink.terminate();

  const push = new WebSocket(`${server.url}/ws/push?rate=200`);
  const pushed: number[] = [];
  const startedMs = Date.now();
  await new Promise<void>((resolve) => {
    push.on('message', (data) => {
      pushed.push((JSON.parse(data.toString()) as { seq: number }).seq);
      if (pushed.length === 100) resolve();
    });
  });
  assert.ok(Date.now() - startedMs > 400, 'pushed too fast');
  // More may have come in the same read.
  assert.deepEqual(
    pushed.slice(0, 100),
    Array.from({ length: 100 }, (_, n) => n + 1),
  );
  push.terminate();
  for (const rate of ['0', '-1', 'fast', '1e9', '100001', '', '1&rate=2']) {
    const refused = await Client.open(`${server.url}/ws/push?rate=${rate}`).catch((error: unknown) => error);
    assert.equal(refused instanceof Refused && refused.status, 400, rate);
  }
});

test('an echo URL that is spelled otherwise has the bounds of the echo', { timeout }, async (t) => {
  const server = await listening(t);
  const socket = new WebSocket(`${server.url}/ws/ech%6F?x`);
  t.after(() => socket.terminate());
  await once(socket, 'open');
  socket.send('x'.repeat(100_000));
  const came = await Promise.race([once(socket, 'message'), once(socket, 'close')]);
  assert.equal(String(came[0]).length, 100_000);
});

test('sink and push do not exist under production limits', { timeout }, async (t) => {
  const server = await listening(t, { limits: 'production' });
  for (const path of ['/ws/sink', '/ws/push?rate=1']) {
    const refused = await Client.open(server.url + path).catch((error: unknown) => error);
    assert.equal(refused instanceof Refused && refused.status, 404, path);
  }
});

test('only wsbench.v1 is selected, whatever else is offered', { timeout }, async (t) => {
  const cases = [
    ['/ws/echo', 'chat, graphql-ws', undefined],
    ['/ws', 'chat, wsbench.v1', 'wsbench.v1'],
    ['/ws/echo', 'wsbench.v1, chat', 'wsbench.v1'],
    ['/ws', 'WSBENCH.V1', undefined],
  ];
  const check = async ([path, offered, selected]: (string | undefined)[]): Promise<void> => {
    const server = await listening(t);
    const answer = raw(
      server,
      `GET ${path} HTTP/1.1\nHost: x\n${upgrade}Sec-WebSocket-Version: 13\nSec-WebSocket-Protocol: ${offered}\n\n`,
      () => void server.close(),
    );
    const text = await answer;
    assert.match(text, /^HTTP\/1.1 101 /);
    assert.equal(/sec-websocket-protocol: (.*)\r/i.exec(text)?.[1], selected, offered);
  };
  await Promise.all(cases.map(check));
});

test('registering the routes twice makes the start fail', async (t) => {
  const app = fastify();
  t.after(() => app.close());
  await app.register(fastifyWebsocket);
  const context = { options: resolveOptions({}), metrics: new Metrics() } as ServerContext;
  setupWebSocketPlugin(app, context);
  assert.throws(() => setupWebSocketPlugin(app, context), { code: 'FST_ERR_DUPLICATED_ROUTE' });
});
