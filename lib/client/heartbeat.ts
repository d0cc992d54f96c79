// Whether the other side still lives. A black hole shows in no other way than by a deadline.
import type { ClientClock } from './clock.ts';

/** A timer that is so much too late did not wait for the peer: this process stood still, or the machine slept. */
const stalledMs = 1000;

/**
 * When to ask, and how long to wait for a sign of life.
 *
 * @example
 * import { createClient, type HeartbeatTimes } from 'wsbench/client';
 * const heartbeat: HeartbeatTimes = { intervalMs: 5000, timeoutMs: 2000 }; // dead peers are noticed within 7 s
 * const client = createClient('wss://service.example/ws', { heartbeat });
 * await client.connect();
 * await client.close();
 */
export interface HeartbeatTimes {
  /** Silence after which a PING is sent. */
  intervalMs: number;
  /** Time after a PING in which something must arrive. */
  timeoutMs: number;
}

/** Declares the peer dead at most `intervalMs + timeoutMs` after it was last heard. */
export class Heartbeat {
  readonly #clock: ClientClock;
  readonly #times: HeartbeatTimes;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #heardAtMs: number;
  #isAsked = false;
  #cancel: () => void = () => {};

  constructor(clock: ClientClock, times: HeartbeatTimes, ping: () => void, dead: () => void) {
    this.#clock = clock;
    this.#times = times;
    this.#ping = ping;
    this.#dead = dead;
    this.#heardAtMs = clock.nowMs();
    this.#arm(times.intervalMs);
  }

  /** Something came, whatever it was. */
  heard(): void {
    this.#heardAtMs = this.#clock.nowMs();
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#arm(this.#times.intervalMs);
  }

  /** Asks now, because something happened to the network. */
  probe(): void {
    if (!this.#isAsked) this.#ask();
  }

  stop(): void {
    this.#cancel();
  }

  #arm(delayMs: number): void {
    this.#cancel();
    const dueMs = this.#clock.nowMs() + delayMs;
    this.#cancel = this.#clock.schedule(delayMs, () => this.#check(this.#clock.nowMs() - dueMs));
  }

  #check(lateMs: number): void {
    const leftMs = this.#heardAtMs + this.#times.intervalMs - this.#clock.nowMs();
    if (this.#isAsked) {
      // After a stall there may be an answer that nobody has read yet.
      if (lateMs > stalledMs) this.#ask();
      else this.#dead();
    } else if (leftMs > 0) {
      this.#arm(leftMs);
    } else {
      this.#ask();
    }
  }

  #ask(): void {
    this.#isAsked = true;
    this.#arm(this.#times.timeoutMs);
    this.#ping();
  }
}
