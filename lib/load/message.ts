// The message that is sent: rendered once, then only its number is patched.
import type { Warning } from '../result/result.ts';
import { connectionValue } from '../target/opening.ts';
import type { Target } from '../target/target.ts';
import { type MessageSource, messageText, placeholdersIn, substitute } from '../target/template.ts';
import type { MessageTemplate } from './drivers/driver.ts';

/** How many digits the number of a message has, in both of its forms. */
export const digits = 12;
/** What stands before them in a `{{ seq }}`, which thereby is a whole number of 13 digits, and valid JSON. */
export const seqPrefix = '1';

const filler = 'abcdefghijklmnopqrstuvwxyz0123456789';
const placeholder = /\{\{\s*(id|seq|pad)\s*\}\}/;

/** A rendered message and how replies to it are to be found. */
export interface Message {
  template: MessageTemplate;
  by: Target['match']['by'];
  /** What may stand before the digits of the number: the run's tag, {@link seqPrefix}. The first is that of the marker. */
  prefixes: string[];
  /** Offset of the marker in the message; -1 without a number. */
  markerAt: number;
  warnings: Warning[];
}

/** What {@link renderMessage} needs to know of a plan. */
export interface MessagePlan {
  target: Target;
  sizeBytes: number;
  message?: string | Uint8Array;
  binary: boolean;
}

/**
 * Renders the message of a plan.
 *
 * @param tag makes `{{ id }}` unique to the run: servers remember ids for minutes and answer a repeated one differently
 * @param token what `{{ token }}` stands for
 * @param connection what `{{ connection }}` stands for
 */
export function renderMessage(plan: MessagePlan, tag: string, token = '', connection = 0): Message {
  const warnings: Warning[] = [];
  const { target, message } = plan;
  const source =
    message === undefined || typeof message === 'string' ? sourceText(plan, token, connection) : message;
  if (typeof source !== 'string') return plain(Buffer.from(source), plan, warnings);

  const parts = source.split(placeholder);
  const fixed = parts.reduce(
    (sum, part, i) => sum + (i % 2 === 0 ? Buffer.byteLength(part) : width(part, tag)),
    0,
  );
  // Where each connection has its own message, all of them have a number, or none of their replies would be found.
  const mayBePlain = target.match.by === 'marker' && target.echoes && !isPersonal(target.request);
  if (message === undefined && fixed > plan.sizeBytes && mayBePlain) {
    warnings.push({
      code: 'small-message',
      message: `${plan.sizeBytes} bytes leave no room for a number (that takes ${fixed}): replies are matched by order`,
    });
    return plain(Buffer.from(pad(plan.sizeBytes)), plan, warnings);
  }
  if (message === undefined && plan.sizeBytes > 0 && fixed > plan.sizeBytes) {
    warnings.push({
      code: 'message-size',
      message: `messages are ${fixed} bytes, not ${plan.sizeBytes}: the target's request needs that much`,
    });
  }

  let rest = Math.max(0, plan.sizeBytes - fixed);
  let at = 0;
  const offsets: number[] = [];
  const found = { id: -1, seq: -1 };
  const text = parts.map((part, i) => {
    let rendered = part;
    if (i % 2 === 1 && part === 'pad') {
      rendered = pad(rest);
      rest = 0;
    } else if (i % 2 === 1) {
      const key = part === 'id' ? 'id' : 'seq';
      const before = key === 'id' ? `${tag}-` : seqPrefix;
      if (found[key] < 0) found[key] = at;
      offsets.push(at + before.length);
      rendered = before + '0'.repeat(digits);
    }
    at += Buffer.byteLength(rendered);
    return rendered;
  });
  const bytes = Buffer.from(text.join(''));
  if (offsets.length === 0) return unnumbered(bytes, plan, warnings);
  return {
    template: new NumberedTemplate(bytes, plan.binary, offsets),
    by: target.match.by,
    prefixes: [...(found.id >= 0 ? [`${tag}-`] : []), ...(found.seq >= 0 ? [seqPrefix] : [])],
    markerAt: found.id >= 0 ? found.id : found.seq,
    warnings,
  };
}

/** The message as text, token and all, with the placeholders of what changes from one to the next. */
function sourceText({ target, message }: MessagePlan, token: string, connection: number): string {
  const source = typeof message === 'string' ? message : target.request;
  const named = substitute<MessageSource>(source, (name) => connectionValue(name, { token, connection }));
  if (typeof named === 'string') return named;
  // A text that is nothing but one placeholder takes over the type of its value, and this one is a number.
  return messageText(named).replace(/"\{\{\s*seq\s*\}\}"(?!:)/g, '{{ seq }}');
}

/** Bytes as they are, in which nobody looks for a number. */
function plain(bytes: Buffer, { target, binary }: MessagePlan, warnings: Warning[]): Message {
  const by = target.match.by === 'pong' ? 'pong' : 'order';
  return { template: new NumberedTemplate(bytes, binary, []), by, prefixes: [], markerAt: -1, warnings };
}

/** A text that is the same each time. */
function unnumbered(bytes: Buffer, plan: MessagePlan, warnings: Warning[]): Message {
  const message = plain(bytes, plan, warnings);
  if (message.by !== plan.target.match.by) {
    warnings.push({
      code: 'no-marker',
      message: `the message has no {{ id }}: replies are matched by order`,
    });
  }
  return message;
}

/** True when a request is not the same on every connection. */
function isPersonal(request: MessageSource): boolean {
  return placeholdersIn(request).some(({ name }) => name === 'connection' || /^token\b/.test(name));
}

function width(name: string, tag: string): number {
  return name === 'pad' ? 0 : (name === 'seq' ? seqPrefix.length : tag.length + 1) + digits;
}

function pad(length: number): string {
  return filler.repeat(Math.ceil(length / filler.length)).slice(0, length);
}

const group = 10_000;
/** The four digits of each number below 10,000, in one word. */
const fourDigits = Uint32Array.from({ length: group }, (_, number) => {
  const [a, b, c, d] = [Math.floor(number / 1000), Math.floor(number / 100), Math.floor(number / 10), number];
  return [a, b, c, d].reduce((word, digit) => word * 256 + 48 + (digit % 10), 0);
});

class NumberedTemplate implements MessageTemplate {
  readonly bytes: Buffer;
  readonly binary: boolean;
  readonly #offsets: readonly number[];
  readonly #view: DataView;
  #stamped = -1;

  constructor(bytes: Buffer, binary: boolean, offsets: readonly number[]) {
    this.bytes = bytes;
    this.binary = binary;
    this.#offsets = offsets;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  stamp(seq: number): void {
    if (seq === this.#stamped) return;
    this.#stamped = seq;
    const upper = Math.floor(seq / group);
    // Whole numbers of 32 bits are divided faster than others.
    const small = upper | 0;
    const top = small === upper ? (small / group) | 0 : Math.floor(upper / group);
    const low = fourDigits[(seq - upper * group) | 0] ?? 0;
    const middle = fourDigits[(upper - top * group) | 0] ?? 0;
    const high = fourDigits[top | 0] ?? 0;
    for (let i = 0; i < this.#offsets.length; i++) {
      const offset = this.#offsets[i] ?? 0;
      this.#view.setUint32(offset, high);
      this.#view.setUint32(offset + 4, middle);
      this.#view.setUint32(offset + 8, low);
    }
  }
}
