// What attacks on messages and resources need: a server in a process of its own, and a client that writes bytes as it likes.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Guards } from '../../reference-server/guards.ts';
import type { ServerOptions } from '../../reference-server/index.ts';
import type { Holdings, Question } from '../fixtures/server-besieged.ts';

export interface Besieged {
  url: string;
  httpUrl: string;
  tokens: readonly string[];
  child: ChildProcess;
  holdings(question?: Question): Promise<Holdings>;
}

const entry = fileURLToPath(new URL('../fixtures/server-besieged.js', import.meta.url));

/** Starts a server in a child process, without rate limits unless asked. `prefix`: what the process is run by. */
export async function besieged(
  t: TestContext,
  orders: {
    options?: ServerOptions;
    without?: Partial<Guards>;
    subs?: readonly string[];
    prefix?: readonly string[];
  } = {},
): Promise<Besieged> {
  const { options = {}, without = {}, subs = [], prefix = [] } = orders;
  const [command = '', ...words] = [...prefix, process.execPath, entry];
  const child = spawn(command, words, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // JSON has no Infinity, and that is what a guard that is taken away is.
    serialization: 'advanced',
  });
  t.after(() => child.kill('SIGKILL'));
  let ask: (value: unknown) => void = () => {};
  let fail: (error: Error) => void = () => {};
  child.on('message', (value) => ask(value));
  child.on('exit', (code, signal) => fail(new Error(`the server ended: ${code ?? signal}`)));
  child.on('error', (error) => fail(error));
  const answer = <T>(question: object): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      ask = (value) => resolve(value as T);
      fail = reject;
      child.send(question);
    });
  const { url, tokens } = await answer<{ url: string; tokens: string[] }>({ options, without, subs });
  return {
    url,
    httpUrl: url.replace(/^ws/, 'http'),
    tokens,
    child,
    holdings: (question = { glance: false }) => answer<Holdings>(question),
  };
}

/** A masked frame; the key is zero, so the payload is as it was. */
export function frame(first: number, payload: Buffer | string = ''): Buffer {
  const body = Buffer.from(payload);
  const { length } = body;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = first;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, body]);
}

export const text = (message: unknown): Buffer =>
  frame(0x81, typeof message === 'string' ? message : JSON.stringify(message));

/** One connection that has been upgraded, in bytes. */
export interface Intruder {
  socket: Socket;
  /** All that the server sent after the handshake. */
  received(): Buffer;
  /** Code and reason of the server's close frame, or null where there was none, once the connection has ended. */
  ended: Promise<{ code: number | null; reason: string }>;
}

/** Upgrades, and leaves the rest to the test. Rejects when the handshake is refused. */
export async function intrude(url: string, token?: string): Promise<Intruder> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  const authorization = token === undefined ? [] : [`Authorization: Bearer ${token}`];
  const lines = [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${hostname}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...authorization,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let chunks: Buffer[] = [];
  const received = (): Buffer => {
    const all = Buffer.concat(chunks);
    chunks = [all];
    return all;
  };
  const ended = new Promise<{ code: number | null; reason: string }>((resolve) => {
    socket.once('close', () => resolve(closeOf(received())));
  });
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      const all = received();
      const end = all.indexOf('\r\n\r\n');
      if (end < 0) return;
      const status = all.toString('latin1', 0, all.indexOf('\r\n'));
      if (!status.includes(' 101 ')) reject(new Error(status));
      chunks = [all.subarray(end + 4)];
      socket.off('data', onData);
      socket.on('data', (more: Buffer) => chunks.push(more));
      resolve();
    };
    socket.on('data', onData);
    socket.once('close', () => reject(new Error('cut')));
  });
  return { socket, received, ended };
}

/** The close frame among a server's frames. */
function closeOf(bytes: Buffer): { code: number | null; reason: string } {
  for (const { first, payload } of framesOf(bytes)) {
    if (first === 0x88 && payload.length >= 2) {
      return { code: payload.readUInt16BE(), reason: payload.toString('utf8', 2) };
    }
  }
  return { code: null, reason: '' };
}

/** A server's whole frames. */
export function framesOf(bytes: Buffer): { first: number; payload: Buffer }[] {
  const frames: { first: number; payload: Buffer }[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes.readUInt8(at + 1);
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const end = at + head + length;
    if (end > bytes.length) break;
    frames.push({ first: bytes.readUInt8(at), payload: bytes.subarray(at + head, end) });
    at = end;
  }
  return frames;
}

/** Waits until `holds` does; asks every few ms, and gives up after `mostMs`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  mostMs = 15_000,
): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < mostMs, `not within ${mostMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
