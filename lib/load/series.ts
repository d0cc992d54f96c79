// The per-second series of one engine: what happened since it was last asked, in histograms that are used again.
import { Histogram } from '../metrics/histogram.ts';
import type { DueCounts, SeriesNews, WallCounts } from './share.ts';

const secondUs = 1e6;
// A day of seconds would make a result of 25 MB: seconds of longer runs are joined.
const mostRows = 43_200;
// Replies come to the last few seconds of the schedule, unless the timeout is long and a target that had stalled goes on.
const mostHistograms = 64;
const rehearsedRows = 8;
const noRow = -1;

// Rows are written to with each message, so they are of classes: an object that is written out in several places, or spread,
// has several shapes, and each one that comes for the first time throws compiled code away in the middle of a run.

/** What happened lately to the messages of one row. */
class Bucket {
  readonly row: number;
  readonly rtt: Histogram;
  matched = 0;
  rejected = 0;
  lost = 0;
  unsent = 0;

  constructor(row: number, rtt: Histogram) {
    this.row = row;
    this.rtt = rtt;
  }
}

/** One row of the wall clock. */
class WallRow implements WallCounts {
  readonly row: number;
  sent = 0;
  received = 0;
  open: number;

  constructor(row: number, open: number) {
    this.row = row;
    this.open = open;
  }
}

/** What became of a message. */
export type Fate = 'rejected' | 'lost' | 'unsent';

/** Records both series, a row a second or so ({@link rowsOf}). Times are µs after the start of the measure phase. */
export class SeriesRecorder {
  readonly #rows: number;
  readonly #rowUs: number;
  /** By row; the one that began to be used first is the first. */
  readonly #open = new Map<number, Bucket>();
  readonly #pool: Histogram[] = [];
  #told: DueCounts[] = [];
  #decided = 0;
  /** The one that was used last, if any. */
  #last: Bucket | undefined;
  #lastRow = noRow;
  /** What happened in the rows of the wall clock since {@link news}, the present one in any case. */
  #wall = [new WallRow(0, 0)];
  #now = this.#wall[0] as WallRow;

  /**
   * @param durationUs length of the phase
   * @param rehearses rows are so short that their changes, too, are rehearsed in a warm-up
   */
  constructor(durationUs: number, rehearses = false) {
    const { rows, seconds } = rowsOf(durationUs);
    this.#rows = rehearses ? rehearsedRows : rows;
    this.#rowUs = rehearses ? durationUs / rehearsedRows : seconds * secondUs;
  }

  /** Histograms that memory is held for. */
  get histograms(): number {
    return this.#open.size + this.#pool.length;
  }

  matched(dueUs: number, rttUs: number): void {
    const bucket = this.#bucket(dueUs);
    bucket.matched++;
    bucket.rtt.record(rttUs);
  }

  count(dueUs: number, fate: Fate): void {
    this.#bucket(dueUs)[fate]++;
  }

  sent(atUs: number): void {
    this.#wallRow(atUs).sent++;
  }

  received(atUs: number): void {
    this.#wallRow(atUs).received++;
  }

  /** Notes the open connections as those at the end of the row that `atUs` lies in, until told again. */
  connections(atUs: number, open: number): void {
    this.#wallRow(atUs).open = open;
  }

  /** Every message that was due before `decidedUs` has its fate. */
  advance(decidedUs: number): void {
    if (decidedUs < (this.#decided + 1) * this.#rowUs) return;
    this.#decided = Math.min(this.#rows, Math.floor(decidedUs / this.#rowUs));
  }

  /** What happened since the last time. */
  news(): SeriesNews {
    for (const bucket of this.#open.values()) this.#tell(bucket);
    const due = this.#told;
    const wall = this.#wall.map(({ row, sent, received, open }) => ({ row, sent, received, open }));
    this.#told = [];
    this.#now = new WallRow(this.#now.row, this.#now.open);
    this.#wall = [this.#now];
    return { due, wall, decided: this.#decided };
  }

  #bucket(dueUs: number): Bucket {
    const row = Math.min(this.#rows - 1, Math.max(0, wholeRows(dueUs, this.#rowUs)));
    return row === this.#lastRow ? (this.#last as Bucket) : this.#use(row);
  }

  #use(row: number): Bucket {
    const bucket = this.#open.get(row) ?? this.#begin(row);
    this.#last = bucket;
    this.#lastRow = row;
    return bucket;
  }

  #begin(row: number): Bucket {
    if (this.#open.size >= mostHistograms) {
      const [oldest] = this.#open.values();
      if (oldest) this.#tell(oldest);
    }
    const bucket = new Bucket(row, this.#pool.pop() ?? new Histogram());
    this.#open.set(row, bucket);
    return bucket;
  }

  #tell(bucket: Bucket): void {
    const { row, rtt, matched, rejected, lost, unsent } = bucket;
    this.#told.push({ row, matched, rejected, lost, unsent, rtt: rtt.data() });
    this.#open.delete(row);
    if (this.#last === bucket) this.#lastRow = noRow;
    rtt.reset();
    this.#pool.push(rtt);
  }

  #wallRow(atUs: number): WallRow {
    const row = wholeRows(atUs, this.#rowUs);
    return row === this.#now.row ? this.#now : this.#otherWallRow(row);
  }

  /** One that has not begun, or one before the present one that was not told of yet. */
  #otherWallRow(asked: number): WallRow {
    const [first] = this.#wall as [WallRow];
    const row = Math.max(first.row, asked);
    while (this.#now.row < row) {
      this.#now = new WallRow(this.#now.row + 1, this.#now.open);
      this.#wall.push(this.#now);
    }
    return this.#wall[row - first.row] as WallRow;
  }
}

/** How many whole rows lie before a time; as a whole number of 32 bits, which a field of whole numbers stays one with. */
function wholeRows(atUs: number, rowUs: number): number {
  return Math.floor(atUs / rowUs) | 0;
}

/** How many rows the series of a measure phase have, and how many seconds each stands for: one, unless it is longer than 12 h. */
export function rowsOf(durationUs: number): { rows: number; seconds: number } {
  const whole = Math.max(1, Math.ceil(durationUs / secondUs));
  const seconds = Math.ceil(whole / mostRows);
  return { rows: Math.ceil(whole / seconds), seconds };
}
