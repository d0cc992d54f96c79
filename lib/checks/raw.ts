// A WebSocket handshake over a bare socket, and frames with any first byte: for what a correct client would never send.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import querystring from 'node:querystring';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { Cause } from '../cause/cause.ts';
import { classify, headersTooLong, hungUp, timedOut } from '../cause/connect-error.ts';
import { upgradeFault } from '../cause/upgrade.ts';
import { watchStage } from '../cause/watch-stage.ts';
import { ConnectError, type ConnectFailure, failureOf, refusalOf } from './failure.ts';
import type { ConnectPlan } from './plan.ts';

/** The end of a TCP connection may reach the peer after the next connection does. */
const noticeMs = 20;
/** As many bytes of headers as Node takes. */
const maxHeadBytes = 16 * 1024;

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

/** Finds the code of the first close frame among a server's frames, in memory that does not grow with what it sends. */
export class CloseFinder {
  /** The code, 1005 for a close frame without one; undefined while there was none. */
  code: number | undefined;
  #rest = Buffer.alloc(0);
  #skip = 0;

  /** Takes the next bytes of the stream. */
  push(chunk: Buffer): void {
    if (this.code !== undefined) return;
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(skipped)]);
    while (this.#skip === 0 && this.#step());
  }

  /** Goes over one frame; false when its head, or the code in it, is not there yet. */
  #step(): boolean {
    const bytes = this.#rest;
    const short = bytes.length < 2 ? 0 : bytes.readUInt8(1) & 0x7f;
    const masked = bytes.length >= 2 && (bytes.readUInt8(1) & 0x80) !== 0;
    const lengthAt = short === 126 ? 4 : short === 127 ? 10 : 2;
    const head = lengthAt + (masked ? 4 : 0);
    if (bytes.length < head) return false;
    const length =
      short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if ((bytes.readUInt8(0) & 0x0f) === 0x8) {
      if (length >= 2 && bytes.length < head + 2) return false;
      // No server may mask, but its code can be read all the same.
      const mask = masked ? bytes.readUInt16BE(lengthAt) : 0;
      this.code = length < 2 ? 1005 : bytes.readUInt16BE(head) ^ mask;
      return false;
    }
    const end = Math.min(bytes.length, head + length);
    this.#skip = head + length - end;
    this.#rest = bytes.subarray(end);
    return this.#rest.length > 0;
  }
}

/** An open connection on which any bytes may be written. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #finder = new CloseFinder();
  #ended = false;

  constructor(socket: Socket, rest: Buffer) {
    this.#socket = socket;
    this.#finder.push(rest);
    socket.on('data', (chunk: Buffer) => this.#finder.push(chunk));
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
    const over = (): boolean => this.#ended || this.#finder.code !== undefined;
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
    return { closeCode: this.#finder.code ?? null, ended: this.#ended };
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
  const key = randomBytes(16).toString('base64');
  const opened = await new Promise<RawConnection | ConnectFailure>((resolve) => {
    const socket = secure
      ? connectTls({
          host,
          port,
          rejectUnauthorized: !options.insecure,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(options.caCertificates.length > 0
            ? { ca: [...rootCertificates, ...options.caCertificates] }
            : {}),
        })
      : connectTcp({ host, port });
    const stageOf = watchStage(socket, host, secure);
    let answer = Buffer.alloc(0);
    const settle = (outcome: RawConnection | ConnectFailure): void => {
      clearTimeout(timer);
      socket.off('data', read);
      if (!(outcome instanceof RawConnection)) socket.destroy();
      resolve(outcome);
    };
    const fail = (cause: Cause): void => settle(failureOf(cause, stageOf()));
    const timer = setTimeout(
      () => fail(timedOut(stageOf(), options.timeoutMs, answer.length)),
      options.timeoutMs,
    );
    const read = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end >= 0) settle(readAnswer(socket, answer, end, key, options));
      else if (answer.length > maxHeadBytes) fail(headersTooLong);
    };
    socket.setNoDelay(true);
    socket.on('data', read);
    socket.on('error', (error) => fail(classify(error, stageOf())));
    socket.on('close', () => fail(hungUp(stageOf())));
    socket.once(secure ? 'secureConnect' : 'connect', () => socket.write(handshake(url, key, options)));
  });
  if (opened instanceof RawConnection) return opened;
  throw new ConnectError(opened);
}

function handshake(url: URL, key: string, { headers, subprotocols }: ConnectPlan): string {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
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

function readAnswer(
  socket: Socket,
  answer: Buffer,
  end: number,
  key: string,
  { subprotocols }: ConnectPlan,
): RawConnection | ConnectFailure {
  const [statusLine = '', ...lines] = answer.subarray(0, end).toString('latin1').split('\r\n');
  const [, httpVersion = '', digits = '', statusText = ''] =
    /^HTTP\/(1\.[01]) (\d{3})(?: (.*))?$/.exec(statusLine) ?? [];
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const rest = answer.subarray(end + 4);
  const status = Number(digits);
  if (status !== 101) return refusalOf({ status, statusText, headers, body: rest.toString('utf8', 0, 1024) });
  const fault = upgradeFault({ httpVersion, headers }, { key, subprotocols });
  return fault ? failureOf(fault, 'upgrade') : new RawConnection(socket, rest);
}
