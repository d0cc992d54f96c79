// How long a load waits for a peer that says nothing: shorter each time that it was in vain.
const longestMs = 20_000;
const shortestMs = 1000;
const looksPerWait = 8;

/** Shared by all cases against one server. */
export class Patience {
  readonly #timeScale: number;
  #ms = longestMs;
  /** Changes whenever anything comes. */
  #rewards = 0;

  constructor(timeScale: number) {
    this.#timeScale = timeScale;
  }

  /** Something came, on whatever connection. */
  rewarded(): void {
    this.#rewards++;
  }

  /** A load was answered as it should be: the next one is waited for as long as the first. */
  restored(): void {
    this.#ms = longestMs;
  }

  /**
   * Calls back once when nothing came and nothing left for too long.
   *
   * @param waiting bytes that are still to leave: as long as they become fewer, the peer reads
   * @returns what ends the watch
   */
  watch(waiting: () => number, givenUp: (ms: number) => void): () => void {
    const lookMs = (this.#ms * this.#timeScale) / looksPerWait;
    let looks = 0;
    let rewards = this.#rewards;
    let left = waiting();
    const timer = setInterval(() => {
      const now = waiting();
      const isIdle = rewards === this.#rewards && now === left;
      looks = isIdle ? looks + 1 : 0;
      rewards = this.#rewards;
      left = now;
      if (looks < looksPerWait) return;
      clearInterval(timer);
      const ms = lookMs * looksPerWait;
      this.#ms = Math.max(shortestMs, this.#ms / 2);
      givenUp(ms);
    }, lookMs);
    return () => clearInterval(timer);
  }
}
