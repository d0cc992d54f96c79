// A peer that does not read what it is sent: first nothing more is read from it, then it has to go.
import type { WebSocket } from 'ws';
import type { Guards } from './guards.ts';

const mebibyte = 1024 ** 2;

export interface SlowConsumerHost {
  /** Stops reading from the peer. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Runs `run` later, unless the connection has ended or the returned function was called. */
  after(delayMs: number, run: () => void): () => void;
  /** The peer had its time. */
  giveUp(): void;
}

/** Sends to one peer and watches what it leaves unread. */
export class SlowConsumer {
  readonly #socket: WebSocket;
  readonly #guards: Guards;
  readonly #host: SlowConsumerHost;
  #whenRead: (() => void) | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(socket: WebSocket, guards: Guards, host: SlowConsumerHost) {
    this.#socket = socket;
    this.#guards = guards;
    this.#host = host;
  }

  get isSlow(): boolean {
    return this.#stopTimer !== undefined;
  }

  send(data: string | Buffer, binary = false): void {
    this.#socket.send(data, { binary }, this.#onFlushed);
    const unreadBytes = this.#socket.bufferedAmount;
    if (this.#stopTimer || unreadBytes <= this.#guards.pauseAboveBytes) return;
    // The echo takes messages that no line carries in the time that others get.
    const moreMs = Math.max(0, unreadBytes / mebibyte - 1) * 1000;
    this.#stopTimer = this.#host.after(this.#guards.slowConsumerMs + moreMs, () => this.#host.giveUp());
    this.#host.pause();
  }

  /** Runs `run`, and nothing that was given before, once the peer is no longer slow. */
  whenRead(run: () => void): void {
    this.#whenRead = run;
  }

  // One function for every message: it costs nothing to say when each has left.
  readonly #onFlushed = (): void => {
    if (!this.#stopTimer || this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > this.#guards.pauseAboveBytes / 2) return;
    this.#stopTimer();
    this.#stopTimer = undefined;
    this.#host.resume();
    const run = this.#whenRead;
    this.#whenRead = undefined;
    run?.();
  };
}
