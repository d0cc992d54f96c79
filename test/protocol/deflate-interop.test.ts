// What we deflate, others inflate, and the other way round: every window, both context modes, both of our ways.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as ws from 'ws';
import { type DeflateDirection, MessageDeflater, MessageInflater } from '../../lib/protocol/deflate.ts';
import { DeflateStream, InflateStream } from '../../lib/protocol/deflate-stream.ts';
import { skipUnless } from '../require.ts';

const python3 = process.env.WSBENCH_PYTHON || 'python3';
const hasWebsockets =
  spawnSync(python3, ['-c', 'from websockets.extensions.permessage_deflate import PerMessageDeflate'])
    .status === 0;

const maxBytes = 1_000_000;

/** One direction at somebody else's: their compressor, and their decompressor. */
interface Peer {
  encode(message: Buffer): Promise<Buffer>;
  decode(payload: Buffer): Promise<Buffer>;
}

type Open = (direction: DeflateDirection) => Promise<Peer>;

interface WsDeflate {
  accept(configurations: object[]): unknown;
  compress(data: Buffer, fin: boolean, done: (error: Error | null, result: Buffer) => void): void;
  decompress(data: Buffer, fin: boolean, done: (error: Error | null, result: Buffer) => void): void;
  cleanup(): void;
}

// The package exports it, its types do not.
const { PerMessageDeflate } = ws as unknown as { PerMessageDeflate: new (options: object) => WsDeflate };

/** @param side which side of the connection ws is */
function wsPeer(side: 'server' | 'client', t: TestContext): Open {
  return async ({ windowBits, contextTakeover }) => {
    const answer = {
      server_max_window_bits: [String(windowBits)],
      client_max_window_bits: [String(windowBits)],
      ...(contextTakeover ? {} : { server_no_context_takeover: [true], client_no_context_takeover: [true] }),
    };
    const deflate = new PerMessageDeflate({
      isServer: side === 'server',
      clientMaxWindowBits: windowBits,
      threshold: 0,
    });
    deflate.accept([answer]);
    t.after(() => deflate.cleanup());
    const run = (way: 'compress' | 'decompress', data: Buffer): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        deflate[way](data, true, (error, result) => (error ? reject(error) : resolve(Buffer.from(result))));
      });
    return { encode: (message) => run('compress', message), decode: (payload) => run('decompress', payload) };
  };
}

async function pythonPeer(t: TestContext): Promise<Open> {
  const script = fileURLToPath(new URL('../../../test/fixtures/websockets_deflate.py', import.meta.url));
  const python = spawn(python3, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => python.stdin.end());
  const lines = createInterface({ input: python.stdout });
  const ask = async (order: object): Promise<Buffer> => {
    python.stdin.write(`${JSON.stringify(order)}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    const answer = JSON.parse(line) as { hex?: string; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return Buffer.from(answer.hex ?? '', 'hex');
  };
  return async ({ windowBits, contextTakeover }) => {
    await ask({ open: { bits: windowBits, takeover: contextTakeover } });
    return {
      encode: (message) => ask({ encode: message.toString('hex') }),
      decode: (payload) => ask({ decode: payload.toString('hex') }),
    };
  };
}

/** Short, long, empty, like the last, like one long ago, and what cannot be compressed. */
const messages: Buffer[] = [
  Buffer.from('Hello'),
  Buffer.from('Hello'),
  Buffer.alloc(0),
  Buffer.from(JSON.stringify({ type: 'ECHO', list: Array.from({ length: 400 }, (_, index) => index * 37) })),
  Buffer.from('世界 🌍 '.repeat(500)),
  Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919 + (index >> 5)) & 255)),
  Buffer.alloc(70_000, 'abcdefghij'),
  Buffer.from('Hello'),
];

const directions: DeflateDirection[] = [8, 9, 10, 11, 12, 13, 14, 15].flatMap((windowBits) => [
  { windowBits, contextTakeover: true },
  { windowBits, contextTakeover: false },
]);

async function roundTrips(open: Open, direction: DeflateDirection, canEncode: boolean): Promise<void> {
  const way = (message: Buffer, seen: Buffer, what: string): void =>
    assert.ok(seen.equals(message), `${what}: ${message.length} bytes became ${seen.length}`);
  const peer = await open(direction);
  const deflater = new MessageDeflater(direction);
  const inflater = new MessageInflater(direction, maxBytes);
  const inflate = new InflateStream(direction, maxBytes);
  for (const message of messages) {
    way(message, await peer.decode(deflater.deflate(message)), 'ours, inflated by them');
    if (!canEncode) continue;
    const payload = await peer.encode(message);
    for (const seen of [
      inflater.inflate(payload),
      await new Promise<ReturnType<MessageInflater['inflate']>>((resolve) =>
        inflate.inflate(payload, resolve),
      ),
    ]) {
      if (!Buffer.isBuffer(seen)) assert.fail(`${seen.reason}: ${payload.subarray(0, 20).toString('hex')}`);
      way(message, seen, 'theirs, inflated by us');
    }
  }
  const again = await open(direction);
  const deflate = new DeflateStream(direction);
  for (const message of messages) {
    const payload = await new Promise<Buffer>((resolve) => deflate.deflate(message, resolve));
    way(message, await again.decode(payload), 'our stream, inflated by them');
  }
  deflate.close();
  inflate.close();
}

for (const side of ['server', 'client'] as const) {
  describe(`ws as ${side}`, () => {
    for (const direction of directions) {
      const { windowBits, contextTakeover } = direction;
      test(
        `${windowBits} bits, ${contextTakeover ? 'with' : 'no'} context takeover`,
        { timeout: 30_000 },
        (t) => roundTrips(wsPeer(side, t), direction, true),
      );
    }
  });
}

test('Python websockets', { timeout: 60_000, skip: skipUnless('websockets', hasWebsockets) }, async (t) => {
  const open = await pythonPeer(t);
  for (const direction of directions) {
    const { windowBits, contextTakeover } = direction;
    await t.test(`${windowBits} bits, ${contextTakeover ? 'with' : 'no'} context takeover`, () =>
      roundTrips(open, direction, windowBits > 8),
    );
  }
});
