// Many deadlines on one timer: a timer of its own for each would cost a connection more memory than its state.
import type { Clock } from './clock.ts';

/** Where an alarm is that is in no queue, and one that is about to ring. */
const idle = -1;
const ringing = -2;

/** Something that is due at most once at a time. It lies in the queue itself, so that being due needs no other object. */
export abstract class Alarm {
  /** When it rings, on the monotonic clock, if it is set. */
  dueMs = 0;
  /** Its place in the queue of {@link Alarms}, which alone changes it. */
  place = idle;

  /** Its time has come. It is not set any more, and may be set again. */
  abstract ring(): void;
}

/** Rings alarms at their time. A binary heap: setting and cancelling cost log n. */
export class Alarms {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #heap: Alarm[] = [];
  #timerAtMs = Number.POSITIVE_INFINITY;
  #stopTimer: () => void = () => {};
  #isRinging = false;

  /** @param graceMs how late alarms may ring, so that those of some time ring together: waking up costs more than ringing */
  constructor(clock: Clock, graceMs = 1) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Alarms that are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** Sets an alarm, or sets it anew. One that is due already rings when the event loop has read what arrived. */
  set(alarm: Alarm, dueMs: number): void {
    this.#remove(alarm);
    alarm.dueMs = dueMs;
    this.#rise(alarm, this.#heap.length);
    this.#arm();
  }

  cancel(alarm: Alarm): void {
    this.#remove(alarm);
    if (this.#heap.length === 0) this.#arm();
  }

  /** Cancels all of them. */
  clear(): void {
    for (const alarm of this.#heap.splice(0)) alarm.place = idle;
    this.#arm();
  }

  /** One timer for the first. A timer that turns out to be early does no harm. */
  #arm(): void {
    const [first] = this.#heap;
    const dueMs = first ? Math.ceil(first.dueMs / this.#graceMs) * this.#graceMs : Number.POSITIVE_INFINITY;
    if (this.#isRinging || (first && dueMs >= this.#timerAtMs)) return;
    this.#stopTimer();
    this.#timerAtMs = dueMs;
    if (!first) return;
    const delayMs = Math.max(0, Math.ceil(dueMs - this.#clock.nowMs()));
    this.#stopTimer = this.#clock.schedule(delayMs, () => this.#ring());
  }

  #ring(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.nowMs();
    // All of them first: one that is set to now while others ring must not ring before sockets were read.
    const due: Alarm[] = [];
    for (let [first] = this.#heap; first && first.dueMs <= nowMs; [first] = this.#heap) {
      this.#remove(first);
      first.place = ringing;
      due.push(first);
    }
    this.#isRinging = true;
    try {
      for (const alarm of due) {
        if (alarm.place !== ringing) continue;
        alarm.place = idle;
        alarm.ring();
      }
    } finally {
      // One that throws does not silence the others.
      for (const alarm of due) if (alarm.place === ringing) this.#rise(alarm, this.#heap.length);
      this.#isRinging = false;
      this.#arm();
    }
  }

  #remove(alarm: Alarm): void {
    const { place } = alarm;
    alarm.place = idle;
    if (place < 0) return;
    const last = this.#heap.pop();
    if (!last || last === alarm) return;
    // The last one takes its place, and goes where it belongs from there.
    if (place > 0 && last.dueMs < (this.#heap[(place - 1) >> 1]?.dueMs ?? 0)) this.#rise(last, place);
    else this.#sink(last, place);
  }

  #rise(alarm: Alarm, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1];
      if (!parent || parent.dueMs <= alarm.dueMs) break;
      this.#put(parent, place);
      place = (place - 1) >> 1;
    }
    this.#put(alarm, place);
  }

  #sink(alarm: Alarm, from: number): void {
    let place = from;
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
      const [child, at] =
        right && left && right.dueMs < left.dueMs ? [right, 2 * place + 2] : [left, 2 * place + 1];
      if (!child || child.dueMs >= alarm.dueMs) break;
      this.#put(child, place);
      place = at;
    }
    this.#put(alarm, place);
  }

  #put(alarm: Alarm, place: number): void {
    this.#heap[place] = alarm;
    alarm.place = place;
  }
}
