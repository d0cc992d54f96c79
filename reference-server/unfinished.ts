// Messages that have begun and do not end: each has its time, and all together have a budget.
import type { Duplex } from 'node:stream';
import type { Clock } from './clock.ts';
import { closes } from './close-codes.ts';
import type { Connection } from './connection.ts';
import { FrameReader } from './frame-reader.ts';
import type { Guards } from './guards.ts';

/** Watches the raw streams of all connections of a server. `ws` itself waits for the end of a message for ever. */
export class UnfinishedMessages {
  readonly #guards: Guards;
  readonly #clock: Clock;
  readonly #held = new Map<Connection, number>();
  #bytes = 0;

  constructor(guards: Guards, clock: Clock) {
    this.#guards = guards;
    this.#clock = clock;
  }

  /** Bytes of unfinished messages now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Watches one connection until it ends.
   *
   * @param patient the time counts from the last byte, not from the first: for messages that may be large
   */
  watch(stream: Duplex, connection: Connection, patient: boolean): void {
    const reader = new FrameReader();
    let dueMs = Number.POSITIVE_INFINITY;
    let isTimed = false;
    const forget = (): void => {
      dueMs = Number.POSITIVE_INFINITY;
      this.#hold(connection, 0);
    };
    // Most messages are whole a moment later: the timer is left running rather than set anew for each.
    const check = (): void => {
      isTimed = false;
      if (dueMs === Number.POSITIVE_INFINITY) return;
      // What we do not read cannot end.
      if (connection.isReadingPaused) dueMs = this.#clock.nowMs() + this.#guards.unfinishedMs;
      const leftMs = dueMs - this.#clock.nowMs();
      if (leftMs <= 0) connection.close(closes.unfinished);
      else wait(leftMs);
    };
    const wait = (delayMs: number): void => {
      isTimed = true;
      connection.after(delayMs, check);
    };
    const onData = (chunk: Buffer): void => {
      if (!connection.isOpen) return;
      const ended = reader.read(chunk);
      if (reader.unfinishedBytes === 0) {
        if (dueMs !== Number.POSITIVE_INFINITY) forget();
        return;
      }
      const { unfinishedMs, maxUnfinishedBytes } = this.#guards;
      if (dueMs === Number.POSITIVE_INFINITY || ended || patient) dueMs = this.#clock.nowMs() + unfinishedMs;
      if (!isTimed && unfinishedMs !== Number.POSITIVE_INFINITY) wait(unfinishedMs);
      this.#hold(connection, reader.unfinishedBytes);
      while (this.#bytes > maxUnfinishedBytes && this.#shedLargest());
    };
    stream.on('data', onData);
    connection.cleanups.add(() => {
      stream.off('data', onData);
      forget();
    });
  }

  /** Bytes of the message of one connection. */
  of(connection: Connection): number {
    return this.#held.get(connection) ?? 0;
  }

  /** Closes the connection that holds the most. False: none holds anything. */
  #shedLargest(): boolean {
    let largest: Connection | undefined;
    let most = 0;
    for (const [connection, bytes] of this.#held) {
      if (bytes <= most) continue;
      largest = connection;
      most = bytes;
    }
    if (!largest) return false;
    this.#hold(largest, 0);
    largest.close(closes.overloaded);
    return true;
  }

  #hold(connection: Connection, bytes: number): void {
    this.#bytes += bytes - this.of(connection);
    if (bytes === 0) this.#held.delete(connection);
    else this.#held.set(connection, bytes);
  }
}
