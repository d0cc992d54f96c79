// What may be said of compression, in headers and frames: nothing is compressed but the raw echo, and there only by the rules.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { Client } from '../reference-server/client.ts';
import { listening } from '../reference-server/servers.ts';
import { compressedFrame, deflated, offer } from './deflated.ts';
import { calm, exchange, frame, hex, isServed, upgradeRequest, WireClient } from './wire-client.ts';

const timeout = 30_000;

interface Broken {
  id: string;
  what: string;
  offers: readonly string[];
  frames: Record<string, Buffer>;
  codes: readonly number[];
}

const broken: Broken[] = [
  {
    id: 'PD-04',
    what: 'what is no deflate stream',
    offers: [offer],
    frames: { garbage: hex('C1 84 00000000 FFFFFF00'), 'a bad distance': compressedFrame(hex('0322FF')) },
    codes: [1007, 1002],
  },
  {
    id: 'PD-05',
    what: 'a compressed frame where nothing was agreed',
    offers: [],
    frames: { it: compressedFrame(deflated('hello')), empty: frame(1, '', { rsv: 4 }) },
    codes: [1002],
  },
  {
    id: 'PD-06',
    what: 'RSV1 where it has no meaning',
    offers: [offer],
    frames: {
      'a continuation': Buffer.concat([
        frame(1, deflated('hello'), { rsv: 4, fin: false }),
        frame(0, '', { rsv: 4 }),
      ]),
      'a continuation of what is not compressed': Buffer.concat([
        frame(1, 'a', { fin: false }),
        frame(0, 'b', { rsv: 4 }),
      ]),
      ping: frame(9, 'x', { rsv: 4 }),
      pong: frame(10, '', { rsv: 4 }),
      close: frame(8, hex('03E8'), { rsv: 4 }),
    },
    codes: [1002],
  },
];

for (const { id, what, offers, frames, codes } of broken) {
  test(`${id} ${what} closes with ${codes.join(' or ')}`, { timeout }, async (t) => {
    const server = await listening(t, calm);
    const honest = await Client.open(`${server.url}/ws`);
    for (const [name, bytes] of Object.entries(frames)) {
      const client = await WireClient.open(server, '/ws/echo', offers);
      client.write(bytes);
      const { code, closes } = await client.ended;
      assert.ok(codes.includes(code ?? 0), `${name}: ${code}`);
      assert.equal(closes, 1, name);
      assert.deepEqual(client.messages, [], name);
    }
    assert.equal((await honest.request('PING')).type, 'PONG');
  });
}

const parameters = [
  'server_max_window_bits=99',
  'server_max_window_bits=7',
  'server_max_window_bits=""',
  'server_max_window_bits',
  'server_max_window_bits=8.5',
  'server_max_window_bits=1e1',
  'client_max_window_bits=99',
  'client_max_window_bits=0',
  'server_no_context_takeover=1',
  'unknown',
  'unknown=1',
  'server_max_window_bits=10; server_max_window_bits=11',
  'client_no_context_takeover; client_no_context_takeover',
];

test('PD-07 parameters that make no sense, and a thousand offers, are declined or refused', {
  timeout,
}, async (t) => {
  const server = await listening(t, calm);
  const of = (value: string): string => upgradeRequest('/ws/echo', [`Sec-WebSocket-Extensions: ${value}`]);
  for (const parameter of parameters) {
    const client = new WireClient(server);
    client.write(of(`permessage-deflate; ${parameter}`));
    const head = await client.head();
    // `1e1` is read as the number 10 by ws, which then agrees on 10 in its own words.
    if (!parameter.endsWith('1e1')) {
      assert.match(head, /^HTTP\/1\.1 (101|400) /, parameter);
      assert.doesNotMatch(head, /sec-websocket-extensions/i, parameter);
    }
    client.destroy();
  }
  const many = (count: number): string =>
    Array.from({ length: count }, () => 'permessage-deflate').join(', ');
  assert.match(await exchange(server, of(many(1000))), /^HTTP\/1\.1 431 /);
  const tookMs: number[] = [];
  for (const value of [many(700), Array.from({ length: 700 }, () => 'x;y=z').join(', ')]) {
    for (let round = 0; round < 3; round++) {
      const startedMs = performance.now();
      const client = new WireClient(server);
      client.write(of(value));
      assert.match(await client.head(), /^HTTP\/1\.1 (101|400) /);
      tookMs.push(performance.now() - startedMs);
      client.destroy();
    }
  }
  t.diagnostic(`700 offers: ${tookMs.map((took) => took.toFixed(1)).join(', ')} ms`);
  assert.ok(Math.min(...tookMs) < 100);
  await isServed(server);
});

