// The per-second series of a run, put together from the news of its engines.
import { Histogram, type HistogramData, timeStats } from '../metrics/histogram.ts';
import type { DueSecond, Series, WallSecond } from '../metrics/series.ts';
import { rowsOf } from './series.ts';
import type { DueCounts, SeriesNews, WallCounts } from './share.ts';

// A payload is a few hundred bytes to a few thousand: those of a whole day would make a result of hundreds of megabytes.
const maxPayloads = 3600;

/** What is known of one engine. */
interface Teller {
  /** Rows of the schedule below this one change no more. */
  decided: number;
  /** Last row of the wall clock that it told of, and its open connections then. */
  lastWall: number;
  open: number;
}

/** What changed in a book since the page before, as plain data. */
export interface BookPage {
  /** Rows of the schedule that were closed, and their round trips where they are kept. */
  due: DueSecond[];
  payloads: (HistogramData | undefined)[];
  /** Those that are still open. */
  open: DueCounts[];
  /** The wall clock from this row on; those before it change no more. */
  wallFrom: number;
  wall: WallSecond[];
}

/** Collects the series of all engines of a run. A row of the schedule is summed up as soon as no engine changes it. */
export class SeriesBook {
  readonly #rows: number;
  readonly #seconds: number;
  readonly #tellers: Teller[];
  readonly #open = new Map<number, DueCounts>();
  readonly #due: DueSecond[] = [];
  /** The round trips of closed rows: written out at the end, as that takes milliseconds in which nothing could be sent. */
  readonly #payloads: (HistogramData | undefined)[] = [];
  readonly #wall: WallSecond[] = [];
  readonly #scratch = new Histogram();
  /** How far the pages go. */
  #pagedRows = 0;
  #pagedWall = 0;

  /**
   * @param durationUs length of the measure phase
   * @param engines how many tell
   */
  constructor(durationUs: number, engines: number) {
    const { rows, seconds } = rowsOf(durationUs);
    this.#rows = rows;
    this.#seconds = seconds;
    this.#tellers = Array.from({ length: engines }, () => ({ decided: 0, lastWall: -1, open: 0 }));
  }

  /** Takes what an engine told. */
  add(engine: number, { due, wall, decided }: SeriesNews): void {
    const teller = this.#tellers[engine] as Teller;
    for (const counts of due) {
      // What comes too late for its row, which nothing should, is not left out of the sums.
      const row = Math.max(counts.row, this.#due.length);
      const known = this.#open.get(row);
      this.#open.set(row, known ? this.#sum(known, counts) : { ...counts, row });
    }
    for (const row of wall) this.#addWall(teller, row);
    teller.decided = decided;
    this.#advance();
  }

  /** An engine is lost: it tells no more, and its connections are gone. */
  drop(engine: number): void {
    const teller = this.#tellers[engine] as Teller;
    teller.decided = Number.POSITIVE_INFINITY;
    for (const row of this.#wall.slice(teller.lastWall + 1)) row.open -= teller.open;
    teller.lastWall = Number.POSITIVE_INFINITY;
    teller.open = 0;
    this.#advance();
  }

  /** Takes what is new since the last page. */
  page(): BookPage {
    const [from, wallFrom] = [this.#pagedRows, this.#pagedWall];
    this.#pagedRows = this.#due.length;
    // The last row that an engine told of may change.
    const told = this.#tellers.map(({ lastWall }) => lastWall);
    this.#pagedWall = Math.max(0, Math.min(this.#wall.length, ...told));
    return {
      due: this.#due.slice(from),
      payloads: this.#payloads.slice(from, this.#due.length),
      open: [...this.#open.values()],
      wallFrom,
      wall: this.#wall.slice(wallFrom),
    };
  }

  /** Takes a page of another book; all of its pages, in order, make it the same book. */
  restore({ due, payloads, open, wallFrom, wall }: BookPage): void {
    for (const [at, data] of payloads.entries()) this.#payloads[this.#due.length + at] = data;
    this.#due.push(...due);
    this.#open.clear();
    for (const counts of open) this.#open.set(counts.row, counts);
    this.#wall.splice(wallFrom, Number.POSITIVE_INFINITY, ...wall);
  }

  /** Both series, up to the last row that began before `endUs` (the whole schedule if it ran to its end). */
  finish(endUs: number): Series {
    const rows = Math.min(this.#rows, Math.max(1, Math.ceil(endUs / (this.#seconds * 1e6))));
    while (this.#due.length < rows) this.#close();
    this.#writePayloads();
    const step = this.#seconds > 1 ? { secondsPerRow: this.#seconds } : {};
    return { due: this.#due, wall: this.#wall, ...step };
  }

  #advance(): void {
    const decided = Math.min(this.#rows, ...this.#tellers.map((teller) => teller.decided));
    while (this.#due.length < decided) this.#close();
  }

  #close(): void {
    const row = this.#due.length;
    const counts = this.#open.get(row);
    this.#open.delete(row);
    const { matched = 0, rejected = 0, lost = 0, unsent = 0 } = counts ?? {};
    this.#scratch.reset();
    if (counts) this.#scratch.addData(counts.rtt);
    const { p50, p99, max } = timeStats(this.#scratch, lost + unsent, false);
    const second = row * this.#seconds;
    this.#due.push({ second, matched, rejected, lost, unsent, p50, p99, max });
    if (this.#rows <= maxPayloads) this.#payloads[row] = counts?.rtt;
  }

  #writePayloads(): void {
    for (const [row, data] of this.#payloads.entries()) {
      const due = this.#due[row];
      if (!data || !due || data.places.length === 0) continue;
      this.#scratch.reset();
      this.#scratch.addData(data);
      due.hdr = this.#scratch.encode();
    }
  }

  #addWall(teller: Teller, { row, sent, received, open }: WallCounts): void {
    for (let next = this.#wall.length; next <= row; next++) {
      // Connections stay open until an engine tells otherwise: rows that others began have its last figure.
      const still = this.#tellers.reduce((sum, one) => sum + one.open, 0);
      this.#wall.push({ second: next * this.#seconds, sent: 0, received: 0, open: still });
    }
    const told = this.#wall[row] as WallSecond;
    told.sent += sent;
    told.received += received;
    // A teller tells in order, so its newest figure also holds for all later rows that are there already.
    for (const later of this.#wall.slice(row)) later.open += open - teller.open;
    teller.open = open;
    teller.lastWall = row;
  }

  #sum(one: DueCounts, other: DueCounts): DueCounts {
    this.#scratch.reset();
    this.#scratch.addData(one.rtt);
    this.#scratch.addData(other.rtt);
    return {
      row: one.row,
      matched: one.matched + other.matched,
      rejected: one.rejected + other.rejected,
      lost: one.lost + other.lost,
      unsent: one.unsent + other.unsent,
      rtt: this.#scratch.data(),
    };
  }
}
