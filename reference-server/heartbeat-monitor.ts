// The heartbeat of one connection: a PING every interval, and the end when it is not answered in time.
import { randomInt } from 'node:crypto';
import { Alarm, type Alarms } from './alarms.ts';
import type { Heartbeat } from './options.ts';

/** How late our own timer may be before we blame ourselves for a missing answer. */
const stallMs = 250;

/** What the heartbeats of one server share. */
export interface HeartbeatKeeper<Peer> {
  readonly heartbeat: Heartbeat;
  readonly alarms: Alarms;
  /** Sends a PING with this id. */
  ping(peer: Peer, id: string): void;
  /** The outstanding PING was not answered in time. */
  dead(peer: Peer): void;
}

/** The ways that a PONG comes. */
export type PongWay = 'message' | 'frame';

const bitOf: Readonly<Record<PongWay, number>> = { message: 1, frame: 2 };

/** What the alarm of a heartbeat is for. */
type Waiting =
  /** The next PING. */
  | 'ping'
  /** The end of the time to answer the last. */
  | 'deadline'
  /** Whatever arrived before the deadline has been read. */
  | 'verdict';

export class HeartbeatMonitor<Peer = unknown> extends Alarm {
  readonly #keeper: HeartbeatKeeper<Peer>;
  readonly #peer: Peer;
  /** When the first PING was due. All others are due a number of intervals later, however late one was or the answer came. */
  readonly #firstMs: number;
  #waiting: Waiting = 'ping';
  #count = 0;
  /** Part of every id, so that a peer that does not read its PINGs cannot answer them. */
  #nonce = 0;
  #answeredBy = 0;

  /** @param firstAfterMs when the first PING is due: spread over the interval, so that connections do not beat in step */
  constructor(keeper: HeartbeatKeeper<Peer>, firstAfterMs: number, peer: Peer) {
    super();
    this.#keeper = keeper;
    this.#peer = peer;
    this.#firstMs = this.#nowMs + firstAfterMs;
    keeper.alarms.set(this, this.#firstMs);
  }

  /**
   * Takes a PONG. Returns whether it is this way's answer to the latest PING. A client may answer both the message and the
   * ping frame: the first answer counts, the second is expected all the same.
   */
  answer(id: string | undefined, way: PongWay): boolean {
    const bit = bitOf[way];
    if (this.#count === 0 || id !== this.#id || (this.#answeredBy & bit) !== 0) return false;
    this.#answeredBy |= bit;
    if (this.#waiting !== 'ping') this.#awaitBeat();
    return true;
  }

  stop(): void {
    this.#keeper.alarms.cancel(this);
    this.#count = 0;
  }

  override ring(): void {
    const { alarms, heartbeat } = this.#keeper;
    if (this.#waiting === 'ping') {
      this.#ping();
    } else if (this.#waiting === 'verdict') {
      this.#keeper.dead(this.#peer);
    } else if (this.#nowMs - this.dueMs > stallMs) {
      // After a stall the PING itself may have left late. The peer gets its time again.
      alarms.set(this, this.#nowMs + heartbeat.timeoutMs);
    } else {
      // Timers run before sockets are read: an answer that came in time may lie there unread. A second alarm rings after that.
      this.#waiting = 'verdict';
      alarms.set(this, this.#nowMs);
    }
  }

  get #nowMs(): number {
    return this.#keeper.alarms.clock.nowMs();
  }

  get #id(): string {
    return `ping-${this.#count}-${this.#nonce.toString(36)}`;
  }

  /** The peer lives: the next PING is due at the next beat. */
  #awaitBeat(): void {
    const { alarms, heartbeat } = this.#keeper;
    const beats = Math.floor((this.#nowMs - this.#firstMs) / heartbeat.intervalMs) + 1;
    this.#waiting = 'ping';
    alarms.set(this, this.#firstMs + beats * heartbeat.intervalMs);
  }

  #ping(): void {
    const { alarms, heartbeat } = this.#keeper;
    this.#count += 1;
    this.#nonce = randomInt(2 ** 31);
    this.#answeredBy = 0;
    this.#waiting = 'deadline';
    alarms.set(this, this.#nowMs + heartbeat.timeoutMs);
    this.#keeper.ping(this.#peer, this.#id);
  }
}
