// Keeps a journal while a run goes on, at a cost that no message feels: what is counted, every second at first, later less often.
import type { Writable } from 'node:stream';
import { redactStrings, redactText } from '../../result/redact.ts';
import type { Share } from '../share.ts';
import { frameOf, type JournalHead, type JournalPage } from './frames.ts';

// So much of a run may be lost when it is killed: this share of it, within these bounds.
const mostLost = 0.02;
// Engines tell once a second, not to the millisecond: no second is to be passed over.
const leastMs = 900;
const mostMs = 30_000;
// A page has some 30 KB, or several hundred where round trips are all over the place. Those of a long run wait until there is room.
const freeBytes = 16 * 1024 ** 2;
const bytesPerMs = 4;

/** Writes pages to a stream. What fails there ends the journal, and nothing else. */
export class Journal {
  readonly #sink: Writable;
  #dueMs = leastMs;
  #bytes = 0;

  /** @param failed is told once why there is no journal from now on */
  constructor(sink: Writable, head: JournalHead, failed: (error: Error) => void) {
    this.#sink = sink;
    sink.once('error', failed);
    // It is no longer ours to fail when the run is over.
    sink.on('error', () => {});
    this.#write(frameOf(head));
  }

  /** Whether it is time for a page: not while the last ones are still being written, for none may be left out. */
  isDue(elapsedMs: number): boolean {
    return elapsedMs >= this.#dueMs && this.#sink.writable && !this.#sink.writableNeedDrain;
  }

  add(page: JournalPage): void {
    const { elapsedMs, shares } = page;
    this.#write(frameOf({ ...page, shares: shares.map(masked) }));
    const soonMs = elapsedMs + Math.min(mostMs, Math.max(leastMs, mostLost * elapsedMs));
    this.#dueMs = Math.max(soonMs, (this.#bytes - freeBytes) / bytesPerMs);
  }

  end(): void {
    this.#sink.end();
  }

  #write(frame: Uint8Array): void {
    this.#bytes += frame.length;
    this.#sink.write(frame);
  }
}

/** What comes from the target may hold a secret, which whoever reads the journal later does not know. */
function masked(share: Share): Share {
  const { closes, ends, failures, violations, rejectionCodes, renewals } = share;
  const codes = new Map<string, number>();
  for (const [code, count] of rejectionCodes) {
    const name = redactText(code);
    codes.set(name, (codes.get(name) ?? 0) + count);
  }
  return {
    ...share,
    ...redactStrings({ closes, ends, failures, violations, renewals }),
    rejectionCodes: codes,
  };
}
