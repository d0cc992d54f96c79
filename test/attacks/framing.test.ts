// Frames that RFC 6455 forbids: each ends its connection with the code that says so, and nobody else's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guards } from '../../reference-server/guards.ts';
import { Client } from '../reference-server/client.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { calm, frame, hex, WireClient } from './wire-client.ts';

const timeout = 60_000;
/** For the machine, not for the server. */
const noiseMs = 3000;
const close = (code: number): Buffer => frame(8, Uint8Array.of(code >> 8, code & 255));
const opcodeFrames = (from: number, to: number): Record<string, Buffer> =>
  Object.fromEntries(
    Array.from({ length: to - from + 1 }, (_, index) => [
      `0x${(from + index).toString(16)}`,
      frame(from + index, from < 8 ? 'x' : ''),
    ]),
  );

interface Broken {
  id: string;
  what: string;
  frames: Record<string, Buffer>;
  codes: readonly number[];
  reason?: string;
}

const broken: Broken[] = [
  { id: 'FR-01', what: 'a frame without a mask', frames: { text: hex('81 01 78') }, codes: [1002] },
  {
    id: 'FR-02',
    what: 'reserved bits',
    frames: {
      RSV1: hex('C1 81 00000000 78'),
      'RSV2 and RSV3': hex('B1 81 00000000 78'),
      RSV2: hex('A1 81 00000000 78'),
      RSV3: hex('91 81 00000000 78'),
    },
    codes: [1002],
  },
  {
    id: 'FR-03',
    what: 'reserved opcodes',
    frames: { ...opcodeFrames(3, 7), ...opcodeFrames(11, 15) },
    codes: [1002],
  },
  {
    id: 'FR-04',
    what: 'a control frame that is too long',
    frames: {
      ping: Buffer.concat([hex('89 FE 007E 00000000'), Buffer.alloc(126)]),
      pong: frame(10, Buffer.alloc(126)),
      'ping of 2^32 bytes': hex('89 FF 0000000100000000 00000000'),
    },
    codes: [1002],
  },
  {
    id: 'FR-05',
    what: 'a control frame in fragments',
    frames: { ping: hex('09 81 00000000 78'), close: hex('08 82 00000000 03E8') },
    codes: [1002],
  },
  { id: 'FR-06', what: 'a continuation of nothing', frames: { it: hex('80 81 00000000 78') }, codes: [1002] },
  {
    id: 'FR-07',
    what: 'a message inside of another',
    frames: {
      text: hex('01 81 00000000 61 81 81 00000000 62'),
      binary: hex('01 81 00000000 61 82 81 00000000 62'),
    },
    codes: [1002],
  },
  {
    id: 'FR-08',
    what: 'a length of 64 bits with the first set',
    frames: { it: hex('82 FF 8000000000000001 00000000'), all: hex('82 FF FFFFFFFFFFFFFFFF 00000000') },
    codes: [1002, 1009],
  },
  {
    id: 'FR-10',
    what: 'a length in more bytes than it needs',
    frames: {
      '16 bits': hex('81 FE 0003 00000000 616263'),
      '64 bits': hex('81 FF 0000000000000003 00000000 616263'),
      '125 in 16 bits': frame(1, 'x'.repeat(125), { lengthForm: 16 }),
      '65,535 in 64 bits': frame(1, 'x'.repeat(65_535), { lengthForm: 64 }),
      none: frame(1, '', { lengthForm: 16 }),
      'a continuation': Buffer.concat([frame(1, '"a', { fin: false }), frame(0, 'b"', { lengthForm: 16 })]),
      'behind an honest message': Buffer.concat([frame(9, 'x'), frame(1, 'abc', { lengthForm: 64 })]),
    },
    codes: [1002],
    reason: 'LENGTH_NOT_MINIMAL',
  },
  {
    id: 'FR-11',
    what: 'a close code that nobody may send',
    frames: Object.fromEntries(
      [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) => [
        code,
        close(code),
      ]),
    ),
    codes: [1002],
  },
  { id: 'FR-12', what: 'a close frame of one byte', frames: { it: hex('88 81 00000000 03') }, codes: [1002] },
  {
    id: 'FR-13',
    what: 'a close reason that is none',
    frames: {
      'not UTF-8': hex('88 84 00000000 03E8 FFFE'),
      'cut in a character': hex('88 84 00000000 03E8 F09F'),
      '126 bytes': frame(8, Buffer.concat([Buffer.from([3, 232]), Buffer.alloc(124, 'x')])),
    },
    codes: [1007, 1002],
  },
  {
    id: 'FR-15',
    what: 'text that is not UTF-8',
    frames: {
      'a surrogate': frame(1, hex('CEBAE1BDB9CF83CEBCCEB5EDA080656469746564')),
      overlong: frame(1, hex('C080')),
      'beyond U+10FFFF': frame(1, hex('F4908080')),
      'a lone continuation': frame(1, hex('80')),
      'cut short': frame(1, hex('F09F98')),
    },
    codes: [1007],
  },
];

