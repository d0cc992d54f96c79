// Frames out of bytes, whether or not they break rules: what is wrong with them is said, and reading goes on.
import { applyMask } from '../../protocol/frame.ts';

/** A frame's header. */
export interface FrameHeader {
  fin: boolean;
  /** 4 is RSV1. */
  rsv: number;
  opcode: number;
  masked: boolean;
  length: number;
  /** In how many bits the length was written. */
  form: 7 | 16 | 64;
  /** As it came. */
  bytes: Buffer;
}

/** What a {@link FrameReader} tells of. */
export interface FrameReaderSink {
  /** Nothing more is read. */
  readonly isOver: boolean;
  /** The first two bytes of a header; again with each read until the header is complete. */
  begun(first: number, second: number): void;
  frame(header: FrameHeader): void;
  /** A piece of the payload, unmasked; valid during the call only. */
  payload(buf: Buffer, start: number, end: number): void;
  frameEnd(): void;
}

const maxHeaderBytes = 14;

/** An incremental reader that takes every frame as it is. RFC 6455 §5.2 */
export class FrameReader {
  readonly #sink: FrameReaderSink;
  readonly #header = Buffer.alloc(maxHeaderBytes);
  readonly #mask = Buffer.alloc(4);
  #have = 0;
  /** Bytes of the payload that are still to come; undefined outside a frame. */
  #left: number | undefined;
  #isMasked = false;
  #done = 0;

  constructor(sink: FrameReaderSink) {
    this.#sink = sink;
  }

  /** Takes bytes. A masked payload is unmasked in place. */
  push(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (!this.#sink.isOver) {
      if (this.#left === 0) {
        this.#left = undefined;
        this.#sink.frameEnd();
      } else if (at >= end) return;
      else if (this.#left === undefined) at = this.#readHeader(chunk, at, end);
      else at = this.#readPayload(chunk, at, end, this.#left);
    }
  }

  #readHeader(chunk: Buffer, start: number, end: number): number {
    const header = this.#header;
    let at = start;
    while (this.#have < 2 && at < end) header[this.#have++] = chunk[at++] ?? 0;
    if (this.#have < 2) return at;
    const [first = 0, second = 0] = header;
    const size = headerSize(second);
    const taken = Math.min(size - this.#have, end - at);
    chunk.copy(header, this.#have, at, at + taken);
    this.#have += taken;
    at += taken;
    this.#sink.begun(first, second);
    if (this.#have < size) return at;
    this.#have = 0;
    this.#isMasked = second >= 0x80;
    if (this.#isMasked) header.copy(this.#mask, 0, size - 4, size);
    this.#done = 0;
    const short = second & 0x7f;
    const length =
      short < 126
        ? short
        : short === 126
          ? header.readUInt16BE(2)
          : header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6);
    this.#left = length;
    this.#sink.frame({
      fin: first >= 0x80,
      rsv: (first >> 4) & 7,
      opcode: first & 15,
      masked: this.#isMasked,
      length,
      form: short < 126 ? 7 : short === 126 ? 16 : 64,
      bytes: Buffer.from(header.subarray(0, size)),
    });
    return at;
  }

  #readPayload(chunk: Buffer, at: number, end: number, left: number): number {
    const to = Math.min(end, at + left);
    if (this.#isMasked) applyMask(chunk, at, to, this.#mask, this.#done % 4);
    this.#done += to - at;
    this.#left = left - (to - at);
    this.#sink.payload(chunk, at, to);
    return to;
  }
}

function headerSize(second: number): number {
  const short = second & 0x7f;
  return 2 + (short < 126 ? 0 : short === 126 ? 2 : 8) + (second < 0x80 ? 0 : 4);
}
