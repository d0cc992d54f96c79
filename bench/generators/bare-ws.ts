// A bare loop over the ws package: sends, and counts nothing.
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { holdOpen } from './idle.ts';
import { askedLoad, type GeneratorLoad, pace } from './load.ts';

const {
  url,
  connections,
  sizeBytes,
  depth = 1,
  ratePerSecond,
  idle,
  durationMs,
  asBuffer,
} = askedLoad<GeneratorLoad & { asBuffer?: boolean }>();
const open = (): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
if (idle) console.log(JSON.stringify(await holdOpen(open, connections, durationMs)));
const sockets = idle ? [] : await Promise.all(Array.from({ length: connections }, open));
// A Buffer is copied and masked as it is, and goes out with its header in one piece; a string costs a conversion and a second piece.
const text = 'x'.repeat(sizeBytes);
const message = asBuffer ? Buffer.from(text) : text;
const asText = { binary: false };

if (ratePerSecond === undefined) {
  for (const socket of sockets) {
    socket.on('message', () => socket.send(message, asText));
    for (let count = 0; count < depth; count++) socket.send(message, asText);
  }
} else {
  let next = 0;
  // One write for what is due on a connection, as the others do.
  const below = sockets.map((socket) => (socket as unknown as { _socket: Socket })._socket);
  pace(ratePerSecond, (due) => {
    for (const socket of below) socket.cork();
    for (let count = 0; count < due; count++) sockets[next++ % connections]?.send(message, asText);
    for (const socket of below) socket.uncork();
  });
}
