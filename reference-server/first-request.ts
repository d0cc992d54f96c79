// A connection must say what it wants. Node's own timeout starts anew with the first byte, so that whoever sends it late has twice
// the time.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Calls `late` with every connection whose first headers are not all there `withinMs` after it was made; 0: never. */
export function boundFirstRequest(server: Server, withinMs: number, late: (socket: Socket) => void): void {
  if (withinMs === 0) return;
  const timers = new WeakMap<Duplex, NodeJS.Timeout>();
  const isThere = (socket: Duplex): void => clearTimeout(timers.get(socket));
  server.on('connection', (socket: Socket) => {
    timers.set(
      socket,
      setTimeout(() => late(socket), withinMs),
    );
    socket.once('close', () => isThere(socket));
  });
  server.prependListener('request', ({ socket }) => isThere(socket));
  server.prependListener('upgrade', ({ socket }) => isThere(socket));
}
