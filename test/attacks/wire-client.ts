// An attacker's end of a connection: writes any bytes, keeps every byte that comes back, and knows when it ended.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { encodeFrame, type FrameSpec, opcodes } from '../../lib/protocol/frame.ts';
import { FrameParser } from '../../lib/protocol/parser.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client } from '../reference-server/client.ts';

/** Where a server listens: `ws://host:port`. */
export interface Target {
  readonly url: string;
}

/** A frame as it came. */
export interface Got {
  fin: boolean;
  rsv: number;
  opcode: number;
  payload: Buffer;
}

/** How the server ended a connection. `code` is null where no close frame came. */
export interface End {
  code: number | null;
  reason: string;
  /** Close frames that came: one, or none. */
  closes: number;
}

/** Options of a server whose heartbeat leaves attackers alone, who never answer it. */
export const calm = { heartbeat: noHeartbeat };

const zeroMask = Buffer.alloc(4);
const waitMs = 20_000;

/** A masked frame, legal unless told otherwise. */
export function frame(
  opcode: number,
  payload: Uint8Array | string = '',
  more: Partial<FrameSpec> = {},
): Buffer {
  return encodeFrame({ opcode, payload: Buffer.from(payload), mask: zeroMask, ...more });
}

/** Bytes as the catalogue of attacks writes them. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** The request of an honest upgrade; `more` are whole header lines, and `without` names those to leave out. */
export function upgradeRequest(
  path = '/ws',
  more: readonly string[] = [],
  without: readonly string[] = [],
): string {
  const own = [
    ['Host', 'localhost'],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ].filter(([name = '']) => !without.includes(name));
  const lines = [`GET ${path} HTTP/1.1`, ...own.map((pair) => pair.join(': ')), ...more];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export class WireClient {
  readonly socket: Socket;
  readonly frames: Got[] = [];
  /** All bytes as text, one character each. */
  text = '';
  /** Resolves when the server ended the connection, however. */
  readonly ended: Promise<End>;
  readonly #wake = new Set<() => void>();
  #head: string | undefined;
  #over = false;

  constructor({ url }: Target) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname);
    this.socket.setNoDelay(true);
    const parser = this.#parser();
    // Whether it ends by FIN or RST is the kernel's business: it resets where bytes of ours were not read.
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      let rest = chunk;
      this.text += chunk.toString('latin1');
      if (this.#head === undefined) {
        const end = this.text.indexOf('\r\n\r\n');
        if (end >= 0) {
          this.#head = this.text.slice(0, end + 4);
          rest = Buffer.from(this.text.slice(end + 4), 'latin1');
        }
      }
      if (this.#head?.startsWith('HTTP/1.1 101 ')) parser.push(rest);
      this.#wakeAll();
    });
    this.ended = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.#over = true;
        this.#wakeAll();
        const closing = this.frames.filter(({ opcode }) => opcode === opcodes.close);
        const payload = closing[0]?.payload ?? Buffer.alloc(0);
        resolve({
          code: closing.length === 0 ? null : payload.length < 2 ? 1005 : payload.readUInt16BE(0),
          reason: payload.toString('utf8', 2),
          closes: closing.length,
        });
      });
    });
  }

  /** Connects and upgrades. */
  static async open(target: Target, path = '/ws', headers: readonly string[] = []): Promise<WireClient> {
    const client = new WireClient(target);
    client.write(upgradeRequest(path, headers));
    const head = await client.head();
    assert.match(head, /^HTTP\/1\.1 101 /, head);
    return client;
  }

  write(bytes: Uint8Array | string): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Status line and headers of the answer. */
  async head(): Promise<string> {
    await this.until(() => this.#head !== undefined, 'an answer');
    return this.#head ?? '';
  }

  /** Waits for something among what arrived; fails when the connection ends first. */
  async until(isThere: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (!isThere()) {
      const leftMs = deadline - performance.now();
      assert.ok(leftMs > 0 && !this.#over, `no ${what}; got ${JSON.stringify(this.text.slice(0, 500))}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#wake.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#wake.add(wake);
      });
    }
  }

  /** Waits for the server's close frame, answers it, and waits for the end. */
  async closed(): Promise<End> {
    const closing = (): Got | undefined => this.frames.find(({ opcode }) => opcode === opcodes.close);
    await this.until(() => closing() !== undefined, 'close frame');
    this.write(frame(opcodes.close, closing()?.payload));
    return this.ended;
  }

  /** The texts of the data frames, each a whole message. */
  get messages(): string[] {
    return this.frames
      .filter(({ opcode }) => opcode < opcodes.close)
      .map(({ payload }) => payload.toString());
  }

  destroy(): void {
    this.socket.destroy();
  }

  #wakeAll(): void {
    for (const wake of [...this.#wake]) wake();
  }

  #parser(): FrameParser {
    let pieces: Buffer[] = [];
    let now: Omit<Got, 'payload'> = { fin: true, rsv: 0, opcode: 0 };
    return new FrameParser(
      {
        frame: (fin, rsv, opcode) => {
          now = { fin, rsv, opcode };
          return true;
        },
        payload: (buf, start, end) => pieces.push(Buffer.from(buf.subarray(start, end))) > 0,
        frameEnd: () => {
          this.frames.push({ ...now, payload: Buffer.concat(pieces) });
          pieces = [];
          return true;
        },
        violation: (broken) => assert.fail(`the server broke a rule: ${JSON.stringify(broken)}`),
      },
      { role: 'client', strict: true, allowedRsv: 4 },
    );
  }
}

/** Writes bytes on a fresh connection and reads until the server ends it: what it said, as text. */
export async function exchange(target: Target, bytes: Uint8Array | string): Promise<string> {
  const client = new WireClient(target);
  client.write(bytes);
  await client.ended;
  return client.text;
}

/** Sees that an honest client is served: it connects, and gets an answer. */
export async function isServed(target: Target): Promise<void> {
  const client = await Client.open(`${target.url}/ws`);
  assert.equal((await client.request('PING')).type, 'PONG');
  await client.close();
}

/** Resolves when `isSo`, looked at every few milliseconds; fails after `withinMs`. Returns how long it took. */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  withinMs = waitMs,
): Promise<number> {
  const startedMs = performance.now();
  while (!(await isSo())) {
    assert.ok(performance.now() - startedMs < withinMs, `not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - startedMs;
}

/** Whether `promise` resolves within `ms`. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return settled;
}
