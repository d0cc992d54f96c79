// What the tests of the transport room share: a TCP server that does as it is told, and a sink that remembers.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Cause } from '../../lib/cause/cause.ts';
import { acceptOf } from '../../lib/protocol/handshake.ts';
import {
  type Connection,
  type ConnectTimes,
  type OpenOptions,
  open,
} from '../../lib/transport/connection.ts';
import { endpointOf } from '../../lib/transport/endpoint.ts';
import type { Handshake } from '../../lib/transport/upgrade.ts';

/** A server on a free port of 127.0.0.1; returns the port. */
export async function listen(t: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers one upgrade with a good 101 and what follows it, then hands the socket on. */
export function accept(
  socket: Socket,
  then: (socket: Socket) => void = () => {},
  after: Buffer = Buffer.alloc(0),
  headers: readonly string[] = [],
): void {
  let head = '';
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    socket.off('data', onData);
    const key = /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1] ?? '';
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptOf(key)}`,
      ...headers,
    ];
    socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), after]));
    then(socket);
  };
  socket.on('data', onData);
}

/** All that a connection told of. */
export class Seen {
  times: ConnectTimes | undefined;
  handshake: Handshake | null | undefined;
  bytes: Buffer = Buffer.alloc(0);
  /** Sizes of the reads. */
  reads: number[] = [];
  hasEnded = false;
  /** Undefined: it lives. */
  closed: Cause | null | undefined;
  failed: Cause | undefined;
  drains = 0;
  #waiting: (() => void)[] = [];

  /** Resolves when a condition holds, which is asked after each event. */
  async until(condition: (seen: Seen) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this;
  }

  told(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Opens a connection that is closed after the test, and remembers what it tells of. */
export function opened(
  t: TestContext,
  url: string,
  options: Partial<OpenOptions> = {},
): { connection: Connection; seen: Seen } {
  const seen = new Seen();
  const connection = open(
    endpointOf(url),
    { timeoutMs: 5000, ...options },
    {
      opened: (times, handshake) => {
        seen.times = times;
        seen.handshake = handshake;
        seen.told();
      },
      data: (buf, start, end) => {
        seen.bytes = Buffer.concat([seen.bytes, buf.subarray(start, end)]);
        seen.reads.push(end - start);
        seen.told();
      },
      ended: () => {
        seen.hasEnded = true;
        seen.told();
      },
      drained: () => {
        seen.drains++;
        seen.told();
      },
      closed: (cause) => {
        seen.closed = cause;
        seen.told();
      },
      failed: (cause) => {
        seen.failed = cause;
        seen.told();
      },
    },
  );
  t.after(() => connection.destroy());
  return { connection, seen };
}

export const isOpen = (seen: Seen): boolean => seen.times !== undefined || seen.failed !== undefined;
export const isOver = (seen: Seen): boolean => seen.failed !== undefined || seen.closed !== undefined;
