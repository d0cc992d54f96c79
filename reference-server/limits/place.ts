// A connection's place in the limits: the key that it counts under, and its bucket.
import type { Clock } from '../clock.ts';
import type { TokenBucket } from './bucket.ts';
import type { Entered, SharedLimits } from './shared.ts';

export class Place {
  readonly bucket: TokenBucket | undefined;
  readonly #limits: SharedLimits;
  readonly #clock: Clock;
  #key: string;
  #isLeft = false;

  constructor(limits: SharedLimits, clock: Clock, key: string, bucket: TokenBucket | undefined) {
    this.#limits = limits;
    this.#clock = clock;
    this.#key = key;
    this.bucket = bucket;
  }

  /**
   * Moves to another key, as AUTH does from the IP to the `sub`. The bucket goes on with the stricter of itself and what waits under
   * the new key; a copy waits under the old one. So neither AUTH after an anonymous burst, nor an anonymous connection after that,
   * finds a fuller bucket than it left.
   */
  move(key: string): Entered | Promise<Entered> {
    const entered = this.#limits.enter(key, this.bucket !== undefined);
    return entered instanceof Promise
      ? entered.then((each) => this.#arrive(key, each))
      : this.#arrive(key, entered);
  }

  /** Gives the place back, once. */
  leave(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#limits.leave(this.#key, this.bucket);
  }

  #arrive(key: string, entered: Entered): Entered {
    if (!entered.ok) return entered;
    if (this.#isLeft) {
      // The connection ended on the way.
      this.#limits.leave(key, entered.bucket);
      return entered;
    }
    this.#limits.leave(this.#key, this.bucket?.copy());
    if (entered.bucket) this.bucket?.merge(entered.bucket, this.#clock.nowMs());
    this.#key = key;
    return entered;
  }
}
