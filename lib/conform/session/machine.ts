// The client that judges: what it makes of the peer's bytes, when it closes, and when it gives up. No socket in it.
//
// It is as strict, as lenient and as impatient as the client engine of Autobahn|Testsuite, because verdicts depend on that: a
// broken rule is answered by a close frame and reading goes on, a second one ends TCP, and invalid UTF-8 counts twice.
import { isUtf8 } from 'node:buffer';
import { type CloseRegistry, isSendableCode } from '../../protocol/close.ts';
import type { DeflateAgreement } from '../../protocol/deflate-negotiation.ts';
import { isControl, opcodes } from '../../protocol/frame.ts';
import { type RuleId, rules } from '../../protocol/rules.ts';
import type { Strictness } from '../plan.ts';
import { type FrameHeader, FrameReader, type FrameReaderSink } from './frame-reader.ts';
import { type Inflater, inflaterOf } from './inflater.ts';
import { TextCheck } from './text-check.ts';

/** What the machine has done, and what it wants. Called from within {@link Machine.push} and its other methods. */
export interface MachineSink {
  /** Sends a control frame. */
  send(opcode: number, payload: Uint8Array): void;
  /** Ends TCP. The machine is over. */
  drop(): void;
  message(payload: Buffer, binary: boolean): void;
  pong(payload: Buffer): void;
  /** A whole frame came. */
  frame(header: FrameHeader, payload: Uint8Array): void;
  /** Something worth knowing, in words. */
  note(text: string): void;
  /** Calls back after a time, which is over when TCP is. */
  after(ms: number, callback: () => void): void;
}

/** How long each side may take for its part of the closing handshake. */
const closeHandshakeMs = 1000;
const peerDropMs = 1000;
/** Kept of a frame's payload, for words about it. */
const shownBytes = 64;
/** Room for a frame is made at once, unless it claims more than this. */
const largestRoomBytes = 32 * 1024 * 1024;

type State = 'open' | 'closing' | 'over';

/** Reads what a peer sends, answers its pings and its close frame. */
export class Machine implements FrameReaderSink {
  readonly #sink: MachineSink;
  readonly #reader = new FrameReader(this);
  readonly #registry: CloseRegistry;
  readonly #inflater: Inflater | undefined;
  readonly #text = new TextCheck();
  #state: State = 'open';
  #hasFailed = false;
  #header: FrameHeader | undefined;
  /** Payload of the frame that is coming: all its room, filled so far, or pieces where the room would be too large. */
  #room: Buffer | undefined;
  #filled = 0;
  #pieces: Buffer[] = [];
  /** Payloads of the frames of the message that is coming; undefined outside one. */
  #message: Buffer[] | undefined;
  #messageOpcode = 0;
  #isCompressed = false;
  #closeTimer = { isOn: false };
  closedByUs = false;
  clean = false;
  droppedByUs = false;
  remoteCloseCode: number | null = null;
  readonly violations: string[] = [];
  readonly rules: string[] = [];

  constructor(sink: MachineSink, strictness: Strictness, deflate: DeflateAgreement | null) {
    this.#sink = sink;
    this.#registry = strictness === 'rfc' ? 'registry' : 'autobahn';
    this.#inflater = deflate ? inflaterOf(deflate.server, strictness) : undefined;
  }

  get state(): State {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** Takes bytes of the peer. */
  push(chunk: Buffer, start: number, end: number): void {
    this.#reader.push(chunk, start, end);
  }

  /** TCP came to its end, whoever ended it. */
  end(): void {
    this.#state = 'over';
  }

  /** Begins the closing handshake, if nothing has yet. */
  close(payload: Uint8Array, isReply = false): void {
    if (this.#state !== 'open') return;
    this.#sink.send(opcodes.close, payload);
    this.#state = 'closing';
    this.closedByUs = !isReply;
    if (isReply) return;
    const timer = { isOn: true };
    this.#closeTimer = timer;
    this.#sink.after(closeHandshakeMs, () => {
      if (!timer.isOn || this.isOver) return;
      this.clean = false;
      this.#sink.note('no close frame came within 1 s of ours');
      this.drop();
    });
  }

