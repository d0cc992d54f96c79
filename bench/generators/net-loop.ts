// The least that a client over net.Socket can do: frames that were encoded before, written again for each echo that came.
// It trusts the server in everything: echoes are counted by their bytes.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { encodeFrame, opcodes } from '../../lib/protocol/frame.ts';
import { holdOpen } from './idle.ts';
import { askedLoad, pace } from './load.ts';

const { url, connections, sizeBytes, depth = 1, ratePerSecond, idle, durationMs } = askedLoad();
const { hostname, port } = new URL(url);
const mostAtOnce = 1024;
const payload = Buffer.alloc(sizeBytes, 'x');
const frame = encodeFrame({ opcode: opcodes.text, payload, mask: randomBytes(4) });
const echoBytes = encodeFrame({ opcode: opcodes.text, payload }).length;
const frames = Buffer.alloc(frame.length * mostAtOnce, frame);
/** Any number of frames, in one piece. */
const batches = Array.from({ length: mostAtOnce + 1 }, (_, count) =>
  frames.subarray(0, count * frame.length),
);
const batch = (count: number): Buffer => batches[Math.min(count, mostAtOnce)] ?? frames;

const buffer = Buffer.alloc(65_536);

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let isOpen = false;
    let bytes = 0;
    const socket: Socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          if (!isOpen) {
            isOpen = true;
            resolve(socket);
            return true;
          }
          bytes += length;
          const echoes = Math.floor(bytes / echoBytes);
          bytes -= echoes * echoBytes;
          if (echoes > 0 && ratePerSecond === undefined) socket.write(batch(echoes));
          return true;
        },
      },
    });
    socket.once('error', reject);
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  });
}

if (idle) console.log(JSON.stringify(await holdOpen(open, connections, durationMs)));
const sockets = idle ? [] : await Promise.all(Array.from({ length: connections }, open));
if (ratePerSecond === undefined) {
  for (const socket of sockets) socket.write(batch(depth));
} else {
  let next = 0;
  pace(ratePerSecond, (due) => {
    const each = Math.floor(due / connections);
    const more = due % connections;
    for (let index = 0; index < connections && (each > 0 || index < more); index++) {
      sockets[(next + index) % connections]?.write(batch(each + (index < more ? 1 : 0)));
    }
    next += more;
  });
}
