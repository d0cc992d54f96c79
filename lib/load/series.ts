// The per-second series of a run, with histograms that are used again once their second is decided.
import { Histogram, timeStats } from '../metrics/histogram.ts';
import type { DueSecond, Series, WallSecond } from '../metrics/series.ts';

const secondUs = 1e6;
// A payload is a few hundred bytes: those of a whole day would make a result of tens of megabytes.
const maxPayloads = 3600;

/** One second of the schedule while messages of it may still be answered. */
interface Bucket {
  rtt: Histogram;
  matched: number;
  rejected: number;
  lost: number;
  unsent: number;
}

/** What became of a message. */
export type Fate = 'rejected' | 'lost' | 'unsent';

/** Records both series. Times are µs after the start of the measure phase. */
export class SeriesRecorder {
  readonly #open = new Map<number, Bucket>();
  readonly #pool: Bucket[] = [];
  readonly #due: DueSecond[] = [];
  readonly #wall: WallSecond[] = [];
  readonly #seconds: number;
  #lastSecond = -1;
  #last: Bucket | undefined;

  constructor(durationUs: number) {
    this.#seconds = Math.max(1, Math.ceil(durationUs / secondUs));
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
    this.#second(atUs).sent++;
  }

  received(atUs: number): void {
    this.#second(atUs).received++;
  }

  /** Notes the open connections as those at the end of the second that `atUs` lies in, until told again. */
  connections(atUs: number, open: number): void {
    this.#second(atUs).open = open;
  }

  /** Closes the seconds of the schedule in which every message's fate is decided: those that ended by `decidedUs`. */
  advance(decidedUs: number): void {
    while (this.#due.length < this.#seconds && (this.#due.length + 1) * secondUs <= decidedUs) this.#close();
  }

  /** Both series, up to the last second that began before `endUs` (the whole schedule if it ran to its end). */
  finish(endUs: number): Series {
    const seconds = Math.min(this.#seconds, Math.max(1, Math.ceil(endUs / secondUs)));
    while (this.#due.length < seconds) this.#close();
    return { due: this.#due, wall: this.#wall };
  }

  #close(): void {
    const second = this.#due.length;
    const bucket = this.#open.get(second) ?? this.#fresh();
    const { p50, p99, max, hdr } = timeStats(bucket.rtt, bucket.lost + bucket.unsent);
    const { matched, rejected, lost, unsent } = bucket;
    const payload = hdr !== undefined && this.#seconds <= maxPayloads ? { hdr } : {};
    this.#due.push({ second, matched, rejected, lost, unsent, p50, p99, max, ...payload });
    this.#open.delete(second);
    if (this.#last === bucket) this.#last = undefined;
    bucket.rtt.reset();
    Object.assign(bucket, { matched: 0, rejected: 0, lost: 0, unsent: 0 });
    this.#pool.push(bucket);
  }

  #bucket(dueUs: number): Bucket {
    const second = Math.min(this.#seconds - 1, Math.max(0, Math.floor(dueUs / secondUs)));
    if (second === this.#lastSecond && this.#last) return this.#last;
    let bucket = this.#open.get(second);
    if (!bucket) {
      bucket = this.#fresh();
      this.#open.set(second, bucket);
    }
    this.#lastSecond = second;
    this.#last = bucket;
    return bucket;
  }

  #fresh(): Bucket {
    return this.#pool.pop() ?? { rtt: new Histogram(), matched: 0, rejected: 0, lost: 0, unsent: 0 };
  }

  #second(atUs: number): WallSecond {
    const second = Math.max(0, Math.floor(atUs / secondUs));
    for (let next = this.#wall.length; next <= second; next++) {
      this.#wall.push({ second: next, sent: 0, received: 0, open: this.#wall.at(-1)?.open ?? 0 });
    }
    return this.#wall[second] as WallSecond;
  }
}
