// Closed model: the next message leaves when a reply came.
import type { Lane } from '../lane.ts';
import type { Traffic, UnsentReason } from '../traffic.ts';
import type { Executor, Window } from './executor.ts';

const settled = Promise.resolve();

/**
 * Keeps `depth` messages in flight on every connection. A slot is free again when its message was answered or lost.
 * Slots that come free in one turn of the event loop are filled with one write per connection.
 */
export class ClosedExecutor implements Executor {
  readonly #windows: Window[];
  readonly #lanes: readonly Lane[];
  readonly #traffic: Traffic;
  /** Free slots per connection, and the connections that have some. */
  readonly #free: Int32Array;
  #ready: Int32Array;
  #readyCount: number;
  /** What {@link #ready} was, to be used again. */
  #spare: Int32Array;
  #scheduled = false;
  readonly #clock: () => number;

  constructor(
    depth: number,
    windows: readonly Window[],
    lanes: readonly Lane[],
    traffic: Traffic,
    clock: () => number,
  ) {
    this.#windows = [...windows];
    this.#lanes = lanes;
    this.#traffic = traffic;
    this.#clock = clock;
    this.#free = new Int32Array(lanes.length).fill(depth);
    this.#ready = Int32Array.from(lanes, (lane) => lane.index);
    this.#readyCount = lanes.length;
    this.#spare = new Int32Array(lanes.length);
    traffic.onSettled = (connection) => this.#settled(connection);
    traffic.onReadEnd = this.#refill;
  }

  get nextDueUs(): number {
    return this.done ? Number.POSITIVE_INFINITY : this.#clock();
  }

  get done(): boolean {
    return this.#windows.length === 0;
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
    // Only connections that could take no more wait for a tick; replies fill all others.
    return window.endUs;
  }

  /** What is in flight when a window ends stays so, and keeps its slot. */
  #windowAt(atUs: number): Window | undefined {
    while (this.#windows[0] && atUs >= this.#windows[0].endUs) this.#windows.shift();
    const [window] = this.#windows;
    return window && atUs >= window.startUs ? window : undefined;
  }

  #settled(connection: number): void {
    const free = (this.#free[connection] ?? 0) + 1;
    this.#free[connection] = free;
    if (free === 1) this.#ready[this.#readyCount++] = connection;
    if (this.#scheduled || this.done) return;
    this.#scheduled = true;
    // After all messages of this read were handled: their answers' successors go out with one write. Where no driver tells of
    // that, a promise's reaction does, because queueMicrotask makes three objects a call.
    if (!this.#traffic.isReading) void settled.then(this.#refill);
  }

  readonly #refill = (): void => {
    if (!this.#scheduled) return;
    this.#scheduled = false;
    const atUs = this.#clock();
    const window = this.#windowAt(atUs);
    if (window) this.#fill(atUs, window);
  };

  #fill(atUs: number, window: Window): void {
    const ready = this.#ready;
    const count = this.#readyCount;
    this.#ready = this.#spare;
    this.#spare = ready;
    this.#readyCount = 0;
    for (let i = 0; i < count; i++) {
      const connection = ready[i] ?? 0;
      const lane = this.#lanes[connection] as Lane;
      let free = this.#free[connection] ?? 0;
      let refusal: UnsentReason | undefined;
      while (free > 0 && refusal === undefined) {
        refusal = this.#traffic.offer(lane, atUs, window.kind);
        if (refusal === undefined) free--;
      }
      this.#free[connection] = free;
      // One that is over, or about to be, will never take more; one that is full may, at the next tick. Nothing was
      // scheduled, so nothing is unsent.
      if (free > 0 && refusal !== 'connection not open') this.#ready[this.#readyCount++] = connection;
    }
    // With several connections the clock has moved on meanwhile.
    if (count === 1) this.#traffic.flush(atUs);
    else this.#traffic.flush();
  }
}
