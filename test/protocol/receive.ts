// What receivers say of the same bytes: ours, the frame parser alone, and that of the ws package.
import * as ws from 'ws';
import { MessageReceiver, type ReceiverOptions } from '../../lib/protocol/message.ts';
import { FrameParser, type ParserOptions } from '../../lib/protocol/parser.ts';
import type { Violation } from '../../lib/protocol/rules.ts';

/** Something that a receiver told of; payloads in hexadecimal. */
export type Event =
  | { type: 'text' | 'binary' | 'compressed' | 'ping' | 'pong'; hex: string }
  | { type: 'close'; code: number; reason: string }
  | { type: 'violation'; rule: string; closeCode: number; reason: string };

/** Cuts bytes at the given places, and copies them: receivers unmask in place. */
export function cut(bytes: Uint8Array, places: readonly number[]): Buffer[] {
  const bounds = [0, ...[...places].sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => Buffer.from(bytes.subarray(bounds[index], end)));
}

/** One byte at a time. */
export function bytewise(bytes: Uint8Array): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.from([byte]));
}

/** What our receiver says. */
export function receive(chunks: readonly Buffer[], options: Partial<ReceiverOptions> = {}): Event[] {
  const events: Event[] = [];
  const hex = (buf: Buffer, start: number, end: number): string => buf.toString('hex', start, end);
  const receiver = new MessageReceiver(
    {
      message: (opcode, buf, start, end) =>
        events.push({ type: opcode === 1 ? 'text' : 'binary', hex: hex(buf, start, end) }),
      compressed: (_opcode, buf) => events.push({ type: 'compressed', hex: buf.toString('hex') }),
      ping: (buf, start, end) => events.push({ type: 'ping', hex: hex(buf, start, end) }),
      pong: (buf, start, end) => events.push({ type: 'pong', hex: hex(buf, start, end) }),
      close: ({ code, reason }) => events.push({ type: 'close', code, reason }),
      violation: (broken) => events.push(violated(broken)),
    },
    options,
  );
  for (const chunk of chunks) receiver.push(chunk);
  return events;
}

const violated = ({ rule, closeCode, reason }: Violation): Event => ({
  type: 'violation',
  rule,
  closeCode,
  reason,
});

/** A frame as the parser tells of it. */
export interface SeenFrame {
  fin: boolean;
  rsv: number;
  opcode: number;
  length: number;
  payload: string;
  ended: boolean;
}

/** What our frame parser says. */
export function parse(
  chunks: readonly Buffer[],
  options: Partial<ParserOptions> = {},
): { frames: SeenFrame[]; violation: string | undefined } {
  const frames: SeenFrame[] = [];
  let broken: string | undefined;
  const parser = new FrameParser(
    {
      frame: (fin, rsv, opcode, length) => {
        frames.push({ fin, rsv, opcode, length, payload: '', ended: false });
        return true;
      },
      payload: (buf, start, end) => {
        const frame = frames.at(-1);
        if (frame) frame.payload += buf.toString('hex', start, end);
        return true;
      },
      frameEnd: () => {
        const frame = frames.at(-1);
        if (frame) frame.ended = true;
        return true;
      },
      violation: ({ rule }) => {
        broken = rule;
      },
    },
    { role: 'client', strict: true, allowedRsv: 0, ...options },
  );
  for (const chunk of chunks) parser.push(chunk);
  return { frames, violation: broken };
}

interface WsReceiver extends NodeJS.WritableStream {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
  on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
}

/** How the receiver of ws is made. */
export interface WsOptions {
  isServer: boolean;
  maxPayload: number;
  maxFragments: number;
  /** What was agreed of permessage-deflate. */
  extensions?: Record<string, unknown>;
}

// The package exports these, its types do not.
const { Receiver } = ws as unknown as { Receiver: new (options: WsOptions) => WsReceiver };

/** What the receiver of ws says; a violation has no rule, and its close code. */
export function receiveWithWs(chunks: readonly Buffer[], options: WsOptions): Event[] {
  const events: Event[] = [];
  const receiver = new Receiver(options);
  receiver.on('message', (data, isBinary) =>
    events.push({ type: isBinary ? 'binary' : 'text', hex: data.toString('hex') }),
  );
  receiver.on('ping', (data) => events.push({ type: 'ping', hex: data.toString('hex') }));
  receiver.on('pong', (data) => events.push({ type: 'pong', hex: data.toString('hex') }));
  receiver.on('conclude', (code, reason) => events.push({ type: 'close', code, reason: reason.toString() }));
  // An error is told later than the write that it is about, and nothing follows it.
  receiver.on('error', () => {});
  let failed = false;
  for (const chunk of chunks) {
    if (failed) break;
    receiver.write(chunk, (error) => {
      if (error) failed = true;
    });
    const { errored } = receiver as unknown as { errored: Error | null };
    if (errored) {
      const code = Object.getOwnPropertySymbols(errored).map(
        (symbol) => Reflect.get(errored, symbol) as number,
      )[0];
      events.push({ type: 'violation', rule: errored.message, closeCode: code ?? 1002, reason: '' });
      break;
    }
  }
  return events;
}
