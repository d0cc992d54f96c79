// One timer for everything that a run has to do in time.
import { nowUs } from './clock.ts';

// Waiting conditions and overdue messages are looked at this often when nothing is due before.
const mostUs = 20_000;
// Timers may be this late; what is due sooner is waited for by looking at the clock.
const timerUs = 2000;
// So short a time is not worth another turn of the event loop.
const turnUs = 15;

/**
 * Calls `work` when something is due. Self-correcting: each wait is computed from the clock, so that a late timer
 * delays nothing but itself. Timers have a granularity of 1 ms; whatever became due meanwhile is done at once.
 *
 * One that spins does not wait for timers when something is due soon: it looks at the clock over and over, and between the
 * looks lets the event loop turn, so that replies are read and signals heard.
 */
export class Ticker {
  readonly #work: (atUs: number) => number;
  readonly #spins: boolean;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #waiters: { until: (atUs: number) => boolean; resolve: () => void }[] = [];
  #onError: ((error: unknown) => void) | undefined;
  #running = false;
  #dueUs = Number.POSITIVE_INFINITY;

  /**
   * @param work does what is due and returns when something is due next, in µs
   * @param spins is exact to microseconds, for the price of a whole core
   */
  constructor(work: (atUs: number) => number, spins = false) {
    this.#work = work;
    this.#spins = spins;
  }

  /** @param onError is told what `work` throws; the ticking goes on */
  start(onError: (error: unknown) => void): void {
    this.#running = true;
    this.#onError = onError;
    this.wake();
  }

  stop(): void {
    this.#running = false;
    this.#disarm();
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
    if (!this.#running) return;
    const atUs = nowUs();
    // Not when it will look soon anyway: many changes in a row must not put that off.
    if (this.#dueUs > atUs + 1000) this.#arm(atUs + (this.#spins ? 0 : 1000), atUs);
  }

  #arm(dueUs: number, atUs: number): void {
    this.#disarm();
    this.#dueUs = Math.min(dueUs, atUs + mostUs);
    const waitUs = this.#dueUs - atUs;
    if (this.#spins && waitUs < timerUs) {
      this.#turn = setImmediate(this.#look);
      return;
    }
    // Down, not to the nearest: a timer that is early only looks again, one that is late is send lag.
    const ms = Math.floor((this.#spins ? waitUs - 1000 : waitUs) / 1000);
    this.#timer = setTimeout(this.#tick, Math.max(1, ms));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
    this.#dueUs = Number.POSITIVE_INFINITY;
  }

  readonly #look = (): void => {
    const leftUs = this.#dueUs - nowUs();
    if (leftUs > turnUs) {
      this.#turn = setImmediate(this.#look);
      return;
    }
    while (nowUs() < this.#dueUs);
    this.#tick();
  };

  readonly #tick = (): void => {
    this.#disarm();
    let nextUs = 0;
    try {
      nextUs = this.#work(nowUs());
    } catch (error) {
      // The clock goes on, or whoever waits for a condition would wait for ever.
      this.#onError?.(error);
    }
    const atUs = nowUs();
    if (this.#waiters.length > 0) {
      const ready = this.#waiters.filter((waiter) => waiter.until(atUs));
      if (ready.length > 0) {
        this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
        for (const waiter of ready) waiter.resolve();
      }
    }
    if (this.#running) this.#arm(nextUs, atUs);
  };
}
