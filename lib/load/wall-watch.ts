// Whether somebody set the wall clock while a run lasted.
import { formatDuration } from '../duration.ts';
import type { Warning } from '../result/result.ts';

// Clocks that are slewed move by 0.5 ms a second; less than this is no step.
const leastStepMs = 250;
const shownSteps = 4;

/** A wall clock and one that nobody can set, both in ms. */
export interface Clocks {
  wallMs: () => number;
  steadyMs: () => number;
}

const systemClocks: Clocks = { wallMs: () => Date.now(), steadyMs: () => performance.now() };

/** Notices steps of the wall clock between its looks. A machine that slept is no different from one whose clock was set. */
export class WallWatch {
  readonly #clocks: Clocks;
  readonly #stepsMs: number[] = [];
  #offsetMs: number;

  constructor(clocks = systemClocks) {
    this.#clocks = clocks;
    this.#offsetMs = this.#read();
  }

  look(): void {
    let offsetMs = this.#read();
    // Whoever is held up between both clocks reads a step that is none: the second reading decides.
    if (this.#isStep(offsetMs)) offsetMs = this.#read();
    if (this.#isStep(offsetMs) && this.#stepsMs.length <= shownSteps)
      this.#stepsMs.push(offsetMs - this.#offsetMs);
    this.#offsetMs = offsetMs;
  }

  /** What is to be said of it at the end of a run. */
  get warning(): Warning | undefined {
    const steps = this.#stepsMs.map((ms) => `${ms < 0 ? '−' : '+'}${formatDuration(Math.abs(ms))}`);
    if (steps.length === 0) return undefined;
    const shown = steps.length > shownSteps ? [...steps.slice(0, shownSteps), '…'] : steps;
    const message =
      `the wall clock was set during the run (${shown.join(', ')}): the time of day named here may be wrong; ` +
      'durations and latencies are not, they come from a clock that nobody sets';
    return { code: 'clock-set', message };
  }

  #isStep(offsetMs: number): boolean {
    return Math.abs(offsetMs - this.#offsetMs) >= leastStepMs;
  }

  #read(): number {
    return this.#clocks.wallMs() - this.#clocks.steadyMs();
  }
}
