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
  /** False: lengths in more bytes than needed are taken, as most implementations do. */
  strict: boolean;
  /** Reserved bits that an extension gave a meaning: 4 with permessage-deflate. */
  allowedRsv: number;
}

const maxHeaderBytes = 14;
const empty: Buffer = Buffer.alloc(0);

/**
 * An incremental parser: any segmentation of the same bytes gives the same frames. A fault is told as soon as the bytes that
 * show it are there: two for most, those of the length for its faults.
 */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #strict: boolean;
  readonly #allowedRsv: number;
  /** The mask bit that the peer's frames must have. */
  readonly #maskBit: 0 | 0x80;
  /** A header that comes in pieces; made when the first one does. */
  #header: Buffer = empty;
  readonly #mask: Buffer;
  #headerBytes = 0;
  #inPayload = false;
  #length = 0;
  #done = 0;
  #over = false;

  constructor(sink: FrameSink, options: ParserOptions) {
    this.#sink = sink;
    this.#strict = options.strict;
    this.#allowedRsv = options.allowedRsv;
    this.#maskBit = options.role === 'server' ? 0x80 : 0;
    this.#mask = this.#maskBit === 0 ? empty : Buffer.allocUnsafe(4);
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
      if (this.#inPayload) {
        at = this.#readPayload(chunk, at, end);
        continue;
      }
      const size = end - at < 2 ? maxHeaderBytes : headerSize(chunk[at + 1] ?? 0);
      if (this.#headerBytes > 0 || end - at < size) {
        at = this.#gatherHeader(chunk, at, end);
        continue;
      }
      if (this.#isLegal(chunk, at) && this.#begin(chunk, at)) this.#payloadFollows(chunk, at + size);
      at += size;
    }
  }

  /** Takes bytes of a header that is not all there, and judges what there is. */
  #gatherHeader(chunk: Buffer, start: number, end: number): number {
    if (this.#header.length === 0) this.#header = Buffer.allocUnsafe(maxHeaderBytes);
    const header = this.#header;
    for (let at = start; at < end; ) {
      header[this.#headerBytes++] = chunk[at++] ?? 0;
      const have = this.#headerBytes;
      if (have < 2) continue;
      if (have === 2 && !this.#isLegal(header, 0)) return at;
      const size = headerSize(header[1] ?? 0);
      if (have === size - (this.#maskBit === 0 ? 0 : 4) && !this.#begin(header, 0)) return at;
      if (have < size) continue;
      this.#headerBytes = 0;
      this.#payloadFollows(header, size);
      return at;
    }
    return end;
  }

  /** Judges the first two bytes of a header. */
  #isLegal(bytes: Buffer, at: number): boolean {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const opcode = first & 15;
    const legal =
      (first & 0x70) === 0 &&
      (second & 0x80) === this.#maskBit &&
      (opcode <= opcodes.binary ||
        (opcode >= opcodes.close && opcode <= opcodes.pong && first >= 0x80 && (second & 0x7f) <= 125));
    return legal || this.#isAllowed(first, second);
  }

  /** As the rules stand one by one: what the short test in {@link #isLegal} did not take. */
  #isAllowed(first: number, second: number): boolean {
    const opcode = first & 15;
    const control = isControl(opcode);
    // An extension's bits are for data frames: RFC 7692 §6.1 gives RSV1 a meaning on no other.
    const wrongRsv = (first >> 4) & 7 & ~(control ? 0 : this.#allowedRsv);
    if (wrongRsv !== 0) return this.#fail(violation('rsv', rsvName(wrongRsv)));
    if ((opcode > opcodes.binary && opcode < opcodes.close) || opcode > opcodes.pong) {
      return this.#fail(violation('opcode', `0x${opcode.toString(16)}`));
    }
    if ((second & 0x80) !== this.#maskBit) {
      return this.#fail(violation(this.#maskBit === 0 ? 'mask-from-server' : 'no-mask-from-client'));
    }
    if (control && first < 0x80) return this.#fail(violation('control-fragmented'));
    if (control && (second & 0x7f) > 125) return this.#fail(violation('control-too-long'));
    return true;
  }

  /** Reads the length, judges it, and tells of the frame. The masking key need not be there yet. */
  #begin(bytes: Buffer, at: number): boolean {
    const first = bytes[at] ?? 0;
    let length = (bytes[at + 1] ?? 0) & 0x7f;
    if (length > 125) {
      const form = length;
      if (form === 126) length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
      else {
        if ((bytes[at + 2] ?? 0) >= 0x80) return this.#fail(violation('length-top-bit'));
        length = bytes.readUInt32BE(at + 2) * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
      }
      if (this.#strict && length <= (form === 126 ? 125 : 0xffff)) {
        return this.#fail(violation('length-not-minimal', `${length} in ${form === 126 ? 16 : 64} bits`));
      }
    }
    this.#length = length;
    if (this.#sink.frame(first >= 0x80, (first >> 4) & 7, first & 15, length)) return true;
    this.#over = true;
    return false;
  }

  /** The header ends before `end`. */
  #payloadFollows(bytes: Buffer, end: number): void {
    if (this.#maskBit !== 0) bytes.copy(this.#mask, 0, end - 4, end);
    this.#done = 0;
    if (this.#length > 0) this.#inPayload = true;
    else if (!this.#sink.frameEnd()) this.#over = true;
  }

  #readPayload(chunk: Buffer, at: number, end: number): number {
    const left = this.#length - this.#done;
    const to = end - at < left ? end : at + left;
    if (this.#maskBit !== 0) applyMask(chunk, at, to, this.#mask, this.#done % 4);
    this.#done += to - at;
    const isLast = this.#done === this.#length;
    if (isLast) this.#inPayload = false;
    if (!this.#sink.payload(chunk, at, to) || (isLast && !this.#sink.frameEnd())) this.#over = true;
    return to;
  }

  #fail(broken: Violation): false {
    this.#over = true;
    this.#sink.violation(broken);
    return false;
  }
}

/** Bytes of a header, by its second byte. §5.2 */
function headerSize(second: number): number {
  const short = second & 0x7f;
  const size = second < 0x80 ? 2 : 6;
  return short < 126 ? size : size + (short === 126 ? 2 : 8);
}

function rsvName(bits: number): string {
  return [4, 2, 1].flatMap((bit, index) => (bits & bit ? [`RSV${index + 1}`] : [])).join(' and ');
}
