// Lost connections come back: what is due when, and what came of it.
import { Histogram } from '../../metrics/histogram.ts';
import { never } from '../clock.ts';
import { CloseLog } from '../close-log.ts';
import type { ClosedBy } from '../drivers/driver.ts';
import type { Lane } from '../lane.ts';
import { seededRandom } from '../pacer.ts';
import { DueHeap } from './due-heap.ts';
import { nextAttemptUs, type ReconnectPolicy, type ReturnWindow, retryWindow, stableUs } from './policy.ts';
import { binUs, type RecoveryBin, type RecoveryData } from './recovery-data.ts';

// An hour in which something happens every 100 ms.
const mostBins = 36_000;
// An attempt that is due at the end of its window begins at a tick of ours, which may be later by this.
const lateUs = 100_000;
const notBack = -1;

/** What a reconnector is made for. */
export interface ReconnectPlan {
  policy: ReconnectPolicy;
  seed: number;
  /** Places among the connections of the engine. */
  places: number;
  /** Remembers when each place was filled again, for a storm. */
  isStorm: boolean;
}

/** A place whose connection was lost. */
interface Outage {
  lostUs: number;
  attempts: number;
  /** Waits in a row that came from the backoff, those of earlier outages included unless the connection was stable in between. */
  step: number;
  window: ReturnWindow | undefined;
  isAway: boolean;
}

