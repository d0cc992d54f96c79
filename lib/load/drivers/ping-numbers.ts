// Pings that carry numbers, held below what peers take: the ws package hangs up on the 61st that it has not answered.

const mostUnanswered = 50;

/**
 * The numbered pings of one connection. A pong answers all pings before it, so that one that is held back can be left out when
 * a later one is sent.
 */
export class PingNumbers {
  readonly #unanswered: number[] = [];
  #held = -1;

  /** True: a ping with this number may be sent now. False: it is held back, in place of those held back before it. */
  take(number: number): boolean {
    if (this.#unanswered.length >= mostUnanswered) {
      this.#held = number;
      return false;
    }
    this.#unanswered.push(number);
    return true;
  }

  /** A pong came; returns the number of a ping that is to be sent now, -1 for none. */
  answered(number: number): number {
    const left = this.#unanswered.findIndex((each) => each > number);
    if (left !== 0) this.#unanswered.splice(0, left < 0 ? this.#unanswered.length : left);
    const held = this.#held;
    if (held < 0 || this.#unanswered.length >= mostUnanswered) return -1;
    this.#held = -1;
    this.#unanswered.push(held);
    return held;
  }
}