  /** Fails the connection: with a close frame, or if one was sent already, by ending TCP. */
  fail(code: number, reason: string): void {
    if (this.isOver) return;
    this.#hasFailed = true;
    if (this.#state === 'open') this.close(closePayload(code, reason));
    else this.drop();
  }

  /** Ends TCP. */
  drop(): void {
    if (this.isOver) return;
    this.droppedByUs = true;
    this.#state = 'over';
    this.#sink.drop();
  }

  begun(first: number, second: number): void {
    const rsv = (first >> 4) & 7;
    const opcode = first & 15;
    const length = second & 0x7f;
    const isCompressed = rsv === 4 && this.#inflater !== undefined;
    if (rsv !== 0 && !isCompressed) this.#violated('rsv');
    if (second >= 0x80) this.#violated('mask-from-server');
    if (isControl(opcode)) {
      if (first < 0x80) this.#violated('control-fragmented');
      if (length > 125) this.#violated('control-too-long');
      if (opcode > opcodes.pong) this.#violated('opcode');
      if (opcode === opcodes.close && length === 1) this.#violated('close-length');
      if (isCompressed) this.#violated('rsv');
      return;
    }
    if (opcode > opcodes.binary) this.#violated('opcode');
    const isWithin = this.#message !== undefined;
    if (!isWithin && opcode === opcodes.continuation) this.#violated('continuation-without-start');
    if (isWithin && opcode !== opcodes.continuation) this.#violated('message-within-message');
    if (isWithin && isCompressed) this.#violated('rsv1-continuation');
  }

  frame(header: FrameHeader): void {
    const { form, length, opcode, rsv } = header;
    if (form === 16 && length < 126) this.#violated('length-not-minimal');
    if (form === 64) {
      if (length >= 2 ** 63) this.#violated('length-top-bit');
      if (length < 2 ** 16) this.#violated('length-not-minimal');
    }
    this.#header = header;
    this.#room = length <= largestRoomBytes ? Buffer.allocUnsafe(length) : undefined;
    this.#filled = 0;
    this.#pieces = [];
    if (!isControl(opcode) && this.#message === undefined) {
      this.#message = [];
      this.#messageOpcode = opcode;
      this.#isCompressed = rsv === 4 && this.#inflater !== undefined;
      this.#text.reset();
    }
  }

  payload(buf: Buffer, start: number, end: number): void {
    const room = this.#room;
    let piece: Buffer;
    if (room) {
      buf.copy(room, this.#filled, start, end);
      piece = room.subarray(this.#filled, this.#filled + end - start);
      this.#filled += piece.length;
    } else {
      piece = Buffer.from(buf.subarray(start, end));
      this.#pieces.push(piece);
    }
    if (!isControl(this.#header?.opcode ?? 0) && !this.#isCompressed) this.#checkText(piece);
  }

  frameEnd(): void {
    const header = this.#header;
    if (!header) return;
    this.#header = undefined;
    const payload = this.#room ?? Buffer.concat(this.#pieces);
    this.#sink.frame(header, payload.subarray(0, shownBytes));
    if (isControl(header.opcode)) this.#controlFrame(header.opcode, payload);
    else {
      this.#message?.push(payload);
      if (header.fin) this.#messageEnd();
    }
  }

  #checkText(piece: Uint8Array): void {
    if (this.#messageOpcode === opcodes.text && !this.#text.push(piece, 0, piece.length))
      this.#violated('utf8');
  }

  #messageEnd(): void {
    let message = joined(this.#message ?? []);
    const isText = this.#messageOpcode === opcodes.text;
    if (this.#isCompressed && this.#inflater) {
      const inflated = this.#inflater.inflate(message);
      if (typeof inflated === 'string') {
        // An error of zlib ends Autobahn's client in the middle: TCP is gone, and nobody closed.
        this.violations.push(`${rules.inflate.reason} (${inflated})`);
        this.#sink.note(`inflating failed: ${inflated}`);
        this.#state = 'over';
        this.#sink.drop();
        return;
      }
      message = inflated;
      this.#checkText(message);
    }
    if (isText && !this.#text.mayEnd && !this.isOver) this.#violated('utf8');
    this.#message = undefined;
    if (!this.#hasFailed && !this.isOver) this.#sink.message(message, this.#messageOpcode === opcodes.binary);
  }

  #controlFrame(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.close) this.#closeFrame(payload);
    else if (opcode === opcodes.ping && this.#state === 'open') this.#sink.send(opcodes.pong, payload);
    else if (opcode === opcodes.pong) this.#sink.pong(payload);
  }

  #closeFrame(payload: Buffer): void {
    const code = payload.length > 1 ? payload.readUInt16BE(0) : null;
    this.remoteCloseCode = code;
    if (code !== null && !isSendableCode(code, this.#registry)) {
      this.#violated('close-code', String(code));
      if (this.isOver) return;
    } else if (code !== null && !isSendableCode(code, 'autobahn')) {
      this.rules.push(`RFC 6455 §7.4.2: close code ${code} is registered with IANA`);
    }
    if (payload.length > 2 && !isUtf8(payload.subarray(2))) {
      this.#violated('close-utf8');
      if (this.isOver) return;
    }
    this.clean = true;
    if (this.#state === 'open') {
      this.close(closePayload(1000), true);
      return;
    }
    this.#closeTimer.isOn = false;
    this.#sink.after(peerDropMs, () => {
      if (this.isOver) return;
      this.clean = false;
      this.#sink.note('the peer did not end TCP within 1 s of its close frame');
      this.drop();
    });
  }

  #violated(rule: RuleId, seen?: string): void {
    if (this.isOver) return;
    const { closeCode, reason } = rules[rule];
    this.violations.push(seen === undefined ? reason : `${reason} (${seen})`);
    this.#sink.note(`broken: ${this.violations.at(-1)}`);
    this.fail(closeCode, reason);
  }
}

/** The payload of a close frame of ours. */
export function closePayload(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return Buffer.concat([payload, Buffer.from(reason)]);
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
}
