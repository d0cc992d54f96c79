// Our handshake, receiver and encoder as a client of servers that others wrote: text, binary, fragments, compression.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { createServer } from '../../lib/index.ts';
import { closeBody } from '../../lib/protocol/close.ts';
import type { DeflateParameters } from '../../lib/protocol/deflate-negotiation.ts';
import { DeflateStream, InflateStream } from '../../lib/protocol/deflate-stream.ts';
import { encodeFrame, opcodes } from '../../lib/protocol/frame.ts';
import { MessageReceiver } from '../../lib/protocol/message.ts';
import { type Connection, open } from '../../lib/transport/connection.ts';
import { endpointOf } from '../../lib/transport/endpoint.ts';
import { skipUnless } from '../require.ts';

const python3 = process.env.WSBENCH_PYTHON || 'python3';
const hasWebsockets = spawnSync(python3, ['-c', 'from websockets.asyncio.server import serve']).status === 0;
const mask = Buffer.from([1, 2, 3, 4]);

async function wsEcho(t: TestContext): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 } });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  await once(server, 'listening');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function pythonEcho(t: TestContext): Promise<string> {
  const script = fileURLToPath(new URL('../../../test/fixtures/websockets_echo.py', import.meta.url));
  const python = spawn(python3, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => python.stdin.end());
  const [port] = (await once(python.stdout, 'data')) as [Buffer];
  return `ws://127.0.0.1:${port.toString().trim()}/`;
}

/** The echo of the reference server. */
async function ownEcho(t: TestContext): Promise<string> {
  const server = await createServer({ port: 0, host: '127.0.0.1' });
  await server.listen();
  t.after(() => server.close());
  return `${server.url}/ws/echo`;
}

const offers: Record<string, DeflateParameters | undefined> = {
  'no compression': undefined,
  compression: { clientMaxWindowBits: true },
  'no context takeover': { serverNoContextTakeover: true, clientNoContextTakeover: true },
  'windows of 9 bits': { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
};

/** A message as a client sends it: in fragments, and compressed if that was agreed. */
function frames(opcode: number, payload: Buffer, parts: number, compressed: boolean): Buffer {
  const size = Math.max(1, Math.ceil(payload.length / parts));
  const bounds = Array.from({ length: parts }, (_, index) =>
    payload.subarray(index * size, (index + 1) * size),
  );
  return Buffer.concat(
    bounds.map((part, index) =>
      encodeFrame({
        opcode: index === 0 ? opcode : opcodes.continuation,
        fin: index === parts - 1,
        rsv: compressed && index === 0 ? 4 : 0,
        payload: part,
        mask,
      }),
    ),
  );
}

const texts = ['Hello', '', '世界 🌍 '.repeat(400), 'x'.repeat(70_000), 'Hello'];

/** Sends all in turn, waits for each echo, and closes; resolves with what came back. */
function echoes(
  t: TestContext,
  url: string,
  deflate: DeflateParameters | undefined,
): Promise<{ seen: string[]; code: number; isCompressed: boolean }> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    const wanted = texts.flatMap((text) =>
      [1, 3].flatMap((parts) => [opcodes.text, opcodes.binary].map((opcode) => ({ text, parts, opcode }))),
    );
    let turn = 0;
    let code = 0;
    let compressedMessages = 0;
    let inflate: InflateStream | undefined;
    let compress: DeflateStream | undefined;
    const next = (): void => {
      const message = wanted[turn++];
      if (!message) {
        connection.write(encodeFrame({ opcode: opcodes.close, payload: closeBody(1000, 'done'), mask }));
        return;
      }
      const { text, parts, opcode } = message;
      if (compress)
        compress.deflate(Buffer.from(text), (payload) =>
          connection.write(frames(opcode, payload, parts, true)),
        );
      // Uneven pieces, so that the server sees frames across reads.
      else if (text.length < 10)
        connection.chop(frames(opcode, Buffer.from(text), parts, false), { sizes: [1, 2] });
      else connection.write(frames(opcode, Buffer.from(text), parts, false));
    };
    const took = (opcode: number, text: string): void => {
      const { text: sent, opcode: wantedOpcode } = wanted[turn - 1] ?? {};
      seen.push(text === sent && opcode === wantedOpcode ? 'same' : `${opcode}: ${text.slice(0, 50)}`);
      next();
    };
    let receiver: MessageReceiver | undefined;
    const connection: Connection = open(
      endpointOf(url),
      { timeoutMs: 5000, upgrade: deflate === undefined ? {} : { deflate } },
      {
        opened: (_times, handshake) => {
          const agreed = handshake?.deflate;
          if (agreed) {
            compress = new DeflateStream(agreed.client);
            inflate = new InflateStream(agreed.server, 1_000_000);
          }
          receiver = new MessageReceiver(
            {
              message: (opcode, buf, start, end) => took(opcode, buf.toString('utf8', start, end)),
              compressed: (opcode, payload) => {
                compressedMessages++;
                inflate?.inflate(payload, (message) =>
                  Buffer.isBuffer(message)
                    ? took(opcode, message.toString())
                    : reject(new Error(message.reason)),
                );
              },
              ping: (buf, start, end) =>
                connection.write(
                  encodeFrame({ opcode: opcodes.pong, payload: buf.subarray(start, end), mask }),
                ),
              pong: () => {},
              close: (body) => {
                code = body.code;
              },
              violation: (broken) => reject(new Error(broken.reason)),
            },
            { deflate: agreed !== null && agreed !== undefined },
          );
          next();
        },
        data: (buf, start, end) => receiver?.push(buf, start, end),
        // The server ends first. RFC 6455 §7.1.1
        ended: () => connection.end(),
        drained: () => {},
        closed: () => resolve({ seen, code, isCompressed: compressedMessages > 0 }),
        failed: (cause) => reject(new Error(cause.detail)),
      },
    );
    t.after(() => {
      connection.destroy();
      compress?.close();
      inflate?.close();
    });
  });
}

const servers = [
  { name: 'ws', start: wsEcho, skip: false },
  {
    name: 'Python websockets',
    start: pythonEcho,
    compresses: true,
    skip: skipUnless('websockets', hasWebsockets),
  },
  { name: 'the reference server', start: ownEcho, skip: false },
] as const;

for (const { name, start, skip } of servers) {
  describe(name, { skip }, () => {
    for (const [offer, deflate] of Object.entries(offers)) {
      test(offer, { timeout: 30_000 }, async (t) => {
        const { seen, code, isCompressed } = await echoes(t, await start(t), deflate);
        assert.deepEqual(
          seen,
          Array.from({ length: texts.length * 4 }, () => 'same'),
        );
        assert.equal(code, 1000);
        assert.equal(isCompressed, deflate !== undefined);
      });
    }
  });
}
