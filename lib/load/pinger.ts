// Ping frames under load: a sample of their round trips, whatever the number of connections.
import type { Lane } from './lane.ts';

const everyUs = 1e6;
// A sample is enough, and thousands of connections must not turn pings into a second load.
const mostPerSecond = 50;
// A target that stalls must not find a heap of pings when it goes on.
const mostInWaiting = 50;

/** Pings each connection once a second at most, all together 50 a second over all workers, with 50 unanswered at most. */
export class Pinger {
  readonly #perSecond: number;
  readonly #mostWaiting: number;
  #next = 0;
  #budget = 1;
  #atUs = 0;
  #waiting = 0;

  /** @param workers that share the run, and its pings */
  constructor(workers: number) {
    this.#perSecond = mostPerSecond / workers;
    this.#mostWaiting = Math.ceil(mostInWaiting / workers);
  }

  start(atUs: number): void {
    this.#atUs = atUs;
  }

  /** Sends the pings that are due. */
  tick(atUs: number, lanes: readonly Lane[]): void {
    const passedUs = atUs - this.#atUs;
    this.#atUs = atUs;
    this.#budget = Math.min(
      Math.max(1, this.#perSecond / 5),
      this.#budget + (passedUs * this.#perSecond) / 1e6,
    );
    for (let tried = 0; this.#budget >= 1 && tried < lanes.length; tried++) {
      if (this.#waiting >= this.#mostWaiting) return;
      const lane = lanes[this.#next % lanes.length] as Lane;
      // Slow consumers would time themselves.
      const isAsked = lane.isOpen && !lane.isSlow && !lane.isPinged;
      if (isAsked && atUs - lane.pingedUs < everyUs) return;
      this.#next = (this.#next + 1) % lanes.length;
      if (!isAsked) continue;
      lane.pingedUs = atUs;
      lane.isPinged = true;
      this.#waiting++;
      this.#budget--;
      lane.ping();
    }
  }

  /** The ping of a connection was answered, or never will be. */
  settled(lane: Lane): void {
    if (!lane.isPinged) return;
    lane.isPinged = false;
    this.#waiting--;
  }
}
