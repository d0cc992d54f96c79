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
  #outstanding: string | undefined;
  #sentAtMs = 0;
  #stopTimer: () => void = () => {};

  /** @param firstAfterMs when the first PING is due: spread over the interval, so that connections do not beat in step */
  constructor(options: Heartbeat, clock: Clock, firstAfterMs: number, peer: HeartbeatPeer) {
    this.#options = options;
    this.#clock = clock;
    this.#peer = peer;
    this.#stopTimer = clock.schedule(firstAfterMs, () => this.#ping());
  }

  /** Whether a PONG with this id answers the outstanding PING. */
  expects(id: string | undefined): boolean {
    return id !== undefined && id === this.#outstanding;
  }

  /** Records the answer to the outstanding PING: the peer is alive until the next one. */
  record(): void {
    this.#outstanding = undefined;
    this.#stopTimer();
    const elapsedMs = this.#clock.nowMs() - this.#sentAtMs;
    this.#stopTimer = this.#clock.schedule(this.#options.intervalMs - elapsedMs, () => this.#ping());
  }

  stop(): void {
    this.#stopTimer();
    this.#outstanding = undefined;
  }

  #ping(): void {
    this.#count += 1;
    this.#outstanding = `ping-${this.#count}`;
    this.#sentAtMs = this.#clock.nowMs();
    this.#awaitAnswer();
    this.#peer.ping(this.#outstanding);
  }

  #awaitAnswer(): void {
    const dueMs = this.#clock.nowMs() + this.#options.timeoutMs;
    this.#stopTimer = this.#clock.schedule(this.#options.timeoutMs, () => {
      // After a stall timers run before sockets are read: the answer may lie there unread. The peer gets its time again.
      if (this.#clock.nowMs() - dueMs > stallMs) this.#awaitAnswer();
      else this.#peer.dead();
    });
  }
}
