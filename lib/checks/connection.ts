// The checks' own client: an open WebSocket that keeps all that arrives, and waits for what a check asks for.
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { describeViolation, pingFlood, violationOf } from '../cause/violation.ts';
import { receivedText } from '../target/matcher.ts';
import type { Budget } from './budget.ts';
import type { Closed } from './closed.ts';
import type { ConnectFailure } from './failure.ts';
import { joinFailure } from './join-failure.ts';
import { type Envelope, type Exchange, readEnvelope } from './message.ts';
import type { Talk } from './talk.ts';

/** A message as it arrived; `atMs` is on the monotonic clock of `performance.now()`. */
export interface Received {
  atMs: number;
  binary: boolean;
  data: Buffer;
  envelope: Envelope | undefined;
}

/** What a peer may send on one connection before we stop listening: everything is kept to be looked at. */
const mostMessages = 20_000;
const mostBytes = 48 * 1024 * 1024;
/** How long a second answer may lag behind the first and still be noticed by `request`. */
const settleMs = 15;

/** An open connection. It never throws at what the peer does: messages, pongs and the close are there to be looked at. */
export class CheckConnection {
  readonly received: Received[] = [];
  readonly pongs: string[] = [];
  /** Set once the TCP connection is over. */
  closed: Closed | null = null;
  /** Messages that came until the connection was ready: greetings, and answers to its opening. */
  joinedAt = 0;
  /** Paces {@link request} and {@link pace}; set by whoever knows the limits. */
  budget: Budget | null = null;
  readonly talk: Talk;
  /** Time from the start of the connect to the 101, in ms. */
  readonly handshakeMs: number;
  readonly subprotocol: string;
  readonly #socket: WebSocket;
  readonly #timeoutMs: number;
  readonly #watchers = new Set<() => void>();
  #heartbeat: NodeJS.Timeout | undefined;
  #receivedBytes = 0;
  #isClosing = false;
  #isNotifying = false;