for (const { id, what, frames, codes, reason } of broken) {
  test(`${id} ${what} closes with ${codes.join(' or ')}`, { timeout }, async (t) => {
    const server = await listening(t, calm);
    const honest = await Client.open(`${server.url}/ws`);
    for (const path of ['/ws', '/ws/echo']) {
      for (const [name, bytes] of Object.entries(frames)) {
        const client = await WireClient.open(server, path);
        const startedMs = performance.now();
        client.write(bytes);
        const end = await client.ended;
        const tookMs = performance.now() - startedMs;
        assert.ok(codes.includes(end.code ?? 0), `${path} ${name}: ${JSON.stringify(end)}`);
        if (reason !== undefined) assert.equal(end.reason, reason, name);
        assert.equal(end.closes, 1, name);
        assert.ok(tookMs < guards.closeTimeoutMs + noiseMs, `${name}: ${tookMs} ms`);
        const messages = client.messages.filter((text) => !text.includes('"WELCOME"'));
        assert.deepEqual(messages, [], `${path} ${name} was answered`);
      }
    }
    assert.equal((await honest.request('PING')).type, 'PONG');
  });
}

test('FR-10 the forms at the border are taken, also byte by byte', { timeout }, async (t) => {
  const server = await listening(t, calm);
  for (const length of [0, 125, 126, 65_535, 65_536]) {
    const client = await WireClient.open(server, '/ws/echo');
    client.write(frame(1, 'x'.repeat(length)));
    await client.until(() => client.messages.length === 1, `echo of ${length} bytes`);
    assert.equal(client.messages[0]?.length, length);
    client.destroy();
  }
  const client = await WireClient.open(server, '/ws/echo');
  for (const byte of Buffer.concat([frame(1, 'x'.repeat(126)), frame(1, 'abc', { lengthForm: 64 })])) {
    client.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await client.ended).reason, 'LENGTH_NOT_MINIMAL');
  assert.equal(client.messages[0], 'x'.repeat(126));
});

test('FR-10 without minimalLengths: any form is taken', { timeout }, async (t) => {
  const server = await unguarded(t, { minimalLengths: false }, calm);
  const client = await WireClient.open(server, '/ws/echo');
  client.write(hex('81 FE 0003 00000000 616263'));
  client.write(hex('81 FF 0000000000000003 00000000 616263'));
  await client.until(() => client.messages.length === 2, 'two echoes');
  client.destroy();
});

test('FR-14 nothing behind a close frame is handled', { timeout }, async (t) => {
  const server = await listening(t, calm);
  for (const [path, late] of [
    ['/ws', frame(1, '{"type":"PING","id":"late"}')],
    ['/ws/echo', frame(1, 'late')],
  ] as const) {
    const client = await WireClient.open(server, path);
    client.write(Buffer.concat([close(1000), late]));
    client.write(late);
    const end = await client.ended;
    assert.deepEqual([end.code, end.closes], [1000, 1]);
    assert.ok(!client.text.includes('late'), client.text);
  }
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  assert.doesNotMatch(metrics, /wsbench_messages_received_total\{/);
});

test('FR-16 a character in two fragments is whole or is not', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const start = hex('01 82 00000000 F09F');
  const good = await WireClient.open(server, '/ws/echo');
  good.write(start);
  good.write(hex('80 82 00000000 9880'));
  await good.until(() => good.messages.length === 1, 'echo');
  assert.equal(good.messages[0], '\u{1f600}');
  good.destroy();
  const tookMs: number[] = [];
  for (let round = 0; round < 5; round++) {
    const bad = await WireClient.open(server, '/ws/echo');
    bad.write(start);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const startedMs = performance.now();
    bad.write(hex('80 82 00000000 2828'));
    assert.equal((await bad.ended).code, 1007);
    tookMs.push(performance.now() - startedMs);
  }
  t.diagnostic(`closed after ${tookMs.map((took) => took.toFixed(1)).join(', ')} ms`);
  assert.ok(Math.min(...tookMs) <= 100);
});

test('FR-21 no close reason holds what a client sent', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const evil = `evil\r\nSet-Cookie: a=b\r\n${'x'.repeat(95)}\u{1f600}${'y'.repeat(200)}`;
  const types = ['AUTH', 'SUBSCRIBE', 'ECHO', evil];
  const texts = [
    evil,
    ...types.map((type) => JSON.stringify({ type, id: 'i', payload: { token: evil, channel: evil } })),
    JSON.stringify({ type: 'AUTH', id: 'i', payload: { token: `${'e'.repeat(30)}.${evil}.x` } }),
  ];
  const reasons = new Set<string>();
  for (const text of texts) {
    const client = await WireClient.open(server);
    client.write(frame(1, text));
    await client.until(() => client.messages.length > 1, 'answer');
    // Whatever it was answered by, the connection ends here.
    client.write(frame(2, evil));
    const { reason } = await client.closed();
    assert.ok(Buffer.byteLength(reason) <= 123 && /^[A-Z_]+$/.test(reason), reason);
    reasons.add(reason);
  }
  assert.deepEqual([...reasons].sort(), ['BINARY_NOT_ACCEPTED', 'TOKEN_INVALID']);
});

test('FR-22 a binary message on a typed route is answered and closes with 1003', { timeout }, async (t) => {
  const server = await listening(t, calm);
  const honest = await Client.open(`${server.url}/ws`);
  for (const payload of ['{}', '{"type":"PING","id":"p"}', '', '\x00\xff']) {
    const client = await WireClient.open(server);
    client.write(frame(2, payload));
    const end = await client.closed();
    assert.deepEqual(end, { code: 1003, reason: 'BINARY_NOT_ACCEPTED', closes: 1 });
    const answers = client.messages.map((text) => JSON.parse(text) as { type: string; payload: object });
    assert.deepEqual(
      answers.map(({ type, payload: { code } }: { type: string; payload: { code?: string } }) => [
        type,
        code,
      ]),
      [
        ['WELCOME', undefined],
        ['ERROR', 'UNSUPPORTED_DATA'],
      ],
    );
  }
  assert.equal((await honest.request('PING')).type, 'PONG');
});
