// What a compressed message costs: our streams, our function of payload and window, and the ws package, in one run.
//
//   npm run bench:deflate -- [connections] [seconds]
//
// A message is compressed as a client does and inflated as a server does, on many connections at once, with context takeover.
import * as ws from 'ws';
import { MessageDeflater, MessageInflater } from '../lib/protocol/deflate.ts';
import { DeflateStream, InflateStream } from '../lib/protocol/deflate-stream.ts';

const [connections = 50, seconds = 2] = process.argv.slice(2).map(Number);
const direction = { windowBits: 15, contextTakeover: true };
const maxBytes = 1_000_000;

/** There and back again on one connection. */
type RoundTrip = (message: Buffer, done: (size: number) => void) => void;

const streams = (): RoundTrip => {
  const deflate = new DeflateStream(direction);
  const inflate = new InflateStream(direction, maxBytes);
  return (message, done) =>
    deflate.deflate(message, (payload) =>
      inflate.inflate(payload, (seen) => done(Buffer.isBuffer(seen) ? seen.length : -1)),
    );
};

const functions = (): RoundTrip => {
  const deflater = new MessageDeflater(direction);
  const inflater = new MessageInflater(direction, maxBytes);
  return (message, done) => {
    const seen = inflater.inflate(deflater.deflate(message));
    setImmediate(done, Buffer.isBuffer(seen) ? seen.length : -1);
  };
};

interface WsDeflate {
  accept(configurations: object[]): unknown;
  compress(data: Buffer, fin: boolean, done: (error: Error | null, result: Buffer) => void): void;
  decompress(data: Buffer, fin: boolean, done: (error: Error | null, result: Buffer) => void): void;
}

const theirs = (): RoundTrip => {
  // The types of the ws package leave it out.
  const { PerMessageDeflate } = ws as unknown as { PerMessageDeflate: new (options: object) => WsDeflate };
  const client = new PerMessageDeflate({ isServer: false, threshold: 0 });
  const server = new PerMessageDeflate({ isServer: true, threshold: 0 });
  client.accept([{}]);
  server.accept([{}]);
  return (message, done) =>
    client.compress(message, true, (_error, payload) =>
      server.decompress(payload, true, (error, seen) => done(error ? -1 : seen.length)),
    );
};

function measure(create: () => RoundTrip, message: Buffer): Promise<string> {
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  let count = 0;
  let running = connections;
  return new Promise((resolve, reject) => {
    for (let index = 0; index < connections; index++) {
      const trip = create();
      const next = (): void =>
        trip(message, (size) => {
          if (size !== message.length) reject(new Error(`${size} bytes came back`));
          count++;
          if (performance.now() - startMs < seconds * 1000) next();
          else if (--running === 0) {
            const { user, system } = process.cpuUsage(cpu);
            const perSecond = (count / (performance.now() - startMs)) * 1000;
            resolve(
              `${perSecond.toFixed(0).padStart(7)} messages/s ${((user + system) / count).toFixed(0).padStart(5)} µs CPU each`,
            );
          }
        });
      next();
    }
  });
}

for (const length of [10, 300, 10_000]) {
  const message = Buffer.from(JSON.stringify(Array.from({ length }, (_, index) => (index * 7919) % 1000)));
  for (const [name, create] of Object.entries({ streams, functions, ws: theirs })) {
    console.log(
      `${String(message.length).padStart(6)} B  ${name.padEnd(10)} ${await measure(create, message)}`,
    );
  }
}