test('PD-09 nothing is compressed on a route that carries anybody else’s data', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const token = await server.mint({ roles: ['dashboard', 'agent'] });
  for (const path of ['/ws', '/ws/dashboard', '/ws/agent', '/ws/sink', '/ws/push?rate=1']) {
    const client = await WireClient.open(server, path, [offer, `Authorization: Bearer ${token}`]);
    assert.doesNotMatch(await client.head(), /sec-websocket-extensions/i, path);
    client.write(compressedFrame(deflated('{"type":"PING"}')));
    assert.equal((await client.ended).code, 1002, path);
    assert.ok(client.frames.every(({ rsv }) => rsv === 0));
  }
  // The echo knows no secret, not even the token of its own handshake: what it compresses is what it was sent.
  const echo = await WireClient.open(server, '/ws/echo', [offer, `Authorization: Bearer ${token}`]);
  assert.match(await echo.head(), /^sec-websocket-extensions: permessage-deflate/im);
  const text = 'guess '.repeat(500);
  echo.write(frame(1, deflated(text), { rsv: 4 }));
  await echo.until(() => echo.frames.length > 0, 'echo');
  const [got] = echo.frames;
  assert.equal(got?.rsv, 4);
  const tail = hex('0000FFFF');
  assert.equal(inflateRawSync(Buffer.concat([got.payload, tail]), { finishFlush: 2 }).toString(), text);
  echo.destroy();
});

// biome-ignore format: a table
const tails: [what: string, payload: Buffer, echo: string | undefined][] = [
  ['an empty block',                       hex('00'),                               ''],
  ['two empty blocks',                     hex('000000FFFF00'),                     ''],
  ['an empty payload',                     Buffer.alloc(0),                         ''],
  ['a block with the final bit',           hex('f348cdc9c90700'),                   'Hello'],
  ['a final block and another behind it',  hex('f348cdc9c90700f348cdc9c90700'),     undefined],
  ['a stored block',                       hex('000500faff48656c6c6f00'),           'Hello'],
  ['a stored block that is cut',           hex('000500faff4865'),                   undefined],
  ['the tail that should be left out',     Buffer.concat([deflated('Hello'), hex('0000FFFF')]), 'Hello'],
  ['a reserved kind of block',             hex('07'),                               undefined],
];

test('PD-10 tricks with the last block are decoded or close with 1007', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const honest = await Client.open(`${server.url}/ws`);
  for (const [what, payload, echo] of tails) {
    // Without a context short answers come as they are, and can be read here.
    const client = await WireClient.open(server, '/ws/echo', [`${offer}; server_no_context_takeover`]);
    client.write(frame(1, payload, { rsv: 4 }));
    client.write(frame(1, 'next'));
    await Promise.race([client.ended, client.until(() => client.messages.includes('next'), what)]);
    const code = client.frames.find(({ opcode }) => opcode === 8)?.payload.readUInt16BE(0);
    const [first] = client.messages;
    t.diagnostic(`${what}: ${code === undefined ? JSON.stringify(first) : code}`);
    if (code !== undefined) assert.equal(code, 1007, what);
    if (echo !== undefined) assert.equal(first, echo, what);
    client.destroy();
  }
  assert.equal((await honest.request('PING')).type, 'PONG');
});
