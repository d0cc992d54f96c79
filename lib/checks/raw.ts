// A WebSocket handshake over a bare socket, and frames with any first byte: for what a correct client would never send.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import querystring from 'node:querystring';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { ConnectError, type ConnectFailure, describeStatus, failureOf } from './failure.ts';
import type { ConnectPlan } from './plan.ts';

/** The end of a TCP connection may reach the peer after the next connection does. */
const noticeMs = 20;

/** How the peer ended a raw connection: the code of its close frame (1005: none in it; null: no close frame), and whether TCP ended. */
export interface RawEnd {
  closeCode: number | null;
  ended: boolean;
}

/** A client frame (RFC 6455 §5.2) of less than 126 bytes: `first` holds fin, rsv and opcode and is not judged. */
export function clientFrame(first: number, payload: Buffer, masked = true): Buffer {
  if (payload.length > 125) throw new RangeError('only short frames');
  if (!masked) return Buffer.concat([Buffer.from([first, payload.length]), payload]);
  const mask = randomBytes(4);
  const body = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, body]);
}

/** The code of the first close frame among a server's frames; undefined while there is none. */
export function closeCodeIn(bytes: Buffer): number | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = bytes.readUInt8(at) & 0x0f;
    let length = bytes.readUInt8(at + 1) & 0x7f;
    let head = 2;
    if (length === 126) {
      if (at + 4 > bytes.length) return undefined;
      length = bytes.readUInt16BE(at + 2);
      head = 4;
    } else if (length === 127) {
      if (at + 10 > bytes.length) return undefined;
      length = Number(bytes.readBigUInt64BE(at + 2));
      head = 10;
    }
    if (opcode === 0x8) {
      if (length < 2) return 1005;
      return at + head + 2 <= bytes.length ? bytes.readUInt16BE(at + head) : undefined;
    }
    at += head + length;
  }
  return undefined;
}

/** An open connection on which any bytes may be written. */
export class RawConnection {
  readonly #socket: Socket;
  #bytes: Buffer;
  #ended = false;

  constructor(socket: Socket, rest: Buffer) {
    this.#socket = socket;
    this.#bytes = rest;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
    });
    socket.on('end', () => {
      this.#ended = true;
    });
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Waits for a close frame or the end of the TCP connection, whichever comes first. */
  async waitForEnd(timeoutMs: number): Promise<RawEnd> {
    const over = (): boolean => this.#ended || closeCodeIn(this.#bytes) !== undefined;
    if (!over()) {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (over()) finish();
        };
        const finish = (): void => {
          clearTimeout(timer);
          for (const event of ['data', 'end', 'close']) this.#socket.off(event, look);
          resolve();
        };
        const timer = setTimeout(finish, timeoutMs);
        for (const event of ['data', 'end', 'close']) this.#socket.on(event, look);
      });
    }
    return { closeCode: closeCodeIn(this.#bytes) ?? null, ended: this.#ended };
  }

  terminate(): void {
    this.#socket.destroy();
  }

  /** Ends the connection, and waits a moment for the peer to notice. */
  async drop(): Promise<void> {
    if (!this.#socket.closed) {
      const closed = once(this.#socket, 'close');
      this.#socket.destroy();
      await closed;
    }
    await sleep(noticeMs);
  }
}

/**
 * Connects and upgrades.
 *
 * @throws ConnectError that says why it did not open
 */
export async function openRaw(options: ConnectPlan): Promise<RawConnection> {
  const url = new URL(options.url);
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (secure ? 443 : 80));
  const opened = await new Promise<RawConnection | ConnectFailure>((resolve) => {
    let reached = false;
    const socket = secure
      ? connectTls({
          host,
          port,
          rejectUnauthorized: !options.insecure,
          ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
          ...(options.caCertificates.length > 0 ? { ca: [...options.caCertificates] } : {}),
        })
      : connectTcp({ host, port });
    let answer = Buffer.alloc(0);
    const settle = (outcome: RawConnection | ConnectFailure): void => {
      clearTimeout(timer);
      socket.off('data', read);
      if (!(outcome instanceof RawConnection)) socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      const message = `no answer to the handshake in ${options.timeoutMs} ms`;
      settle({ kind: reached ? 'silent' : 'timeout', reached, message });
    }, options.timeoutMs);
    const read = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end >= 0) settle(readAnswer(socket, answer, end));
    };
    socket.setNoDelay(true);
    socket.on('data', read);
    socket.on('error', (error) => settle(failureOf(error, reached)));
    socket.on('close', () => settle({ kind: 'reset', reached, message: 'closed without an HTTP answer' }));
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      reached = true;
      socket.write(handshake(url, options));
    });
  });
  if (opened instanceof RawConnection) return opened;
  throw new ConnectError(opened);
}

function handshake(url: URL, { headers, subprotocols }: ConnectPlan): string {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    ...(subprotocols.length > 0 ? [`Sec-WebSocket-Protocol: ${subprotocols.join(', ')}`] : []),
    ...basic(url, headers),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The user information of a URL as the header that it stands for. RFC 7617 §2 */
function basic({ username, password }: URL, headers: ConnectPlan['headers']): string[] {
  const given = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (given || (username === '' && password === '')) return [];
  const pair = `${querystring.unescape(username)}:${querystring.unescape(password)}`;
  return [`Authorization: Basic ${Buffer.from(pair).toString('base64')}`];
}

function readAnswer(socket: Socket, answer: Buffer, end: number): RawConnection | ConnectFailure {
  const [statusLine = '', ...lines] = answer.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0);
  if (status === 101) return new RawConnection(socket, answer.subarray(end + 4));
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { kind: 'http', reached: true, message: describeStatus(status), status, headers };
}
