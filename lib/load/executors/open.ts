// Open model: messages leave by schedule, whatever the replies do.
import { nowUs } from '../clock.ts';
import type { Lane } from '../lane.ts';
import type { Pacer } from '../pacer.ts';
import { type Part, whole } from '../part.ts';
import type { Traffic } from '../traffic.ts';
import type { Executor, Window } from './executor.ts';

// A generator that is asked for more than it can do must still read replies and hear a signal: each turn would otherwise
// find more messages due than the last. It looks at the clock every so many messages.
const mostTurnUs = 50_000;
const messagesPerLook = 64;

/**
 * Message k is due at `pacer(k)` after the window's start, on connection k mod C. What is due at one tick is queued
 * first and then written, one call per connection. A late message keeps the time it was due.
 */
export class OpenExecutor implements Executor {
  readonly #pacer: Pacer;
  readonly #window: Window;
  readonly #lanes: readonly Lane[];
  readonly #traffic: Traffic;
  readonly #part: Part;
  readonly #connections: number;
  #k: number;
  #offsetUs: number;

  constructor(
    pacer: Pacer,
    window: Window,
    lanes: readonly Lane[],
    traffic: Traffic,
    part: Part = whole,
    connections: number = lanes.length,
  ) {
    this.#pacer = pacer;
    this.#window = window;
    this.#lanes = lanes;
    this.#traffic = traffic;
    this.#part = part;
    this.#connections = connections;
    this.#k = part.worker;
    this.#offsetUs = pacer(this.#k);
  }

  get nextDueUs(): number {
    return this.done ? Number.POSITIVE_INFINITY : this.#window.startUs + this.#offsetUs;
  }

  get done(): boolean {
    // A nanosecond's grace keeps k/R = D out of the window where floating point puts it just below.
    return this.#offsetUs >= this.#window.endUs - this.#window.startUs - 0.001;
  }

  stop(): void {
    this.#offsetUs = Number.POSITIVE_INFINITY;
  }

  /** The next message that is due on a connection of ours. */
  #next(): number {
    const { worker, workers } = this.#part;
    const at = this.#k % this.#connections;
    this.#k += at + workers < this.#connections ? workers : this.#connections - at + worker;
    return this.#k;
  }

  tick(atUs: number): number {
    const turnEndUs = nowUs() + mostTurnUs;
    let sent = 0;
    for (let dueUs = this.nextDueUs; dueUs <= atUs; dueUs = this.nextDueUs) {
      this.#traffic.send(
        this.#lanes[Math.floor((this.#k % this.#connections) / this.#part.workers)] as Lane,
        dueUs,
        this.#window.kind,
      );
      this.#offsetUs = this.#pacer(this.#next());
      if (++sent % messagesPerLook === 0 && nowUs() > turnEndUs) break;
    }
    this.#traffic.flush();
    return this.nextDueUs;
  }
}
