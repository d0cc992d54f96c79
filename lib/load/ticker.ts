// One timer for everything that a run has to do in time.
import { nowUs } from './clock.ts';

// Waiting conditions and overdue messages are looked at this often when nothing is due before.
const mostMs = 20;

/**
 * Calls `work` when something is due. Self-correcting: each wait is computed from the clock, so that a late timer
 * delays nothing but itself. Timers have a granularity of 1 ms; whatever became due meanwhile is done at once.
 */
export class Ticker {
  readonly #work: (atUs: number) => number;
  #timer: NodeJS.Timeout | undefined;
  #waiters: { until: (atUs: number) => boolean; resolve: () => void }[] = [];
  #reject: ((error: unknown) => void) | undefined;
  #running = false;
  #soon = false;

  /** @param work does what is due and returns when something is due next, in µs */
  constructor(work: (atUs: number) => number) {
    this.#work = work;
  }

  start(onError: (error: unknown) => void): void {
    this.#running = true;
    this.#reject = onError;
    this.wake();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Resolves at the first tick at which the condition holds. */
  until(condition: (atUs: number) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ until: condition, resolve });
      this.wake();
    });
  }

  /** Looks again soon: something changed. */
  wake(): void {
    // Not when it will look soon anyway: many changes in a row must not put that off.
    if (this.#running && !this.#soon) this.#arm(1);
  }

  #arm(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#soon = delayMs <= 1;
    this.#timer = setTimeout(this.#tick, delayMs);
  }

  readonly #tick = (): void => {
    this.#soon = false;
    try {
      const nextUs = this.#work(nowUs());
      const atUs = nowUs();
      const ready = this.#waiters.filter((waiter) => waiter.until(atUs));
      if (ready.length > 0) {
        this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
        for (const waiter of ready) waiter.resolve();
      }
      // Down, not to the nearest: a timer that is early only looks again, one that is late is send lag.
      if (this.#running) this.#arm(Math.max(1, Math.min(mostMs, Math.floor((nextUs - atUs) / 1000))));
    } catch (error) {
      this.stop();
      this.#reject?.(error);
    }
  };
}
