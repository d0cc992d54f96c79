// The endpoints that speak no protocol of ours: echo, sink, push.
import type { WebSocket } from 'ws';
import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';

/** Unsent bytes at which a push leaves messages out. */
const highWaterBytes = 1024 ** 2;

/** Sends every message back as it came. Reads no faster than the peer does, so memory stays bounded without a limit. */
export function echoAll(connection: Connection): void {
  connection.socket.on('message', (data, isBinary) => connection.sendBack(data as Buffer, isBinary));
}

/** Reads and forgets. */
export function sinkAll(socket: WebSocket): void {
  socket.on('message', () => {});
}

const tickMs = 10;

/** Pushes `{"seq":n,"timestamp":ms}` at `ratePerSecond`. A peer that does not read gets fewer, never a backlog. Returns how to stop. */
export function pushAll(socket: WebSocket, ratePerSecond: number, clock: Clock): () => void {
  const startMs = clock.nowMs();
  let due = 0;
  let seq = 0;
  let stop: () => void;
  const tick = (): void => {
    const target = Math.floor(((clock.nowMs() - startMs) * ratePerSecond) / 1000);
    for (; due < target; due++) {
      if (socket.bufferedAmount > highWaterBytes) {
        due = target;
        break;
      }
      seq += 1;
      socket.send(JSON.stringify({ seq, timestamp: clock.epochMs() }));
    }
    stop = clock.schedule(tickMs, tick);
  };
  stop = clock.schedule(tickMs, tick);
  socket.on('message', () => {});
  return () => stop();
}
