// What went over the wire in a case, frame by frame, in words: for those who look for why it failed.
import { performance } from 'node:perf_hooks';
import { redactText } from '../../result/redact.ts';
import type { WireRecord } from '../../result/result.ts';

const mostAtStart = 40;
const mostAtEnd = 40;
const shownBytes = 32;

const names: Record<number, string> = {
  0: 'continuation',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};

/** A frame, as far as words for it need. */
export interface WireFrame {
  fin: boolean;
  rsv: number;
  opcode: number;
  masked: boolean;
  length: number;
  /** The first bytes of the payload. */
  payload: Uint8Array;
}

/** What happened, before there are words for it. */
interface Happening {
  atMs: number;
  direction: WireRecord['direction'];
  frame?: WireFrame;
  header?: Uint8Array;
  /** Of a frame, what is special about it; else all there is to say. */
  text: string;
}

/** Keeps the beginning and the end of what happened. Loads have hundreds of thousands of frames: words are made at the end. */
export class Wire {
  readonly #start: Happening[] = [];
  #end: Happening[] = [];
  #left = 0;
  #startMs = performance.now();

  /** The connection is open: times count from here. */
  open(): void {
    this.#startMs = performance.now();
  }

  note(text: string): void {
    this.#add({ atMs: performance.now(), direction: 'none', text });
  }

  /** A frame that was sent or has come; `extra` says what is special about it. */
  frame(direction: 'in' | 'out', frame: WireFrame, header: Uint8Array, extra = ''): void {
    const payload = Buffer.from(frame.payload.subarray(0, shownBytes));
    this.#add({ atMs: performance.now(), direction, frame: { ...frame, payload }, header, text: extra });
  }

  /** What is kept, in words, without secrets. */
  records(): WireRecord[] {
    const end = this.#end.slice(-mostAtEnd);
    const left = this.#left + this.#end.length - end.length;
    const records = [...this.#start, ...end].map((happening) => this.#recordOf(happening));
    if (left === 0) return records;
    const gap: WireRecord = {
      atUs: records[mostAtStart]?.atUs ?? 0,
      direction: 'none',
      text: `${left.toLocaleString('en')} more`,
    };
    return [...records.slice(0, mostAtStart), gap, ...records.slice(mostAtStart)];
  }

  #add(happening: Happening): void {
    if (this.#start.length < mostAtStart) this.#start.push(happening);
    else {
      this.#end.push(happening);
      if (this.#end.length < 2 * mostAtEnd) return;
      this.#left += mostAtEnd;
      this.#end = this.#end.slice(mostAtEnd);
    }
  }

  #recordOf({ atMs, direction, frame, header, text }: Happening): WireRecord {
    const record = { atUs: Math.max(0, Math.round((atMs - this.#startMs) * 1000)), direction };
    if (!frame || !header) return { ...record, text: redactText(text) };
    const shown = Buffer.from(frame.payload);
    const isSecret = redactText(shown.toString('latin1')) !== shown.toString('latin1');
    const bytes = isSecret ? Buffer.from(header) : Buffer.concat([header, shown]);
    const more = frame.length > shown.length && !isSecret ? '…' : '';
    return {
      ...record,
      text: `${frameText(frame, isSecret)}${text}`,
      hex: `${bytes.toString('hex').replace(/(..)(?=.)/g, '$1 ')}${more}`,
    };
  }
}

function frameText(frame: WireFrame, isSecret: boolean): string {
  const { fin, rsv, opcode, masked, length, payload } = frame;
  const name = names[opcode] ?? `opcode 0x${opcode.toString(16)}`;
  const bits = [4, 2, 1].flatMap((bit, index) => (rsv & bit ? [`RSV${index + 1}`] : []));
  const parts = [`${name} frame`, ...(fin ? [] : ['not final']), ...bits, ...(masked ? ['masked'] : [])];
  return `${parts.join(', ')}${contentText(opcode, length, payload, isSecret)}`;
}

function contentText(opcode: number, length: number, payload: Uint8Array, isSecret: boolean): string {
  if (length === 0) return ', empty';
  if (opcode === 8 && payload.length >= 2) {
    const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    return `, code ${code}${length > 2 && !isSecret ? ` ${quoted(payload.subarray(2), length - 2)}` : ''}`;
  }
  return `, ${length.toLocaleString('en')} bytes${isSecret ? '' : ` ${quoted(payload, length)}`}`;
}

function quoted(payload: Uint8Array, length: number): string {
  const text = Buffer.from(payload.subarray(0, shownBytes))
    .toString('latin1')
    .replace(/[^ -~]/g, '.');
  return `"${text}"${length > Math.min(shownBytes, payload.length) ? '…' : ''}`;
}
