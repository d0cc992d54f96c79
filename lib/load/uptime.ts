// How much of the connection time that was asked for was there.

/** When the measure phase is; infinite before that is known. */
export interface MeasurePhase {
  readonly startUs: number;
  readonly endUs: number;
}

/** Adds up connections × time in the measure phase: those that were asked for, and those of them that were open. */
export class Uptime {
  readonly #phase: MeasurePhase;
  #asked: number;
  #open = 0;
  #askedUs = 0;
  #openUs = 0;
  #atUs = 0;

  /** @param asked connections that are asked for */
  constructor(asked: number, phase: MeasurePhase) {
    this.#asked = asked;
    this.#phase = phase;
  }

  get asked(): number {
    return this.#asked;
  }

  /** From `atUs` on so many are asked for. */
  ask(asked: number, atUs: number): void {
    this.#pass(atUs);
    this.#asked = asked;
  }

  /** From `atUs` on so many more of them are open. */
  add(open: number, atUs: number): void {
    this.#pass(atUs);
    this.#open += open;
  }

  at(atUs: number): { openUs: number; askedUs: number } {
    this.#pass(atUs);
    return { openUs: this.#openUs, askedUs: this.#askedUs };
  }

  #pass(atUs: number): void {
    const fromUs = Math.max(this.#atUs, this.#phase.startUs);
    const toUs = Math.min(atUs, this.#phase.endUs);
    if (toUs > fromUs) {
      this.#openUs += (toUs - fromUs) * this.#open;
      this.#askedUs += (toUs - fromUs) * this.#asked;
    }
    this.#atUs = Math.max(this.#atUs, atUs);
  }
}
