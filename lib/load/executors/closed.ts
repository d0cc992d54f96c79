// Closed model: the next message leaves when a reply came.
import { Agenda } from '../agenda.ts';
import type { Lane } from '../lane.ts';
import { kinds } from '../ledger.ts';
import type { ThinkTime } from '../think-time.ts';
import type { Traffic, UnsentReason } from '../traffic.ts';
import type { Executor, Window } from './executor.ts';

const settled = Promise.resolve();

/** What a closed loop is made of. */
export interface ClosedPlan {
  /** Messages in flight per connection. */
  depth: number;
  windows: readonly Window[];
  /** Pause before the next message; undefined: none. */
  thinkTime?: ThinkTime | undefined;
  /** Measured messages after which it ends; Infinity: the windows say. */
  messages?: number;
  clock: () => number;
  /** Something is due before {@link ClosedExecutor.tick} said. */
  wake?: () => void;
  /** The last of the {@link messages} was sent. */
  onLast?: (atUs: number) => void;
}

/**
 * Keeps `depth` messages in flight on every connection that is in service. A message's place is free again when it was
 * answered or lost, and the think time is over. Places that come free in one turn of the event loop are filled with one write
 * per connection.
 */
export class ClosedExecutor implements Executor {
  readonly #depth: number;
  readonly #windows: Window[];
  readonly #traffic: Traffic;
  readonly #thinkTime: ThinkTime | undefined;
  readonly #clock: () => number;
  readonly #wake: (() => void) | undefined;
  readonly #onLast: ((atUs: number) => void) | undefined;
  #left: number;
  /** Connections that may take a message: the first so many of the list; and a list to be used next. */
  #ready: Lane[] = [];
  #readyCount = 0;
  #spare: Lane[] = [];
  #scheduled = false;
  /** Connections that pause, once for each message that is to follow. */
  readonly #thinking = new Agenda<Lane>();
  /** Pauses that each place has made. */
  readonly #thoughts: number[] = [];

  constructor(plan: ClosedPlan, lanes: readonly Lane[], traffic: Traffic) {
    this.#depth = plan.depth;
    this.#windows = [...plan.windows];
    this.#traffic = traffic;
    this.#thinkTime = plan.thinkTime;
    this.#clock = plan.clock;
    this.#wake = plan.wake;
    this.#onLast = plan.onLast;
    this.#left = plan.messages ?? Number.POSITIVE_INFINITY;
    for (const lane of lanes) if (lane.isUp) this.#add(lane);
    traffic.onSettled = (connection) => this.#settled(connection);
    traffic.onReadEnd = this.#refill;
  }

  get nextDueUs(): number {
    return this.done ? Number.POSITIVE_INFINITY : this.#clock();
  }

  get done(): boolean {
    return this.#windows.length === 0;
  }

  /** A connection is in service: it gets its messages. */
  up(lane: Lane): void {
    this.#add(lane);
    this.#schedule(false);
  }

  stop(): void {
    this.#windows.length = 0;
    this.#traffic.onSettled = undefined;
    this.#traffic.onReadEnd = undefined;
  }

  tick(atUs: number): number {
    const window = this.#windowAt(atUs);
    if (!window) return Number.POSITIVE_INFINITY;
    this.#fill(atUs, window);
    // Only connections that could take no more, and those that think, wait for a tick; replies fill all others.
    return Math.min(window.endUs, this.#thinking.nextUs);
  }

  /** What is in flight when a window ends stays so, and keeps its place. */
  #windowAt(atUs: number): Window | undefined {
    while (this.#windows[0] && atUs >= this.#windows[0].endUs) this.#windows.shift();
    const [window] = this.#windows;
    return window && atUs >= window.startUs ? window : undefined;
  }

  #settled(connection: number): void {
    const lane = this.#traffic.lanes[connection];
    if (!lane || this.done) return;
    if (this.#thinkTime) this.#think(lane, this.#thinkTime);
    else {
      this.#add(lane);
      this.#schedule(this.#traffic.isReading);
    }
  }

  #think(lane: Lane, thinkTime: ThinkTime): void {
    const count = this.#thoughts[lane.place] ?? 0;
    this.#thoughts[lane.place] = count + 1;
    const dueUs = this.#clock() + thinkTime(lane.number, count);
    const isFirst = dueUs < this.#thinking.nextUs;
    lane.thinking++;
    this.#thinking.add(dueUs, lane);
    if (isFirst) this.#wake?.();
  }

  #add(lane: Lane): void {
    if (lane.isReady) return;
    lane.isReady = true;
    this.#ready[this.#readyCount++] = lane;
  }

  #schedule(isReading: boolean): void {
    if (this.#scheduled || this.done) return;
    this.#scheduled = true;
    // After all messages of this read were handled: their answers' successors go out with one write. Where no driver tells of
    // that, a promise's reaction does, because queueMicrotask makes three objects a call.
    if (!isReading) void settled.then(this.#refill);
  }

  readonly #refill = (): void => {
    if (!this.#scheduled) return;
    this.#scheduled = false;
    const atUs = this.#clock();
    const window = this.#windowAt(atUs);
    if (window) this.#fill(atUs, window);
  };

  #fill(atUs: number, window: Window): void {
    for (let lane = this.#thinking.take(atUs); lane; lane = this.#thinking.take(atUs)) {
      lane.thinking--;
      this.#add(lane);
    }
    const ready = this.#ready;
    const count = this.#readyCount;
    this.#ready = this.#spare;
    this.#spare = ready;
    this.#readyCount = 0;
    for (let i = 0; i < count; i++) {
      const lane = ready[i] as Lane;
      lane.isReady = false;
      let refusal: UnsentReason | undefined;
      while (
        refusal === undefined &&
        lane.isUp &&
        lane.outstanding + lane.thinking < this.#depth &&
        this.#left > 0
      ) {
        refusal = this.#traffic.offer(lane, atUs, window.kind);
        if (refusal === undefined && window.kind === kinds.measured) this.#left--;
      }
      // One that is over, or about to be, will never take more; one that is full may, at the next tick. Nothing was
      // scheduled, so nothing is unsent.
      if (refusal !== undefined && refusal !== 'connection not open') this.#add(lane);
    }
    // With several connections the clock has moved on meanwhile.
    if (count === 1) this.#traffic.flush(atUs);
    else this.#traffic.flush();
    if (this.#left === 0) this.#end(atUs);
  }

  #end(atUs: number): void {
    this.stop();
    this.#onLast?.(atUs);
  }
}
