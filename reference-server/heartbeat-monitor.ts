// The heartbeat of one connection: a PING every interval, and the end when it is not answered in time.
import type { Clock } from './clock.ts';
import type { Heartbeat } from './options.ts';

/** How late our own timer may be before we blame ourselves for a missing answer. */
const stallMs = 250;

export interface HeartbeatPeer {
  /** Sends a PING with this id. */
  ping(id: string): void;
  /** The outstanding PING was not answered in time. */
  dead(): void;
}

export class HeartbeatMonitor {
  readonly #options: Heartbeat;
  readonly #clock: Clock;
  readonly #peer: HeartbeatPeer;
  #count = 0;
  #latest: string | undefined;
  readonly #answeredBy = new Set<'message' | 'frame'>();
  #outstanding = false;
  #sentAtMs = 0;
  #stopTimer: () => void = () => {};

  /** @param firstAfterMs when the first PING is due: spread over the interval, so that connections do not beat in step */
  constructor(options: Heartbeat, clock: Clock, firstAfterMs: number, peer: HeartbeatPeer) {
    this.#options = options;
    this.#clock = clock;
    this.#peer = peer;
    this.#stopTimer = clock.schedule(firstAfterMs, () => this.#ping());
  }

  /**
   * Takes a PONG. Returns whether it is this way's answer to the latest PING. A client may answer both the message and the
   * ping frame: the first answer counts, the second is expected all the same.
   */
  answer(id: string | undefined, way: 'message' | 'frame'): boolean {
    if (id === undefined || id !== this.#latest || this.#answeredBy.has(way)) return false;
    this.#answeredBy.add(way);
    this.#record();
    return true;
  }

  stop(): void {
    this.#stopTimer();
    this.#latest = undefined;
  }

  /** The peer lives: the next PING is due an interval after the last. */
  #record(): void {
    if (!this.#outstanding) return;
    this.#outstanding = false;
    this.#stopTimer();
    const elapsedMs = this.#clock.nowMs() - this.#sentAtMs;
    this.#stopTimer = this.#clock.schedule(this.#options.intervalMs - elapsedMs, () => this.#ping());
  }

  #ping(): void {
    this.#count += 1;
    const id = `ping-${this.#count}`;
    this.#latest = id;
    this.#answeredBy.clear();
    this.#outstanding = true;
    this.#sentAtMs = this.#clock.nowMs();
    this.#awaitAnswer();
    this.#peer.ping(id);
  }

  #awaitAnswer(): void {
    const dueMs = this.#clock.nowMs() + this.#options.timeoutMs;
    this.#stopTimer = this.#clock.schedule(this.#options.timeoutMs, () => {
      // After a stall the PING itself may have left late. The peer gets its time again.
      if (this.#clock.nowMs() - dueMs > stallMs) this.#awaitAnswer();
      // Timers run before sockets are read: an answer that came in time may lie there unread. A second timer runs after that.
      else this.#stopTimer = this.#clock.schedule(0, () => this.#peer.dead());
    });
  }
}
