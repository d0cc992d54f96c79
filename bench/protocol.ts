// What it costs to receive: MessageReceiver beside the receiver of the ws package, in one run; and UTF-8 validation.
//
//   npm run bench:protocol -- [MiB per measurement] [repetitions]
//
// Unmasked frames as a server sends them, in reads of 64 KiB. The tools take turns, the median counts.
import { isUtf8 } from 'node:buffer';
import * as ws from 'ws';
import { encodeFrame, opcodes } from '../lib/protocol/frame.ts';
import { MessageReceiver, type MessageSink } from '../lib/protocol/message.ts';
import { Utf8Validator } from '../lib/protocol/utf8.ts';

const [mebibytes = 64, repetitions = 5] = process.argv.slice(2).map(Number);
const readBytes = 64 * 1024;

/** Whole frames of one size, cut into reads. */
interface Stream {
  reads: Buffer[];
  frames: number;
  bytes: number;
}

function streamOf(size: number, opcode: number): Stream {
  const frame = encodeFrame({ opcode, payload: Buffer.alloc(size, 'x') });
  const frames = Math.ceil(2 ** 20 / frame.length);
  const all = Buffer.alloc(frames * frame.length, frame);
  const reads: Buffer[] = [];
  for (let at = 0; at < all.length; at += readBytes) reads.push(all.subarray(at, at + readBytes));
  return { reads, frames, bytes: all.length };
}

/** Receives a stream a number of times; returns how many messages came. */
type Tool = (stream: Stream, times: number) => number;

function ours({ reads }: Stream, times: number): number {
  let messages = 0;
  const nothing = (): void => {};
  const sink: MessageSink = {
    message: () => {
      messages++;
    },
    compressed: nothing,
    ping: nothing,
    pong: nothing,
    close: nothing,
    violation: (broken) => {
      throw new Error(broken.reason);
    },
  };
  const receiver = new MessageReceiver(sink);
  for (let time = 0; time < times; time++) for (const read of reads) receiver.push(read);
  return messages;
}

function theirs({ reads }: Stream, times: number): number {
  let messages = 0;
  // The types of the ws package leave its receiver out.
  const { Receiver } = ws as unknown as { Receiver: new () => NodeJS.WritableStream };
  const receiver = new Receiver();
  receiver.on('message', () => {
    messages++;
  });
  for (let time = 0; time < times; time++) for (const read of reads) receiver.write(read);
  return messages;
}

const tools: Record<string, Tool> = { wsbench: ours, ws: theirs };

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function receive(size: number, opcode: number): void {
  const stream = streamOf(size, opcode);
  const times = Math.max(1, Math.ceil((mebibytes * 2 ** 20) / stream.bytes));
  const nsPerFrame: Record<string, number[]> = {};
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    for (const [name, tool] of Object.entries(tools)) {
      const startMs = performance.now();
      const messages = tool(stream, times);
      const tookMs = performance.now() - startMs;
      if (messages !== stream.frames * times) throw new Error(`${name} lost messages`);
      // The first round warms up.
      if (repetition > 0) nsPerFrame[name] = [...(nsPerFrame[name] ?? []), (tookMs * 1e6) / messages];
    }
  }
  const type = opcode === opcodes.text ? 'text' : 'binary';
  for (const [name, figures] of Object.entries(nsPerFrame)) {
    const ns = median(figures);
    const perSecond = (size / ns) * 1000;
    console.log(
      `${name.padEnd(8)} ${type.padEnd(6)} ${String(size).padStart(6)} B  ${ns.toFixed(0).padStart(6)} ns a frame  ${perSecond.toFixed(0).padStart(6)} MB/s`,
    );
  }
  const ratio = median(nsPerFrame.ws ?? []) / median(nsPerFrame.wsbench ?? []);
  console.log(`wsbench / ws, messages per second: ${ratio.toFixed(2)}`);
}

/** What of the heap one message costs, in bytes: the median of rounds, as some have a garbage collection in them. */
function heapPerMessage(size: number): void {
  const stream = streamOf(size, opcodes.text);
  const deltas = Array.from({ length: 41 }, () => {
    const before = process.memoryUsage().heapUsed;
    const messages = ours(stream, 1);
    return (process.memoryUsage().heapUsed - before) / messages;
  });
  console.log(`heap for each message of ${size} B: ${median(deltas).toFixed(2)} B`);
}

function validate(name: string, text: string): void {
  const bytes = Buffer.from(text.repeat(Math.ceil(readBytes / text.length)));
  const times = Math.ceil((mebibytes * 2 ** 20) / bytes.length);
  const figures: Record<string, number[]> = {};
  const validator = new Utf8Validator();
  const ways: Record<string, () => boolean> = {
    incremental: () => {
      validator.reset();
      return validator.push(bytes);
    },
    native: () => isUtf8(bytes),
  };
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    for (const [way, run] of Object.entries(ways)) {
      const startMs = performance.now();
      for (let time = 0; time < times; time++) if (!run()) throw new Error(way);
      const perSecond = (times * bytes.length) / (performance.now() - startMs) / 1000;
      if (repetition > 0) figures[way] = [...(figures[way] ?? []), perSecond];
    }
  }
  for (const [way, values] of Object.entries(figures)) {
    console.log(`UTF-8 ${name.padEnd(6)} ${way.padEnd(12)} ${median(values).toFixed(0)} MB/s`);
  }
}

for (const size of [32, 1024, 65_536])
  for (const opcode of [opcodes.text, opcodes.binary]) receive(size, opcode);
for (const size of [32, 64]) heapPerMessage(size);
validate('ASCII', 'Hello, world! ');
validate('mixed', 'Grüße, 世界 🌍 and so on. ');