/** Keeps an eye on the places of one engine. */
export class Reconnector {
  readonly #plan: ReconnectPlan;
  readonly #prepare: (place: number) => void;
  readonly #random: () => number;
  readonly #due = new DueHeap();
  readonly #outages = new Map<number, Outage>();
  readonly #gap = new Histogram();
  readonly #closes = new CloseLog();
  readonly #bins = new Map<number, RecoveryBin>();
  readonly #backUs: Float64Array;
  readonly #counts = {
    lost: 0,
    returned: 0,
    attempts: 0,
    mostAttempts: 0,
    away: 0,
    firstLostUs: Number.POSITIVE_INFINITY,
    lastBackUs: 0,
    inFlight: 0,
    cut: false,
  };
  readonly #windows = { given: 0, early: 0, late: 0, minMs: Number.POSITIVE_INFINITY, maxMs: 0 };
  #originUs = 0;
  #isOn = false;

  /** @param prepare begins to open a connection for a place */
  constructor(plan: ReconnectPlan, prepare: (place: number) => void) {
    this.#plan = plan;
    this.#prepare = prepare;
    this.#random = seededRandom(plan.seed);
    this.#backUs = new Float64Array(plan.isStorm ? plan.places : 0).fill(notBack);
  }

  /**
   * From now on connections come back, those that are lost already among them.
   *
   * @param measuredUs when the measure phase begins
   */
  begin(lanes: readonly Lane[], atUs: number, measuredUs: number): void {
    this.#isOn = true;
    this.#originUs = measuredUs;
    for (const lane of lanes) if (lane.state === 'closed') this.#miss(lane, atUs, atUs);
  }

  /** Nobody is brought back any more. */
  stop(): void {
    this.#isOn = false;
    this.#due.clear();
  }

  /** When the next attempt is due. */
  get nextUs(): number {
    return this.#due.nextUs;
  }

  /** Begins the attempts that are due. */
  tick(atUs: number): number {
    for (let place = this.#due.take(atUs); place !== undefined; place = this.#due.take(atUs)) {
      this.#prepare(place);
    }
    return this.#due.nextUs;
  }

  /** A connection that served its place is gone, not by the will of the schedule. */
  lost(lane: Lane, code: number, by: ClosedBy, clean: boolean, atUs: number): void {
    if (!this.#isOn) return;
    this.#closes.add(code, by, clean);
    this.#counts.inFlight += lane.outstanding;
    this.#miss(lane, lane.droppedUs !== never ? lane.droppedUs : atUs, atUs);
  }

  /** An attempt begins. */
  attempted(place: number, atUs: number): void {
    const outage = this.#outages.get(place);
    if (!outage?.isAway) return;
    outage.attempts++;
    this.#counts.attempts++;
    this.#counts.mostAttempts = Math.max(this.#counts.mostAttempts, outage.attempts);
    this.#bin(atUs, 'attempts');
    const { window } = outage;
    if (!window) return;
    // By the millisecond, as the server says it: the bytes that said so were on their way.
    if (atUs < window.fromUs - 1000) this.#windows.early++;
    else if (atUs > window.toUs + lateUs) this.#windows.late++;
    outage.window = undefined;
  }

  /** An attempt failed; the server may have said when to try again. */
  failed(place: number, retryAfterMs: number | undefined, atUs: number): void {
    const outage = this.#outages.get(place);
    if (!this.#isOn || !outage?.isAway) return;
    if (retryAfterMs !== undefined) {
      outage.window = retryWindow(atUs, retryAfterMs);
      this.#noteWindow(retryAfterMs, undefined);
    }
    this.#schedule(place, outage, atUs);
  }

  /** A connection serves its place: open, joined. */
  returned(lane: Lane, atUs: number): void {
    const outage = this.#outages.get(lane.place);
    if (!outage?.isAway) return;
    outage.isAway = false;
    this.#counts.away--;
    this.#counts.returned++;
    this.#counts.lastBackUs = Math.max(this.#counts.lastBackUs, atUs);
    this.#gap.record(Math.max(1, atUs - outage.lostUs));
    if (this.#plan.isStorm) this.#backUs[lane.place] = atUs;
    this.#bin(atUs, 'back');
  }

  data(): RecoveryData {
    return {
      ...this.#counts,
      gap: this.#gap.data(),
      backUs: this.#backUs.filter((atUs) => atUs !== notBack),
      windows: { ...this.#windows },
      closes: this.#closes.records.map((close) => ({ ...close })),
      bins: [...this.#bins.values()].sort((a, b) => a.bin - b.bin).map((bin) => ({ ...bin })),
    };
  }

  #miss(lane: Lane, lostUs: number, atUs: number): void {
    const before = this.#outages.get(lane.place);
    if (before?.isAway) return;
    const wasStable = lostUs - lane.openedUs >= stableUs;
    const step = wasStable ? 0 : (before?.step ?? 0);
    const outage: Outage = { lostUs, attempts: 0, step, window: undefined, isAway: true };
    if (lane.drain) {
      const { toldUs, minMs, maxMs } = lane.drain;
      outage.window = { fromUs: toldUs + minMs * 1000, toUs: toldUs + maxMs * 1000 };
      this.#noteWindow(minMs, maxMs);
    }
    this.#outages.set(lane.place, outage);
    this.#counts.lost++;
    this.#counts.away++;
    this.#counts.firstLostUs = Math.min(this.#counts.firstLostUs, lostUs);
    if (this.#plan.isStorm) this.#backUs[lane.place] = notBack;
    this.#bin(lostUs, 'lost');
    this.#schedule(lane.place, outage, atUs);
  }

  #schedule(place: number, outage: Outage, atUs: number): void {
    const { window, step } = outage;
    this.#due.add(place, nextAttemptUs(this.#plan.policy, atUs, step, window, this.#random()));
    // Whoever comes when the server said did nothing wrong: the backoff does not grow.
    if (!window || window.toUs === Number.POSITIVE_INFINITY) outage.step++;
  }

  #noteWindow(minMs: number, maxMs: number | undefined): void {
    const windows = this.#windows;
    windows.given++;
    windows.minMs = Math.min(windows.minMs, minMs);
    windows.maxMs = Math.max(windows.maxMs, maxMs ?? minMs);
  }

  #bin(atUs: number, what: 'lost' | 'attempts' | 'back'): void {
    const bin = Math.floor((atUs - this.#originUs) / binUs);
    const known = this.#bins.get(bin);
    if (known) known[what]++;
    else if (this.#bins.size < mostBins)
      this.#bins.set(bin, { bin, lost: 0, attempts: 0, back: 0, [what]: 1 });
    else this.#counts.cut = true;
  }
}
