// A server of raw bytes for tests: it can be wrong in every way that TCP allows.
import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** One connection, whose request has come. */
export interface RawConnection {
  socket: Socket;
  /** Path of the request, without the first slash. */
  path: string;
  /** What a right server answers to the request's key. */
  accept: string;
  /** How many connections had this path before. */
  before: number;
  /** Answers the handshake rightly, or with these headers instead. */
  upgrade(headers?: Record<string, string | undefined>): void;
  /** Upgrades, and sends a WELCOME; `fields` replace its own. */
  welcome(fields?: object | string): void;
  /** Sends a message of the protocol. */
  send(message: object | string): void;
  /** Calls back with every message of the client from now on. */
  messages(heard: (message: { type: string; id: string; payload?: Record<string, unknown> }) => void): void;
}

/** What the server saw of the connections of a path. */
export interface Seen {
  connections: number;
  /** Messages of clients. */
  texts: number;
  /** Close codes that clients sent. */
  closeCodes: number[];
}

/** A frame as a server sends it; every part of it may be wrong. */
export function frame(
  opcode: number,
  payload: string | Buffer,
  {
    fin = true,
    rsv = 0,
    mask = false,
    length,
  }: { fin?: boolean; rsv?: number; mask?: boolean; length?: bigint } = {},
): Buffer {
  const body = Buffer.from(payload);
  const told = length ?? BigInt(body.length);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const masked = mask ? 0x80 : 0;
  const head =
    told < 126n
      ? Buffer.from([first, masked | Number(told)])
      : told < 65_536n
        ? Buffer.from([first, masked | 126, Number(told >> 8n), Number(told & 0xffn)])
        : Buffer.concat([Buffer.from([first, masked | 127]), Buffer.alloc(8)]);
  if (told >= 65_536n) head.writeBigUInt64BE(told, 2);
  return Buffer.concat([head, mask ? Buffer.alloc(4) : Buffer.alloc(0), body]);
}

const welcome = {
  connectionId: 'c1',
  sub: null,
  roles: [],
  heartbeat: { intervalMs: 25_000, timeoutMs: 8000 },
  limits: { name: 'off', messagesPerMinute: null, burstLimit: null },
  maxMessageBytes: 65_536,
};

/** Listens; every connection is served by `serve` when its request has come. */
export async function rawServer(
  t: Pick<TestContext, 'after'> | { after(run: () => Promise<void>): void },
  serve: (connection: RawConnection) => void,
): Promise<{ port: number; seen: (path: string) => Seen }> {
  const paths = new Map<string, Seen>();
  const seen = (path: string): Seen => {
    const entry = paths.get(path) ?? { connections: 0, texts: 0, closeCodes: [] };
    paths.set(path, entry);
    return entry;
  };
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    let head = '';
    const read = (bytes: Buffer): void => {
      head += bytes.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', read);
      const path = /^GET \/(\S*)/.exec(head)?.[1] ?? '';
      const key = /^sec-websocket-key: (.+)$/im.exec(head)?.[1]?.trim() ?? '';
      const entry = seen(path);
      entry.connections += 1;
      serve(connectionOf(socket, path, key, entry));
    };
    socket.on('data', read);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function connectionOf(socket: Socket, path: string, key: string, seen: Seen): RawConnection {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  let heard: Parameters<RawConnection['messages']>[0] = () => {};
  const send = (message: object | string): void => {
    socket.write(frame(1, typeof message === 'string' ? message : JSON.stringify(message)));
  };
  const upgrade = (headers: Record<string, string | undefined> = {}): void => {
    const all = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': accept,
      'Sec-WebSocket-Protocol': 'wsbench.v1',
      ...headers,
    };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value}`],
    );
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    listen(socket, seen, (text) => heard(JSON.parse(text)));
  };
  return {
    socket,
    path,
    accept,
    before: seen.connections - 1,
    upgrade,
    send,
    welcome: (fields = {}) => {
      upgrade();
      send(typeof fields === 'string' ? fields : { type: 'WELCOME', payload: { ...welcome, ...fields } });
    },
    messages: (listener) => {
      heard = listener;
    },
  };
}

/** Reads what clients send: masked, and here never in fragments. */
function listen(socket: Socket, seen: Seen, text: (text: string) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const short = (rest[1] ?? 0) & 0x7f;
      const at = short === 126 ? 4 : 2;
      if (rest.length < at + 4) return;
      const length = short === 126 ? rest.readUInt16BE(2) : short;
      const end = at + 4 + length;
      if (rest.length < end) return;
      const opcode = (rest[0] ?? 0) & 0x0f;
      const mask = rest.subarray(at, at + 4);
      const payload = rest.subarray(at + 4, end).map((byte, n) => byte ^ (mask[n % 4] ?? 0));
      rest = rest.subarray(end);
      if (opcode === 8)
        seen.closeCodes.push(payload.length >= 2 ? ((payload[0] ?? 0) << 8) | (payload[1] ?? 0) : 1005);
      if (opcode === 1) seen.texts += 1;
      if (opcode === 1) text(Buffer.from(payload).toString());
    }
  });
}
