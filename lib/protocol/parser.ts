// Bytes to frames, as they arrive. Never throws at what a peer sends. RFC 6455 §5
import { applyMask, isControl, opcodes } from './frame.ts';
import { type Violation, violation } from './rules.ts';

/** What a {@link FrameParser} tells of. A method that returns false ends the parsing: the frame broke a rule. */
export interface FrameSink {
  /** A header was read: FIN, the reserved bits (4 is RSV1), opcode, and payload length in bytes. */
  frame(fin: boolean, rsv: number, opcode: number, length: number): boolean;
  /** A piece of the payload, unmasked, in `buf` from `start` to `end`, valid during the call only. */
  payload(buf: Buffer, start: number, end: number): boolean;
  /** All of the payload has come. */
  frameEnd(): boolean;
  /** The peer broke a rule. Nothing follows. */
  violation(violation: Violation): void;
}

/** How a {@link FrameParser} reads. */
export interface ParserOptions {
  /** Which side we are: a client's peer must not mask, a server's must. §5.1 */
  role: 'client' | 'server';
  /** False, as Autobahn's client: lengths in more bytes than needed are taken. */
  strict: boolean;
  /** Reserved bits that an extension gave a meaning: 4 with permessage-deflate. */
  allowedRsv: number;
}

const maxHeaderBytes = 14;

/** An incremental parser: any segmentation of the same bytes gives the same frames. */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #options: ParserOptions;
  /** A header that came in pieces. */
  readonly #header = Buffer.alloc(maxHeaderBytes);
  readonly #mask = Buffer.alloc(4);
  #headerBytes = 0;
  #inPayload = false;
  #isMasked = false;
  #length = 0;
  #done = 0;
  #over = false;

  constructor(sink: FrameSink, options: ParserOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** True when a rule was broken or {@link end} was called: further bytes are passed over. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Passes over all further bytes: after a close frame nothing of the peer counts. §5.5.1 */
  end(): void {
    this.#over = true;
  }

  /** Takes bytes. A masked payload is unmasked in place. */
  push(chunk: Buffer, start = 0, end = chunk.length): void {
    let at = start;
    while (at < end && !this.#over) {
      at = this.#inPayload ? this.#readPayload(chunk, at, end) : this.#readHeader(chunk, at, end);
    }
  }

  #readHeader(chunk: Buffer, at: number, end: number): number {
    if (this.#headerBytes === 0 && end - at >= 2) {
      const size = headerSize(chunk[at + 1] ?? 0);
      if (end - at >= size) {
        this.#begin(chunk, at, size);
        return at + size;
      }
    }
    // In pieces: byte by byte into our own room, until the header says how long it is and all of it is there.
    let from = at;
    while (from < end) {
      this.#header[this.#headerBytes++] = chunk[from++] ?? 0;
      if (this.#headerBytes < 2) continue;
      const size = headerSize(this.#header[1] ?? 0);
      if (this.#headerBytes < size) continue;
      this.#headerBytes = 0;
      this.#begin(this.#header, 0, size);
      return from;
    }
    return from;
  }

  /** Judges a whole header and begins its payload. */
  #begin(bytes: Buffer, at: number, size: number): void {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const fin = first >= 0x80;
    const rsv = (first >> 4) & 7;
    const opcode = first & 15;
    const masked = second >= 0x80;
    const short = second & 0x7f;
    let length = short;
    if (short === 126) length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    else if (short === 127) length = bytes.readUInt32BE(at + 2) * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);

    const broken = this.#judge(bytes, at, length);
    if (broken) {
      this.#over = true;
      this.#sink.violation(broken);
      return;
    }
    this.#isMasked = masked;
    if (masked) bytes.copy(this.#mask, 0, at + size - 4, at + size);
    this.#length = length;
    this.#done = 0;
    this.#inPayload = length > 0;
    if (!this.#sink.frame(fin, rsv, opcode, length)) this.#over = true;
    else if (length === 0 && !this.#sink.frameEnd()) this.#over = true;
  }

  #readPayload(chunk: Buffer, at: number, end: number): number {
    const left = this.#length - this.#done;
    const to = end - at < left ? end : at + left;
    if (this.#isMasked) applyMask(chunk, at, to, this.#mask, this.#done % 4);
    this.#done += to - at;
    const isLast = this.#done === this.#length;
    if (isLast) this.#inPayload = false;
    if (!this.#sink.payload(chunk, at, to)) this.#over = true;
    else if (isLast && !this.#sink.frameEnd()) this.#over = true;
    return to;
  }

  /** The rule that a whole header breaks, if it breaks one. */
  #judge(bytes: Buffer, at: number, length: number): Violation | undefined {
    const { role, strict, allowedRsv } = this.#options;
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const opcode = first & 15;
    const short = second & 0x7f;
    const control = isControl(opcode);
    // An extension's bits are for data frames: RFC 7692 §6.1 gives RSV1 a meaning on no other.
    const wrongRsv = (first >> 4) & 7 & ~(control ? 0 : allowedRsv);
    if (wrongRsv !== 0) return violation('rsv', rsvName(wrongRsv));
    if ((opcode > opcodes.binary && opcode < opcodes.close) || opcode > opcodes.pong) {
      return violation('opcode', `0x${opcode.toString(16)}`);
    }
    const masked = second >= 0x80;
    if (masked && role === 'client') return violation('mask-from-server');
    if (!masked && role === 'server') return violation('no-mask-from-client');
    if (control && first < 0x80) return violation('control-fragmented');
    if (control && short > 125) return violation('control-too-long');
    if (short === 127 && (bytes[at + 2] ?? 0) >= 0x80) return violation('length-top-bit');
    if (strict && ((short === 126 && length < 126) || (short === 127 && length <= 0xffff))) {
      return violation('length-not-minimal', `${length} in ${short === 126 ? 16 : 64} bits`);
    }
    return undefined;
  }
}

/** Bytes of a header, by its second byte. §5.2 */
function headerSize(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second >= 0x80 ? 4 : 0);
}

function rsvName(bits: number): string {
  return [4, 2, 1].flatMap((bit, index) => (bits & bit ? [`RSV${index + 1}`] : [])).join(' and ');
}
