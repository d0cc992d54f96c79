// Costly work of all connections, a little of it in every turn of the event loop.
import type { Clock } from './clock.ts';

/** Runs jobs first come, first served, and lets everything else of the process have its turn in between. */
export class Turns {
  readonly #maxTurnMs: number;
  readonly #clock: Clock;
  #jobs: (() => void)[] = [];

  /** @param maxTurnMs after so long no other job is begun in the same turn */
  constructor(maxTurnMs: number, clock: Clock) {
    this.#maxTurnMs = maxTurnMs;
    this.#clock = clock;
  }

  /** Runs `job`, which must not throw, in one of the next turns. */
  run(job: () => void): void {
    this.#jobs.push(job);
    if (this.#jobs.length === 1) setImmediate(() => this.#turn());
  }

  #turn(): void {
    const endsMs = this.#clock.nowMs() + this.#maxTurnMs;
    const jobs = this.#jobs;
    // What jobs add goes behind what waits already.
    this.#jobs = [];
    let done = 0;
    while (done < jobs.length && (done === 0 || this.#clock.nowMs() < endsMs)) jobs[done++]?.();
    this.#jobs = [...jobs.slice(done), ...this.#jobs];
    if (this.#jobs.length > 0) setImmediate(() => this.#turn());
  }
}
