// Both drivers say the same of what a server does wrong: kinds, words, close codes.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createNativeDriver, createWsDriver, type Driver } from '../../lib/load/index.ts';
import { encodeFrame, type FrameSpec, opcodes } from '../../lib/protocol/frame.ts';
import { accept, listen } from '../transport/peer.ts';
import { Notes } from './driver-contract.ts';

const timeout = 30_000;
const makers: (() => Driver)[] = [createWsDriver, () => createNativeDriver()];

/** What each driver tells of a server. */
async function toldBy(t: TestContext, serve: (socket: Socket) => void, subprotocols: string[] = []) {
  const port = await listen(t, serve);
  return Promise.all(
    makers.map(async (make) => {
      const sink = new Notes();
      const url = `ws://127.0.0.1:${port}/`;
      make().open({ url, headers: [], subprotocols, timeoutMs: 1000, insecure: false }, sink);
      await sink.until(() => sink.close !== undefined || (sink.failure !== undefined && !sink.split));
      const { calls, failure, close, reason } = sink;
      // Node's http calls a FIN ECONNRESET, which it is not.
      const detail = failure?.detail.replace('ECONNRESET: socket', 'socket');
      return { calls, kind: failure?.kind, detail, close, reason };
    }),
  );
}

const control = (opcode: number, payload: Buffer | string = ''): FrameSpec => ({
  opcode,
  payload: Buffer.from(payload),
});
// biome-ignore format: a table
const frames: [name: string, frames: FrameSpec[] | Buffer][] = [
  ['a mask', [{ opcode: 1, payload: Buffer.from('hi'), mask: Buffer.from([1, 2, 3, 4]) }]],
  ['RSV1', [{ opcode: 1, rsv: 4, payload: Buffer.from('hi') }]],
  ['RSV2', [{ opcode: 1, rsv: 2, payload: Buffer.from('hi') }]],
  ['RSV3', [{ opcode: 2, rsv: 1 }]],
  ['opcode 3', [control(3)]],
  ['opcode 11', [control(11)]],
  ['a ping in fragments', [{ opcode: 9, fin: false }]],
  ['a long ping', [control(9, 'x'.repeat(126))]],
  ['a continuation of nothing', [control(0)]],
  ['a message within a message', [{ opcode: 1, fin: false }, control(1)]],
  ['no UTF-8', [control(1, Buffer.from([0xff]))]],
  ['no UTF-8 in a close reason', [control(8, Buffer.from([3, 0xe8, 0xff]))]],
  ['a close frame of one byte', [control(8, 'x')]],
  ['close code 1006', [control(8, Buffer.from([3, 0xee]))]],
  ['close code 999', [control(8, Buffer.from([3, 0xe7]))]],
  ['more than 16 MiB', Buffer.from('827f0000000001000001', 'hex')],
  ['2^63 bytes', Buffer.from('827f8000000000000000', 'hex')],
  ['a length in more bytes than needed', [{ opcode: 1, payload: Buffer.from('hi'), lengthForm: 64 }, control(8)]],
  ['a close frame with a reason', [control(8, Buffer.from([3, 0xf3, 0x6e, 0x6f]))]],
  ['a close frame without a code', [control(8)]],
  ['61 pings at once', Array.from({ length: 61 }, () => control(9))],
];
for (const [name, specs] of frames) {
  test(`frames: ${name}`, { timeout }, async (t) => {
    const bytes = Buffer.isBuffer(specs) ? specs : Buffer.concat(specs.map(encodeFrame));
    const [ws, native] = await toldBy(t, (socket) => {
      // The end comes with the answer of the client, as servers do it.
      accept(socket, () => socket.on('data', () => socket.end()), bytes);
      socket.on('end', () => socket.end());
    });
    assert.deepEqual(native, ws);
  });
}

const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
const text = encodeFrame(control(opcodes.text, 'hello'));
// biome-ignore format: a table
const answers: [name: string, answer: string | Buffer | 'end' | 'reset', subprotocols?: string[]][] = [
  ['404', 'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno such\r\n'],
  ['429', 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n'],
  ['301', 'HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n'],
  ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ['a body in chunks', 'HTTP/1.1 500 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'],
  ['no Accept', `${head}\r\n`],
  ['a wrong Accept', `${head}Sec-WebSocket-Accept: x\r\n\r\n`],
  ['no Upgrade', 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n'],
  ['no Connection', 'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n'],
  ['another Upgrade', 'HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'],
  ['HTTP/1.0', 'HTTP/1.0 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
  ['frames instead of HTTP', text],
  ['something else', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['a TLS alert', Buffer.from('15030100020246', 'hex')],
  ['a FIN', 'end'],
  ['a RST', 'reset'],
  ['half a head, and silence', 'HTTP/1.1 101 Swit'],
  ['silence', ''],
];
for (const [name, answer] of answers) {
  test(`answers: ${name}`, { timeout }, async (t) => {
    const [ws, native] = await toldBy(t, (socket) => {
      socket.once('data', () => {
        if (answer === 'end') socket.end();
        else if (answer === 'reset') socket.resetAndDestroy();
        else if (answer !== '') socket.write(answer);
      });
    });
    assert.deepEqual(native, ws);
    assert.equal(native?.calls.length, 1);
  });
}

for (const [name, header, offered] of [
  ['an extension that was not offered', 'Sec-WebSocket-Extensions: permessage-deflate', []],
  ['a subprotocol that was not offered', 'Sec-WebSocket-Protocol: chat', []],
  ['another subprotocol than offered', 'Sec-WebSocket-Protocol: chat', ['one', 'two']],
  ['none of the subprotocols', 'X-Nothing: 1', ['one', 'two']],
] as const) {
  test(`answers: ${name}`, { timeout }, async (t) => {
    const serve = (socket: Socket): void => accept(socket, () => {}, undefined, [header]);
    const [ws, native] = await toldBy(t, serve, [...offered]);
    assert.deepEqual(native, ws);
  });
}
