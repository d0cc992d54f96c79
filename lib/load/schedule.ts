// Which message is due when on which connection: one schedule that all workers of a run share. Pure.
import type { Step } from './course.ts';
import type { Pacer } from './pacer.ts';
import type { Part } from './part.ts';

const notDue = Number.POSITIVE_INFINITY;

/** What a schedule is made from. */
export interface ScheduleParts {
  pacer: Pacer;
  /** How many connections are asked for, from when on; the first step is at 0. */
  steps: readonly Step[];
  /** Messages that are due before it are another schedule's; 0 by default. */
  fromUs?: number;
  /** How long it lasts, in µs. */
  lengthUs: number;
  /** The most messages; Infinity: as many as are due. */
  messages: number;
  part: Part;
}

/**
 * Walks through the messages of a schedule. They go round the connections that are asked for when they are due: to the one
 * after that of the message before, and to the first after the last. With a constant number C of connections message k
 * goes to connection k mod C. Neither replies nor the number of workers have a say in it.
 */
export class Schedule {
  /** When the next message of the own part is due, in µs after the start; Infinity: there is none. */
  offsetUs = 0;
  /** The connection that it is due on: its index within the part; -1: none. */
  index = -1;

  readonly #pacer: Pacer;
  readonly #steps: readonly Step[];
  #endUs: number;
  readonly #messages: number;
  readonly #part: Part;
  #k = 0;
  #last = -1;
  #step = 0;
  #asked: number;
  /** When the next step begins; NaN, which no time is after: there is none. */
  #changeUs: number;

  constructor({ pacer, steps, fromUs = 0, lengthUs, messages, part }: ScheduleParts) {
    this.#pacer = pacer;
    this.#steps = steps;
    // A nanosecond's grace keeps k/R = D out of the window where floating point puts it just below.
    this.#endUs = lengthUs - 0.001;
    this.#messages = messages;
    this.#part = part;
    this.#asked = steps[0]?.count ?? 0;
    this.#changeUs = steps[1]?.atUs ?? Number.NaN;
    do this.next();
    while (this.offsetUs < fromUs);
  }

  /** Goes on to the next message of the own part. */
  next(): void {
    const { worker, workers } = this.#part;
    let offsetUs = 0;
    do {
      const dueUs = this.#k < this.#messages ? this.#pacer(this.#k++) : notDue;
      // No branch of its own: the end would be compiled anew when it comes, among messages that are due.
      offsetUs = dueUs < this.#endUs ? dueUs : notDue;
      if (offsetUs >= this.#changeUs) this.#change(offsetUs);
      const after = this.#last + 1;
      this.#last = after < this.#asked ? after : 0;
    } while (workers > 1 && this.#last % workers !== worker && offsetUs < this.#endUs);
    this.offsetUs = offsetUs;
    const index = workers === 1 ? this.#last : (this.#last - worker) / workers;
    this.index = offsetUs < this.#endUs ? index : -1;
  }

  /** Nothing is due from `offsetUs` on. */
  endAt(offsetUs: number): void {
    this.#endUs = Math.min(this.#endUs, offsetUs);
    if (this.offsetUs >= this.#endUs) this.stop();
  }

  /** Ends it now. */
  stop(): void {
    this.offsetUs = notDue;
    this.index = -1;
  }

  #change(atUs: number): void {
    while (this.#changeUs <= atUs) {
      this.#asked = this.#steps[++this.#step]?.count ?? this.#asked;
      this.#changeUs = this.#steps[this.#step + 1]?.atUs ?? Number.NaN;
    }
  }
}
