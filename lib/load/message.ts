// The message that is sent: rendered once, then only its number is patched.
import type { Warning } from '../result/result.ts';
import type { Target } from '../target/target.ts';
import { messageText } from '../target/template.ts';
import type { MessageTemplate } from './drivers/driver.ts';

const digits = 12;
const filler = 'abcdefghijklmnopqrstuvwxyz0123456789';
const placeholder = /\{\{\s*(id|seq|pad)\s*\}\}/;

/** A rendered message and how replies to it are to be found. */
export interface Message {
  template: MessageTemplate;
  by: Target['match']['by'];
  /** What stands before the digits of the number: the run's tag, or nothing with a bare `{{ seq }}`. */
  prefix: string;
  /** Offset of `prefix` in the message; -1 without a number. */
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
 */
export function renderMessage(plan: MessagePlan, tag: string): Message {
  const warnings: Warning[] = [];
  const { target, message } = plan;
  const source = message ?? messageText(target.request);
  if (typeof source !== 'string') return plain(Buffer.from(source), plan.binary, warnings);

  const parts = source.split(placeholder);
  const fixed = parts.reduce(
    (sum, part, i) => sum + (i % 2 === 0 ? Buffer.byteLength(part) : width(part, tag)),
    0,
  );
  if (message === undefined && fixed > plan.sizeBytes && target.match.by === 'marker' && target.echoes) {
    warnings.push({
      code: 'small-message',
      message: `${plan.sizeBytes} bytes leave no room for a number (that takes ${fixed}): replies are matched by order`,
    });
    return plain(Buffer.from(pad(plan.sizeBytes)), plan.binary, warnings);
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
      const before = part === 'id' ? `${tag}-` : '';
      const key = part === 'id' ? 'id' : 'seq';
      if (found[key] < 0) found[key] = at;
      offsets.push(at + before.length);
      rendered = before + '0'.repeat(digits);
    }
    at += Buffer.byteLength(rendered);
    return rendered;
  });
  const template = new NumberedTemplate(Buffer.from(text.join('')), plan.binary, offsets);
  const wanted = target.match.by;
  const canMatch = wanted === 'order' || found.id >= 0 || (wanted === 'marker' && found.seq >= 0);
  if (!canMatch) {
    warnings.push({
      code: 'no-marker',
      message: `the message has no {{ id }}: replies are matched by order`,
    });
  }
  return {
    template,
    by: canMatch ? wanted : 'order',
    prefix: found.id >= 0 ? `${tag}-` : '',
    markerAt: found.id >= 0 ? found.id : found.seq,
    warnings,
  };
}

function plain(bytes: Buffer, binary: boolean, warnings: Warning[]): Message {
  return {
    template: new NumberedTemplate(bytes, binary, []),
    by: 'order',
    prefix: '',
    markerAt: -1,
    warnings,
  };
}

function width(name: string, tag: string): number {
  return name === 'pad' ? 0 : name === 'seq' ? digits : tag.length + 1 + digits;
}

function pad(length: number): string {
  return filler.repeat(Math.ceil(length / filler.length)).slice(0, length);
}

class NumberedTemplate implements MessageTemplate {
  readonly bytes: Buffer;
  readonly binary: boolean;
  readonly #offsets: readonly number[];

  constructor(bytes: Buffer, binary: boolean, offsets: readonly number[]) {
    this.bytes = bytes;
    this.binary = binary;
    this.#offsets = offsets;
  }

  stamp(seq: number): void {
    for (const offset of this.#offsets) {
      let rest = seq;
      for (let i = digits - 1; i >= 0; i--) {
        const tenth = Math.floor(rest / 10);
        this.bytes[offset + i] = 48 + rest - tenth * 10;
        rest = tenth;
      }
    }
  }
}
