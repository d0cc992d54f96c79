// The per-second series of a run, put together from the news of its engines.
import { Histogram, type HistogramData, timeStats } from '../metrics/histogram.ts';
import type { DueSecond, Series, WallSecond } from '../metrics/series.ts';
import { mergeHistograms } from './merge.ts';
import { secondsOf } from './series.ts';
import type { DueCounts, SeriesNews } from './share.ts';

const secondUs = 1e6;
// A payload is a few hundred bytes: those of a whole day would make a result of tens of megabytes.
const maxPayloads = 3600;

/** What is known of one engine. */
interface Teller {
  /** Seconds of the schedule below this one change no more. */
  decided: number;
  /** Last second of the wall clock that it told of, and its open connections then. */
  lastWall: number;
  open: number;
}

/** Collects the series of all engines of a run. A second of the schedule is summed up as soon as no engine changes it. */
export class SeriesBook {
  readonly #seconds: number;
  readonly #tellers: Teller[];
  readonly #open = new Map<number, DueCounts>();
  readonly #due: DueSecond[] = [];
  readonly #wall: WallSecond[] = [];

  /**
   * @param durationUs length of the measure phase
   * @param engines how many tell
   */
  constructor(durationUs: number, engines: number) {
    this.#seconds = secondsOf(durationUs);
    this.#tellers = Array.from({ length: engines }, () => ({ decided: 0, lastWall: -1, open: 0 }));
  }

  /** Takes what an engine told. */
  add(engine: number, { due, wall, decided }: SeriesNews): void {
    const teller = this.#tellers[engine] as Teller;
    for (const counts of due) {
      // What comes too late for its second, which nothing should, is not left out of the sums.
      const second = Math.max(counts.second, this.#due.length);
      const known = this.#open.get(second);
      this.#open.set(second, known ? addDue(known, counts) : { ...counts, second });
    }
    for (const second of wall) this.#addWall(teller, second);
    teller.decided = decided;
    this.#advance();
  }

  /** An engine is lost: it tells no more, and its connections are gone. */
  drop(engine: number): void {
    const teller = this.#tellers[engine] as Teller;
    teller.decided = Number.POSITIVE_INFINITY;
    for (const row of this.#wall.slice(teller.lastWall + 1)) row.open -= teller.open;
    teller.open = 0;
    this.#advance();
  }

  /** Both series, up to the last second that began before `endUs` (the whole schedule if it ran to its end). */
  finish(endUs: number): Series {
    const seconds = Math.min(this.#seconds, Math.max(1, Math.ceil(endUs / secondUs)));
    while (this.#due.length < seconds) this.#close();
    return { due: this.#due, wall: this.#wall };
  }

  #advance(): void {
    const decided = Math.min(this.#seconds, ...this.#tellers.map((teller) => teller.decided));
    while (this.#due.length < decided) this.#close();
  }

  #close(): void {
    const second = this.#due.length;
    const counts = this.#open.get(second);
    this.#open.delete(second);
    const { matched = 0, rejected = 0, lost = 0, unsent = 0 } = counts ?? {};
    const { p50, p99, max, hdr } = timeStats(histogramOf(counts?.rtt), lost + unsent);
    const payload = hdr !== undefined && this.#seconds <= maxPayloads ? { hdr } : {};
    this.#due.push({ second, matched, rejected, lost, unsent, p50, p99, max, ...payload });
  }

  /** Connections stay open until an engine tells otherwise: rows that others began have its last figure. */
  #addWall(teller: Teller, { second, sent, received, open }: WallSecond): void {
    for (let next = this.#wall.length; next <= second; next++) {
      const still = this.#tellers.reduce((sum, one) => sum + one.open, 0);
      this.#wall.push({ second: next, sent: 0, received: 0, open: still });
    }
    const row = this.#wall[second] as WallSecond;
    row.sent += sent;
    row.received += received;
    // A teller tells in order, so its newest figure also holds for all later rows that are there already.
    for (const later of this.#wall.slice(second)) later.open += open - teller.open;
    teller.open = open;
    teller.lastWall = second;
  }
}

function addDue(one: DueCounts, other: DueCounts): DueCounts {
  return {
    second: one.second,
    matched: one.matched + other.matched,
    rejected: one.rejected + other.rejected,
    lost: one.lost + other.lost,
    unsent: one.unsent + other.unsent,
    rtt: mergeHistograms([one.rtt, other.rtt]),
  };
}

function histogramOf(data: HistogramData | undefined): Histogram {
  const histogram = new Histogram();
  if (data) histogram.addData(data);
  return histogram;
}