  constructor(socket: WebSocket, { timeoutMs, talk }: { timeoutMs: number; talk: Talk }, startedMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.talk = talk;
    this.handshakeMs = performance.now() - startedMs;
    this.subprotocol = socket.protocol;
    socket.on('message', (data: Buffer, binary: boolean) => {
      const envelope = binary ? undefined : readEnvelope(data.toString());
      this.received.push({ atMs: performance.now(), binary, data, envelope });
      this.#receivedBytes += data.length;
      if (this.received.length > mostMessages || this.#receivedBytes > mostBytes) {
        this.#fail(
          `more than ${mostMessages} messages or ${mostBytes / 1024 ** 2} MiB on one connection, and no end of it`,
        );
      }
      if (!this.talk.isMute) {
        for (const text of this.talk.receive(receivedText(data.toString()))) this.send(text);
      }
      this.#notify();
    });
    socket.on('pong', (data: Buffer) => {
      this.pongs.push(data.toString('latin1'));
      this.#notify();
    });
    // ws drops a peer that pings faster than it can be answered, without a word.
    socket.on('ping', () => {
      if (socket.readyState !== socket.OPEN && !this.#isClosing) this.#fail(pingFlood);
    });
    socket.on('close', (code: number, reason: Buffer) => {
      clearInterval(this.#heartbeat);
      this.closed ??= { code, reason: reason.toString(), atMs: performance.now() };
      this.#notify();
    });
    // Any other error is followed by close, which is what checks look at.
    socket.on('error', (error) => {
      const violation = violationOf(error);
      if (violation) this.#fail(describeViolation(violation), violation.closeCode);
    });
    for (const text of this.talk.start()) this.send(text);
  }

  /**
   * Waits until the opening is done, and begins with heartbeats; a failure when the target does not let the connection in.
   */
  async join(): Promise<ConnectFailure | undefined> {
    const { opening, heartbeat } = this.talk;
    const isOver = (): true | undefined => (opening.state === 'waiting' ? undefined : true);
    await this.waitFor(isOver);
    this.joinedAt = this.received.length;
    if (opening.state !== 'ready') return joinFailure(opening, this, this.#timeoutMs);
    if (heartbeat && !this.closed) {
      this.#heartbeat = setInterval(() => this.send(heartbeat.text), heartbeat.everyMs).unref();
    }
    return undefined;
  }

  /** All messages with a type, in order. */
  get envelopes(): Envelope[] {
    return this.received.flatMap(({ envelope }) => (envelope ? [envelope] : []));
  }

  /** Sends text or bytes as they are, anything else as JSON. Sending on a closed connection does nothing. */
  send(message: unknown): void {
    const raw = typeof message === 'string' || Buffer.isBuffer(message);
    if (this.#socket.readyState === this.#socket.OPEN)
      this.#socket.send(raw ? message : JSON.stringify(message));
  }

  /** Waits until the limits that are known allow another message. */
  async pace(): Promise<void> {
    const waitMs = this.budget?.take(performance.now()) ?? 0;
    if (waitMs > 0) await sleep(waitMs);
  }

  /** Sends a ping frame. */
  ping(payload: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(Buffer.from(payload, 'latin1'));
  }

  /**
   * Sends a typed message and waits for the answer with its id. A second answer that follows at once is in the list too;
   * none within the time gives an empty list.
   */
  async request(type: string, payload?: unknown, id: string = randomUUID()): Promise<Exchange> {
    await this.pace();
    // An id may be used again on purpose: what answered it before does not count.
    const before = this.#answersTo(id).length;
    this.send({ type, id, ...(payload === undefined ? {} : { payload }) });
    await this.waitFor(() => this.#answersTo(id)[before]);
    await sleep(settleMs);
    return { type, id, answers: this.#answersTo(id).slice(before) };
  }

  /** Waits until the probe finds something. Undefined when time is over or the connection closed before. */
  async waitFor<T>(probe: () => T | undefined, timeoutMs = this.#timeoutMs): Promise<T | undefined> {
    const found = probe();
    if (found !== undefined || this.closed) return found;
    return new Promise((resolve) => {
      const finish = (value: T | undefined): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(value);
      };
      const look = (): void => {
        const value = probe();
        if (value !== undefined || this.closed) finish(value);
      };
      const timer = setTimeout(() => finish(probe()), timeoutMs);
      this.#watchers.add(look);
    });
  }

  /** Waits for the first message that fits. */
  async next(fits: (envelope: Envelope) => boolean, timeoutMs?: number): Promise<Envelope | undefined> {
    return this.waitFor(() => this.envelopes.find(fits), timeoutMs);
  }

  /** Waits for the connection to end; null when it is still open after the time. */
  async waitForClose(timeoutMs?: number): Promise<Closed | null> {
    await this.waitFor(() => this.closed ?? undefined, timeoutMs);
    return this.closed;
  }

  /** Starts the closing handshake and waits for its end; null when the peer does not finish it in time. */
  async close(code = 1000, reason = ''): Promise<Closed | null> {
    this.#isClosing = true;
    this.#socket.close(code, reason);
    return this.waitForClose();
  }

  /** Drops the TCP connection. */
  terminate(): void {
    this.#isClosing = true;
    this.#socket.terminate();
  }

  /** Ends the connection over what the peer did. It need not answer our close frame, so nobody waits for that. */
  #fail(fault: string, code = 1006): void {
    this.closed ??= { code, reason: '', atMs: performance.now(), fault };
    if (code === 1006) this.#socket.terminate();
    this.#notify();
  }

  #answersTo(id: string): Envelope[] {
    return this.envelopes.filter((envelope) => envelope.id === id);
  }

  /** Lets those who wait look, once for all that came together: a flood of messages must not be a flood of searches. */
  #notify(): void {
    if (this.#isNotifying || this.#watchers.size === 0) return;
    this.#isNotifying = true;
    setImmediate(() => {
      this.#isNotifying = false;
      for (const watcher of [...this.#watchers]) watcher();
    });
  }
}
