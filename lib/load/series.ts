// The per-second series of one engine: what happened since it was last asked, in histograms that are used again.
import { Histogram } from '../metrics/histogram.ts';
import type { DueCounts, SeriesNews, WallCounts } from './share.ts';

const secondUs = 1e6;
// A day of seconds would make a result of 25 MB: seconds of longer runs are joined.
const mostRows = 43_200;
// Replies come to the last few seconds of the schedule, unless the timeout is long and a target that had stalled goes on.
const mostHistograms = 64;

/** What happened lately to the messages of one row. */
interface Bucket {
  row: number;
  rtt: Histogram;
  matched: number;
  rejected: number;
  lost: number;
  unsent: number;
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
  #last: Bucket | undefined;
  /** What happened in the rows of the wall clock since {@link news}, the present one in any case. */
  #wall: WallCounts[] = [{ row: 0, sent: 0, received: 0, open: 0 }];

  /** @param durationUs length of the measure phase */
  constructor(durationUs: number) {
    const { rows, seconds } = rowsOf(durationUs);
    this.#rows = rows;
    this.#rowUs = seconds * secondUs;
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
    const wall = this.#wall.map((row) => ({ ...row }));
    this.#told = [];
    const last = this.#wall.at(-1);
    this.#wall = last ? [{ ...last, sent: 0, received: 0 }] : [];
    return { due, wall, decided: this.#decided };
  }

  #bucket(dueUs: number): Bucket {
    const row = Math.min(this.#rows - 1, Math.max(0, Math.floor(dueUs / this.#rowUs)));
    if (this.#last?.row === row) return this.#last;
    this.#last = this.#open.get(row) ?? this.#begin(row);
    return this.#last;
  }

  #begin(row: number): Bucket {
    if (this.#open.size >= mostHistograms) {
      const [oldest] = this.#open.values();
      if (oldest) this.#tell(oldest);
    }
    const rtt = this.#pool.pop() ?? new Histogram();
    const bucket = { row, rtt, matched: 0, rejected: 0, lost: 0, unsent: 0 };
    this.#open.set(row, bucket);
    return bucket;
  }

  #tell(bucket: Bucket): void {
    const { rtt, ...counts } = bucket;
    this.#told.push({ ...counts, rtt: rtt.data() });
    this.#open.delete(bucket.row);
    if (this.#last === bucket) this.#last = undefined;
    rtt.reset();
    this.#pool.push(rtt);
  }

  #wallRow(atUs: number): WallCounts {
    const from = this.#wall[0]?.row ?? 0;
    const row = Math.max(from, Math.floor(atUs / this.#rowUs));
    for (let next = from + this.#wall.length; next <= row; next++) {
      this.#wall.push({ row: next, sent: 0, received: 0, open: this.#wall.at(-1)?.open ?? 0 });
    }
    return this.#wall[row - from] as WallCounts;
  }
}

/** How many rows the series of a measure phase have, and how many seconds each stands for: one, unless it is longer than 12 h. */
export function rowsOf(durationUs: number): { rows: number; seconds: number } {
  const whole = Math.max(1, Math.ceil(durationUs / secondUs));
  const seconds = Math.ceil(whole / mostRows);
  return { rows: Math.ceil(whole / seconds), seconds };
}
