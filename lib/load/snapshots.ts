// The state of a run, once a second, for whoever watches: the sum of what its engines told.
import { Histogram, percentileUs } from '../metrics/histogram.ts';
import type { Phase, Snapshot } from '../result/events.ts';
import { valueAt } from './course.ts';
import type { StressPlan } from './plan.ts';
import { connectionCourse, connectMs, measureUs } from './profile.ts';
import type { Share, Tidings } from './share.ts';

const everyUs = 1e6;
// An engine that is late must not hold up what the others told.
const patienceUs = 250_000;

/** What is known of one engine. */
interface Teller {
  share: Share | undefined;
  /** What it had told of when the last snapshot was taken, and when that was. */
  sent: number;
  received: number;
  fromUs: number;
  isLost: boolean;
}

/** Makes snapshots of what engines tell; rates and times are those since the last one. */
export class Snapshots {
  readonly #plan: StressPlan;
  readonly #tellers: Teller[];
  readonly #recent = new Histogram();
  #lastUs: number;

  constructor(plan: StressPlan, engines: number, startUs: number) {
    this.#plan = plan;
    this.#lastUs = startUs;
    this.#tellers = Array.from({ length: engines }, () => ({
      share: undefined,
      sent: 0,
      received: 0,
      fromUs: startUs,
      isLost: false,
    }));
  }

  add(engine: number, { share, series }: Tidings): void {
    (this.#tellers[engine] as Teller).share = share;
    for (const { rtt } of series.due) this.#recent.addData(rtt);
  }

  /** An engine is lost: nothing new is to be expected of it, and its connections are gone. */
  drop(engine: number): void {
    const teller = this.#tellers[engine] as Teller;
    teller.isLost = true;
    if (teller.share) teller.share = { ...teller.share, open: 0 };
  }

  /** True when there is something new to show. */
  isDue(atUs: number): boolean {
    const someNew = this.#tellers.some((teller) => isNew(teller));
    const allNew = this.#tellers.every((teller) => teller.isLost || isNew(teller));
    return (allNew && someNew) || (someNew && atUs >= this.#lastUs + everyUs + patienceUs);
  }

  take(atUs: number, { phase, sinceUs }: { phase: Phase; sinceUs: number }): Snapshot {
    const ms = (us: number | null): number | null => (us === null ? null : Math.round(us) / 1000);
    const snapshot: Snapshot = {
      phase,
      elapsedMs: Math.max(0, Math.round((atUs - sinceUs) / 1000)),
      plannedMs: this.#plannedMs(phase),
      connections: {
        asked: this.#asked(phase, atUs - sinceUs),
        open: this.#sum((share) => share.open),
        failed: this.#sum(({ counters }) => counters['connections.failed']),
      },
      ...(this.#plan.reconnect === undefined
        ? {}
        : {
            returns: {
              lost: this.#sum(({ recovery }) => recovery?.lost ?? 0),
              back: this.#sum(({ recovery }) => recovery?.returned ?? 0),
            },
          }),
      sentPerSecond: 0,
      receivedPerSecond: 0,
      p50Ms: ms(percentileUs(this.#recent, 50)),
      p99Ms: ms(percentileUs(this.#recent, 99)),
      errors: this.#sum(
        ({ counters }) =>
          counters['messages.lost'] +
          counters['messages.unsent'] +
          counters['messages.rejected'] +
          counters['messages.corrupt'],
      ),
    };
    for (const teller of this.#tellers) {
      const { share } = teller;
      if (!share || !isNew(teller)) continue;
      const seconds = (share.atUs - teller.fromUs) / 1e6;
      snapshot.sentPerSecond += (share.totalSent - teller.sent) / seconds;
      snapshot.receivedPerSecond += (share.totalReceived - teller.received) / seconds;
      Object.assign(teller, { sent: share.totalSent, received: share.totalReceived, fromUs: share.atUs });
    }
    this.#recent.reset();
    this.#lastUs = atUs;
    return snapshot;
  }

  #sum(pick: (share: Share) => number): number {
    return this.#tellers.reduce((sum, { share }) => sum + (share ? pick(share) : 0), 0);
  }

  #asked(phase: Phase, elapsedUs: number): number {
    const atUs = { connect: 0, settle: 0, warmup: 0, measure: elapsedUs, drain: Number.MAX_VALUE }[phase];
    return Math.round(valueAt(connectionCourse(this.#plan), atUs));
  }

  #plannedMs(phase: Phase): number {
    const { settleMs, warmupMs, timeoutMs } = this.#plan;
    const [connect, measure] = [connectMs(this.#plan), measureUs(this.#plan) / 1000];
    return { connect, settle: settleMs, warmup: warmupMs, measure, drain: timeoutMs }[phase];
  }
}

function isNew({ share, fromUs }: Teller): boolean {
  return share !== undefined && share.atUs > fromUs;
}
