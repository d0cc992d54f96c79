// Which phase a run is in, since when, and how long each has lasted.
import type { Phase } from '../result/events.ts';
import type { Phases } from '../result/result.ts';

/** One phase follows another; times in µs on the clock of the run. */
export class PhaseClock {
  phase: Phase = 'connect';
  sinceUs: number;
  readonly #lasted: Phases = { connectMs: 0, settleMs: 0, warmupMs: 0, measureMs: 0, drainMs: 0 };

  constructor(startUs: number) {
    this.sinceUs = startUs;
  }

  /** The phase ends, and the next one begins; undefined: there is none. */
  enter(phase: Phase | undefined, atUs: number): void {
    this.#lasted[`${this.phase}Ms`] += this.#passedMs(atUs);
    this.sinceUs = atUs;
    if (phase !== undefined) this.phase = phase;
  }

  /** How long each has lasted, the present one until then. */
  lastedUntil(atUs: number): Phases {
    const name = `${this.phase}Ms` as const;
    return { ...this.#lasted, [name]: this.#lasted[name] + this.#passedMs(atUs) };
  }

  #passedMs(atUs: number): number {
    return Math.max(0, atUs - this.sinceUs) / 1000;
  }
}
