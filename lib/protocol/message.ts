// Frames to messages: fragments put together within bounds, text checked as it comes. RFC 6455 §5.4, §8.1
import { type CloseBody, type CloseRegistry, readCloseBody } from './close.ts';
import { isControl, opcodes } from './frame.ts';
import { FrameParser, type FrameSink, type ParserOptions } from './parser.ts';
import { type RuleId, type Violation, violation } from './rules.ts';
import { Utf8Validator } from './utf8.ts';

/** What a {@link MessageReceiver} tells of. Buffers are valid during the call only. */
export interface MessageSink {
  /** @param opcode 1 text (valid UTF-8), 2 binary */
  message(opcode: 1 | 2, buf: Buffer, start: number, end: number): void;
  /** A message that was compressed (RFC 7692), as it came; `buf` is the receiver's own to give away. */
  compressed(opcode: 1 | 2, buf: Buffer): void;
  ping(buf: Buffer, start: number, end: number): void;
  pong(buf: Buffer, start: number, end: number): void;
  /** A close frame. Nothing follows. */
  close(body: CloseBody): void;
  /** The peer broke a rule. Nothing follows. */
  violation(violation: Violation): void;
}

/** How a {@link MessageReceiver} reads. */
export interface ReceiverOptions extends Omit<ParserOptions, 'allowedRsv'> {
  /** permessage-deflate was negotiated. */
  deflate: boolean;
  maxMessageBytes: number;
  maxFragments: number;
  closeRegistry: CloseRegistry;
}

/** What receivers do unless told otherwise. */
export const receiverDefaults: ReceiverOptions = {
  role: 'client',
  strict: true,
  deflate: false,
  maxMessageBytes: 16 * 1024 * 1024,
  maxFragments: 131_072,
  closeRegistry: 'registry',
};

/** Options that leave nothing out are kept as they are: thousands of receivers can share them. */
function isComplete(options: Partial<ReceiverOptions>): options is ReceiverOptions {
  for (const name in receiverDefaults) if (!(name in options)) return false;
  return true;
}

const rsv1 = 4;
const startBytes = 1024;
// A room that one large message needed is given back: thousands of connections must not each keep one.
const keptBytes = 4096;
const maxSpareBytes = 1024 * 1024;
const maxControlBytes = 125;
const empty: Buffer = Buffer.alloc(0);
/** The largest room that was given back, for the next large message of whichever connection. */
let spare: Buffer = empty;

/**
 * Receives messages. One that lies whole in one read is handed out where it lies, without a copy and without allocating (a text
 * of half a KiB or more costs a view of its bytes); others are gathered in a buffer that grows with what has come, not with
 * what a header promises.
 */
export class MessageReceiver implements FrameSink {
  readonly #sink: MessageSink;
  readonly #options: ReceiverOptions;
  readonly #parser: FrameParser;
  readonly #utf8 = new Utf8Validator();
  /** Control frames come between the fragments of a message, so that those in pieces have a room of their own. */
  #control: Buffer = empty;
  #controlBytes = 0;

  /** Opcode of the message under way; 0: there is none. */
  #message: 0 | 1 | 2 = 0;
  #isCompressed = false;
  #fragments = 0;
  #gathered: Buffer = empty;
  #gatheredBytes = 0;

  /** The frame under way. */
  #opcode = 0;
  #fin = true;
  #length = 0;
  /** Where its payload lies whole. */
  #whole: Buffer | undefined;
  #wholeStart = 0;
  #wholeEnd = 0;

  constructor(sink: MessageSink, options: Partial<ReceiverOptions> = {}) {
    this.#sink = sink;
    this.#options = isComplete(options) ? options : { ...receiverDefaults, ...options };
    const { role, strict, deflate } = this.#options;
    this.#parser = new FrameParser(this, { role, strict, allowedRsv: deflate ? rsv1 : 0 });
  }

  /** True after a close frame or a violation: further bytes are passed over. */
  get isOver(): boolean {
    return this.#parser.isOver;
  }

  /** Passes over all further bytes. */
  end(): void {
    this.#parser.end();
  }

  /** Takes bytes. */
  push(chunk: Buffer, start = 0, end = chunk.length): void {
    this.#parser.push(chunk, start, end);
  }

