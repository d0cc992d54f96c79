// Open model: messages leave by schedule, whatever the replies do.
import { nowUs } from '../clock.ts';
import type { Lane } from '../lane.ts';
import type { Schedule } from '../schedule.ts';
import type { Traffic } from '../traffic.ts';
import type { Executor, Window } from './executor.ts';

// A generator that is asked for more than it can do must still read replies and hear a signal: each turn would otherwise
// find more messages due than the last. It looks at the clock every so many messages.
const mostTurnUs = 50_000;
const messagesPerLook = 64;

/**
 * Sends the messages of a schedule, counted from its window's start. What is due at one tick is queued first and then
 * written, one call per connection. A late message keeps the time it was due.
 */
export class OpenExecutor implements Executor {
  readonly #schedule: Schedule;
  readonly #window: Window;
  readonly #lanes: readonly Lane[];
  readonly #traffic: Traffic;

  /** @param lanes the connection that each index of the schedule stands for */
  constructor(schedule: Schedule, window: Window, lanes: readonly Lane[], traffic: Traffic) {
    this.#schedule = schedule;
    this.#window = window;
    this.#lanes = lanes;
    this.#traffic = traffic;
  }

  get nextDueUs(): number {
    return this.#window.startUs + this.#schedule.offsetUs;
  }

  get done(): boolean {
    return this.#schedule.offsetUs === Number.POSITIVE_INFINITY;
  }

  get endUs(): number {
    return this.#window.endUs;
  }

  endAt(endUs: number): void {
    this.#schedule.endAt(endUs - this.#window.startUs);
  }

  stop(): void {
    this.#schedule.stop();
  }

  tick(atUs: number): number {
    const turnEndUs = nowUs() + mostTurnUs;
    const schedule = this.#schedule;
    const { startUs, kind } = this.#window;
    for (let sent = 1; startUs + schedule.offsetUs <= atUs; sent++) {
      this.#traffic.send(this.#lanes[schedule.index] as Lane, startUs + schedule.offsetUs, kind);
      schedule.next();
      if (sent % messagesPerLook === 0 && nowUs() > turnEndUs) break;
    }
    this.#traffic.flush();
    return this.nextDueUs;
  }
}
