// The endpoints that speak no protocol of ours: echo, sink, push.
import type { WebSocket } from 'ws';
import type { Clock } from './clock.ts';

/** Unsent bytes at which an echo stops reading until the peer has read. */
const highWaterBytes = 1024 ** 2;

/** Sends every message back as it came. Reads no faster than the peer does, so memory stays bounded without a limit. */
export function echoAll(socket: WebSocket): void {
  const sent = (): void => {
    if (socket.isPaused && socket.bufferedAmount <= highWaterBytes) socket.resume();
  };
  socket.on('message', (data, isBinary) => {
    socket.send(data, { binary: isBinary }, sent);
    if (socket.bufferedAmount > highWaterBytes) socket.pause();
  });
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
