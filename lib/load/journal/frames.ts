// The format of a journal: what a run leaves when it is killed. Frames of a length (4 bytes, little-endian) and a value as
// structured clone has it; the first is the head, all others are pages. A frame that is cut off is none.
import { deserialize, serialize } from 'node:v8';
import type { Host, Phases, Reason, Warning } from '../../result/result.ts';
import type { GeneratorMeans } from '../health-advice.ts';
import type { PlanFacts } from '../plan-facts.ts';
import type { BookPage } from '../series-book.ts';
import type { Share } from '../share.ts';

/** What is known when a run begins. */
export interface JournalHead {
  format: typeof journalFormat;
  startedAt: Date;
  plan: PlanFacts;
  host: Host;
  means: GeneratorMeans;
}

/** All that was counted until then, and what is new in the series since the page before. */
export interface JournalPage {
  elapsedMs: number;
  phases: Phases;
  reasons: readonly Reason[];
  warnings: readonly Warning[];
  shares: readonly Share[];
  series: BookPage;
}

/** A whole journal. */
export interface JournalText {
  head: JournalHead;
  pages: JournalPage[];
}

export const journalFormat = 'wsbench journal 1';
const lengthBytes = 4;

/** A frame. */
export function frameOf(value: JournalHead | JournalPage): Uint8Array {
  const body = serialize(value);
  const frame = Buffer.allocUnsafe(lengthBytes + body.length);
  frame.writeUInt32LE(body.length);
  frame.set(body, lengthBytes);
  return frame;
}

/** Reads a journal up to where it was cut off; undefined: this is none, or none of this version. */
export function readFrames(bytes: Uint8Array): JournalText | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: unknown[] = [];
  try {
    for (let at = 0; at + lengthBytes <= buffer.length; ) {
      const end = at + lengthBytes + buffer.readUInt32LE(at);
      if (end > buffer.length) break;
      values.push(deserialize(buffer.subarray(at + lengthBytes, end)));
      at = end;
    }
  } catch {
    // What comes after bytes that were never written is lost; what came before is not.
  }
  const [head, ...pages] = values;
  if (!isHead(head)) return undefined;
  return { head, pages: pages as JournalPage[] };
}

function isHead(value: unknown): value is JournalHead {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === journalFormat;
}
