// The other side: our receiver, encoder and negotiation as a server, with the client of the ws package.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { closeBody } from '../../lib/protocol/close.ts';
import {
  acceptOffer,
  agreementOf,
  type DeflatePreferences,
  deflateHeader,
} from '../../lib/protocol/deflate-negotiation.ts';
import { DeflateStream, InflateStream } from '../../lib/protocol/deflate-stream.ts';
import { encodeFrame, opcodes } from '../../lib/protocol/frame.ts';
import { acceptOf } from '../../lib/protocol/handshake.ts';
import { MessageReceiver } from '../../lib/protocol/message.ts';

/** Answers an upgrade, and echoes: compressed messages in two fragments. */
function serve(socket: Socket, prefer: DeflatePreferences): void {
  socket.on('error', () => {});
  socket.once('data', (chunk) => {
    const head = chunk.toString('latin1');
    const header = (name: string): string | undefined =>
      new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1];
    const answer = acceptOffer(header('Sec-WebSocket-Extensions'), prefer);
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptOf(header('Sec-WebSocket-Key') ?? '')}`,
      ...(answer ? [`Sec-WebSocket-Extensions: ${deflateHeader(answer)}`] : []),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const agreed = answer && agreementOf(answer);
    const inflate = agreed && new InflateStream(agreed.client, 1_000_000);
    const deflate = agreed && new DeflateStream(agreed.server);
    socket.on('close', () => {
      inflate?.close();
      deflate?.close();
    });
    const send = (opcode: 1 | 2, message: Buffer): void => {
      if (!deflate) {
        socket.write(encodeFrame({ opcode, payload: message }));
        return;
      }
      deflate.deflate(message, (payload) => {
        const half = payload.length >> 1;
        socket.write(encodeFrame({ opcode, rsv: 4, fin: false, payload: payload.subarray(0, half) }));
        socket.write(encodeFrame({ opcode: opcodes.continuation, payload: payload.subarray(half) }));
      });
    };
    const receiver = new MessageReceiver(
      {
        message: (opcode, buf, start, end) => send(opcode, Buffer.from(buf.subarray(start, end))),
        compressed: (opcode, payload) =>
          inflate?.inflate(payload, (message) => {
            if (Buffer.isBuffer(message)) send(opcode, message);
            else socket.destroy(new Error(message.reason));
          }),
        ping: (buf, start, end) =>
          socket.write(encodeFrame({ opcode: opcodes.pong, payload: buf.subarray(start, end) })),
        pong: () => {},
        close: ({ code }) => socket.end(encodeFrame({ opcode: opcodes.close, payload: closeBody(code) })),
        violation: ({ closeCode, reason }) =>
          socket.end(encodeFrame({ opcode: opcodes.close, payload: closeBody(closeCode, reason) })),
      },
      { role: 'server', deflate: answer !== null, maxMessageBytes: 1_000_000 },
    );
    socket.on('data', (bytes) => receiver.push(bytes));
  });
}

async function start(t: TestContext, prefer: DeflatePreferences): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, prefer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const texts = ['Hello', '', '世界 🌍 '.repeat(400), 'x'.repeat(70_000), 'Hello'];

// biome-ignore format: a table
const rows: [name: string, client: Record<string, unknown> | false, server: DeflatePreferences, extensions: string][] = [
  ['no compression', false, {}, ''],
  ['compression', { threshold: 0 }, {}, 'permessage-deflate'],
  ['no context takeover', { threshold: 0, serverNoContextTakeover: true }, { clientNoContextTakeover: true }, 'permessage-deflate'],
  ['small windows', { threshold: 0, serverMaxWindowBits: 9 }, { clientMaxWindowBits: 9 }, 'permessage-deflate'],
  ['the smallest windows', { threshold: 0, serverMaxWindowBits: 8 }, { clientMaxWindowBits: 8 }, 'permessage-deflate'],
  ['the client may not have a small window, and we want one', { threshold: 0, clientMaxWindowBits: false }, { clientMaxWindowBits: 9 }, ''],
];
for (const [name, perMessageDeflate, prefer, extensions] of rows) {
  test(name, { timeout: 20_000 }, async (t) => {
    const client = new WebSocket(await start(t, prefer), { perMessageDeflate } as ClientOptions);
    await once(client, 'open');
    assert.equal(client.extensions, extensions);
    for (const text of texts) {
      for (const binary of [false, true]) {
        // In two fragments, with a ping in between.
        client.send(text.slice(0, 3), { binary, fin: false });
        client.ping('in between');
        client.send(text.slice(3), { binary, fin: true });
        const [[data, isBinary], [pong]] = (await Promise.all([
          once(client, 'message'),
          once(client, 'pong'),
        ])) as [[Buffer, boolean], [Buffer]];
        assert.equal(data.toString(), text);
        assert.equal(isBinary, binary);
        assert.equal(pong.toString(), 'in between');
      }
    }
    client.close(4001, 'done');
    const [code] = (await once(client, 'close')) as [number];
    assert.equal(code, 4001);
  });
}

test('what breaks a rule is answered with its close code', { timeout: 20_000 }, async (t) => {
  const client = new WebSocket(await start(t, {}), { perMessageDeflate: false });
  await once(client, 'open');
  client.send(Buffer.from('ff', 'hex'), { binary: false });
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  assert.equal(code, 1007);
  assert.match(reason.toString(), /not UTF-8 \(at byte 0\)/);
});