  /** @internal */
  frame(fin: boolean, rsv: number, opcode: number, length: number): boolean {
    this.#opcode = opcode;
    this.#length = length;
    if (isControl(opcode)) {
      this.#controlBytes = 0;
      return opcode === opcodes.close && length === 1 ? this.#fail('close-length') : true;
    }
    this.#fin = fin;
    if (opcode === opcodes.continuation) {
      if (this.#message === 0) return this.#fail('continuation-without-start');
      if (rsv !== 0) return this.#fail('rsv1-continuation');
    } else {
      if (this.#message !== 0) return this.#fail('message-within-message');
      this.#message = opcode as 1 | 2;
      this.#isCompressed = rsv === rsv1;
      this.#fragments = 0;
      this.#gatheredBytes = 0;
      if (opcode === opcodes.text) this.#utf8.reset();
    }
    const { maxMessageBytes, maxFragments } = this.#options;
    if (this.#gatheredBytes + length > maxMessageBytes) {
      return this.#fail('too-large', `more than ${maxMessageBytes} bytes`);
    }
    if (++this.#fragments > maxFragments) return this.#fail('too-many-fragments', `${maxFragments}`);
    return true;
  }

  /** @internal */
  payload(buf: Buffer, start: number, end: number): boolean {
    if (isControl(this.#opcode)) {
      if (end - start === this.#length) this.#keepWhole(buf, start, end);
      else {
        if (this.#control.length === 0) this.#control = Buffer.allocUnsafe(maxControlBytes);
        buf.copy(this.#control, this.#controlBytes, start, end);
        this.#controlBytes += end - start;
      }
      return true;
    }
    if (this.#message === opcodes.text && !this.#isCompressed && !this.#utf8.push(buf, start, end)) {
      return this.#badText();
    }
    // The only frame of its message, all of it here.
    if (this.#fin && this.#fragments === 1 && end - start === this.#length) {
      this.#keepWhole(buf, start, end);
    } else this.#gather(buf, start, end);
    return true;
  }

  /** @internal */
  frameEnd(): boolean {
    if (isControl(this.#opcode)) return this.#controlEnd();
    if (!this.#fin) return true;
    const opcode = this.#message as 1 | 2;
    this.#message = 0;
    if (opcode === opcodes.text && !this.#isCompressed && !this.#utf8.isComplete) return this.#badText();
    const whole = this.#whole;
    // Not kept: it would keep all of what was read with it.
    this.#whole = undefined;
    const buf = whole ?? this.#gathered;
    const start = whole ? this.#wholeStart : 0;
    const end = whole ? this.#wholeEnd : this.#gatheredBytes;
    if (this.#isCompressed) this.#sink.compressed(opcode, Buffer.from(buf.subarray(start, end)));
    else this.#sink.message(opcode, buf, start, end);
    if (this.#gathered.length > keptBytes) this.#giveBack();
    return true;
  }

  /** @internal */
  violation(broken: Violation): void {
    this.#sink.violation(broken);
  }

  #controlEnd(): boolean {
    const buf = this.#whole ?? this.#control;
    const start = this.#whole ? this.#wholeStart : 0;
    const end = this.#whole ? this.#wholeEnd : this.#controlBytes;
    this.#whole = undefined;
    if (this.#opcode === opcodes.ping) this.#sink.ping(buf, start, end);
    else if (this.#opcode === opcodes.pong) this.#sink.pong(buf, start, end);
    else {
      const body = readCloseBody(buf.subarray(start, end), this.#options.closeRegistry);
      this.#parser.end();
      if ('rule' in body) this.#sink.violation(body);
      else this.#sink.close(body);
      return false;
    }
    return true;
  }

  #keepWhole(buf: Buffer, start: number, end: number): void {
    this.#whole = buf;
    this.#wholeStart = start;
    this.#wholeEnd = end;
  }

  #gather(buf: Buffer, start: number, end: number): void {
    const needed = this.#gatheredBytes + end - start;
    if (needed > this.#gathered.length) this.#grow(needed);
    buf.copy(this.#gathered, this.#gatheredBytes, start, end);
    this.#gatheredBytes = needed;
  }

  #grow(needed: number): void {
    const old = this.#gathered;
    if (spare.length >= needed) {
      this.#gathered = spare;
      spare = empty;
    } else {
      const most = Math.max(needed, this.#options.maxMessageBytes);
      this.#gathered = Buffer.allocUnsafeSlow(Math.min(most, Math.max(startBytes, needed, 2 * old.length)));
    }
    old.copy(this.#gathered, 0, 0, this.#gatheredBytes);
  }

  #giveBack(): void {
    if (this.#gathered.length > spare.length && this.#gathered.length <= maxSpareBytes)
      spare = this.#gathered;
    this.#gathered = empty;
    this.#gatheredBytes = 0;
  }

  #badText(): false {
    return this.#fail('utf8', `at byte ${this.#utf8.position}`);
  }

  #fail(rule: RuleId, seen?: string): false {
    this.#sink.violation(violation(rule, seen));
    return false;
  }
}
