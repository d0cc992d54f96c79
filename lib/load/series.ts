// The per-second series of one engine: what happened since it was last asked, in histograms that are used again.
import { Histogram } from '../metrics/histogram.ts';
import type { WallSecond } from '../metrics/series.ts';
import type { DueCounts, SeriesNews } from './share.ts';

const secondUs = 1e6;
// Replies come to the last few seconds of the schedule, unless the timeout is long and a target that had stalled goes on.
const mostHistograms = 64;

/** One second of the schedule, or what happened to it lately. */
interface Bucket {
  second: number;
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
  readonly #seconds: number;
  /** By second; the one that began to be used first is the first. */
  readonly #open = new Map<number, Bucket>();
  readonly #pool: Histogram[] = [];
  #told: DueCounts[] = [];
  #decided = 0;
  #last: Bucket | undefined;
  /** What happened in the seconds of the wall clock since {@link news}, the present one in any case. */
  #wall: WallSecond[] = [];

  /** @param durationUs length of the measure phase */
  constructor(durationUs: number) {
    this.#seconds = secondsOf(durationUs);
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

  /** Every message that was due before `decidedUs` has its fate. */
  advance(decidedUs: number): void {
    if (decidedUs < (this.#decided + 1) * secondUs) return;
    this.#decided = Math.min(this.#seconds, Math.floor(decidedUs / secondUs));
  }

  /** What happened since the last time. */
  news(): SeriesNews {
    for (const bucket of this.#open.values()) this.#tell(bucket);
    const due = this.#told;
    const wall = this.#wall.map((second) => ({ ...second }));
    this.#told = [];
    const last = this.#wall.at(-1);
    this.#wall = last ? [{ ...last, sent: 0, received: 0 }] : [];
    return { due, wall, decided: this.#decided };
  }

  #bucket(dueUs: number): Bucket {
    const second = Math.min(this.#seconds - 1, Math.max(0, Math.floor(dueUs / secondUs)));
    if (this.#last?.second === second) return this.#last;
    this.#last = this.#open.get(second) ?? this.#begin(second);
    return this.#last;
  }

  #begin(second: number): Bucket {
    if (this.#open.size >= mostHistograms) {
      const [oldest] = this.#open.values();
      if (oldest) this.#tell(oldest);
    }
    const rtt = this.#pool.pop() ?? new Histogram();
    const bucket = { second, rtt, matched: 0, rejected: 0, lost: 0, unsent: 0 };
    this.#open.set(second, bucket);
    return bucket;
  }

  #tell(bucket: Bucket): void {
    const { rtt, ...counts } = bucket;
    this.#told.push({ ...counts, rtt: rtt.data() });
    this.#open.delete(bucket.second);
    if (this.#last === bucket) this.#last = undefined;
    rtt.reset();
    this.#pool.push(rtt);
  }

  #second(atUs: number): WallSecond {
    const from = this.#wall[0]?.second ?? 0;
    const second = Math.max(from, Math.floor(atUs / secondUs));
    for (let next = from + this.#wall.length; next <= second; next++) {
      this.#wall.push({ second: next, sent: 0, received: 0, open: this.#wall.at(-1)?.open ?? 0 });
    }
    return this.#wall[second - from] as WallSecond;
  }
}

/** Seconds of a schedule. */
export function secondsOf(durationUs: number): number {
  return Math.max(1, Math.ceil(durationUs / secondUs));
}
