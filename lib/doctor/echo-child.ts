// A minimal echo server, the partner of the doctor's self-test: as a child process, so that it has a core of its own, and
// without any protocol library, so that it is not what is measured. It speaks just what wsbench sends to it.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const opcodes = { close: 8, ping: 9, pong: 10 };

const server = createServer();
server.on('upgrade', (request, socket: Duplex) => {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  serve(socket as Socket);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());

/** Echoes the messages of a connection, all those of one read with one write. */
function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const out = Buffer.allocUnsafe(bytes.length);
    let from = 0;
    let to = 0;
    let closing = false;
    for (;;) {
      const head = headOf(bytes, from);
      if (head === undefined || from + head.bytes + head.payload > bytes.length) break;
      const opcode = (bytes[from] ?? 0) & 0x0f;
      // The answer is shorter than what it answers by the masking key.
      if (opcode !== opcodes.pong) to = answer(bytes, from, head, opcode, out, to);
      from += head.bytes + head.payload;
      closing ||= opcode === opcodes.close;
    }
    // A copy: what came lies in memory that is used again.
    rest = from === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(from));
    if (to > 0) socket.write(out.subarray(0, to));
    if (closing) socket.end();
  });
}

interface Head {
  /** Length of the frame's head, its masking key included. */
  bytes: number;
  payload: number;
}

/** The head of the masked frame at `from`; undefined: not all of it has come. RFC 6455 §5.2 */
function headOf(bytes: Buffer, from: number): Head | undefined {
  if (from + 2 > bytes.length) return undefined;
  const short = (bytes[from + 1] ?? 0) & 0x7f;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  if (from + 2 + lengthBytes > bytes.length) return undefined;
  const payload =
    short === 127
      ? Number(bytes.readBigUInt64BE(from + 2))
      : short === 126
        ? bytes.readUInt16BE(from + 2)
        : short;
  return { bytes: 2 + lengthBytes + 4, payload };
}

/** Writes the frame at `from` without its mask to `to`; returns where the next goes. */
function answer(bytes: Buffer, from: number, head: Head, opcode: number, out: Buffer, to: number): number {
  const start = from + head.bytes;
  const answered = opcode === opcodes.ping ? opcodes.pong : opcode;
  out[to] = ((bytes[from] ?? 0) & 0xf0) | answered;
  out[to + 1] = (bytes[from + 1] ?? 0) & 0x7f;
  const lengthBytes = head.bytes - 6;
  bytes.copy(out, to + 2, from + 2, from + 2 + lengthBytes);
  const body = to + 2 + lengthBytes;
  for (let index = 0; index < head.payload; index++) {
    out[body + index] = (bytes[start + index] ?? 0) ^ (bytes[start - 4 + (index & 3)] ?? 0);
  }
  return body + head.payload;
}
