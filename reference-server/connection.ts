// One open WebSocket: who it is, what it holds, and the only way to write typed messages to it.
import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { Answers } from './bus/answers.ts';
import type { AgentHandle, Dispatched } from './bus/bus.ts';
import type { Clock } from './clock.ts';
import { type Close, closes } from './close-codes.ts';
import type { Guards } from './guards.ts';
import type { HeartbeatMonitor } from './heartbeat-monitor.ts';
import type { Identity } from './identity.ts';
import { TokenBucket } from './limits/bucket.ts';
import type { ErrorCode, ServerMessage } from './messages.ts';
import { SlowConsumer } from './slow-consumer.ts';
import type { TokenLifetime } from './token-lifetime.ts';

/** Why nothing is read from a peer: it does not read either, or its messages wait for their turn. */
const pauseReasons = { slow: 1, queue: 2 } as const;

type PauseReason = keyof typeof pauseReasons;

/** How long a peer that must go has to answer the close frame: with what our alarms may be late a second after its time was up. */
const terminateAfterMs = 900;

/** So many seconds' worth of control frames may come at once. */
const controlBurstS = 10;

/** Answers that are remembered of one connection: five minutes of what development limits let it send. */
const maxAnswers = 5000;

/** What a connection holds as an agent. */
export interface ConnectedAgent {
  agentId: string;
  sessionId: string;
  handle: AgentHandle;
  /** When each command that it was given, and has not answered, will have timed out, on the monotonic clock. */
  pendingCommands: Map<string, number>;
}

export interface ErrorBody {
  for: string | null;
  code: ErrorCode;
  message: string;
  retryAfterMs?: number;
  suppressed?: number;
}

type PayloadOf<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>['payload'];

export class Connection {
  readonly id = randomUUID();
  readonly socket: WebSocket;
  readonly route: string;
  /** Under what an anonymous connection is limited. */
  readonly ip: string;
  identity: Identity | null;
  /** When its token no longer counts, on the monotonic clock. */
  tokenEndsAtMs = Number.POSITIVE_INFINITY;
  bucket: TokenBucket | undefined;
  heartbeat: HeartbeatMonitor | undefined;
  /** The code that this side closed with, whether or not the peer ever saw it. */
  closedWith: number | undefined;
  /** What answers its messages; unset on raw endpoints. `finish` takes no more of them and resolves when the last is answered. */
  work: { finish(): Promise<void> } | undefined;
  /** Watches the token, if there is one. */
  lifetime: TokenLifetime | undefined;
  /** Set by AGENT_CONNECT. */
  agent: ConnectedAgent | undefined;
  /** Set by DASHBOARD_CONNECT. */
  dashboard: { sessionId: string; stopWatching: () => void } | undefined;
  // Made when first used: most connections never do, and an empty collection takes 200 bytes.
  #subscriptions: Map<string, () => Promise<void>> | undefined;
  #commands: Map<string, Dispatched> | undefined;
  #cleanups: Set<() => void> | undefined;
  #controlFrames: TokenBucket | undefined;
  readonly #clock: Clock;
  readonly #guards: Guards;
  readonly #onSent: (type: string) => void;
  #pausedFor = 0;
  readonly #slow: SlowConsumer;
  #answers: Answers | undefined;
  #released = false;

  constructor(
    socket: WebSocket,
    from: { route: string; ip: string; identity: Identity | null },
    clock: Clock,
    guards: Guards,
    onSent: (type: string) => void,
  ) {
    this.socket = socket;
    this.route = from.route;
    this.ip = from.ip;
    this.identity = from.identity;
    this.#clock = clock;
    this.#guards = guards;
    this.#onSent = onSent;
    this.#slow = new SlowConsumer(socket, guards, {
      pause: () => this.pauseReading('slow'),
      resume: () => this.resumeReading('slow'),
      after: (delayMs, run) => this.after(delayMs, run),
      giveUp: () => this.close(closes.slowConsumer),
    });
  }

  /** What was answered to this connection, for repeated ids that concern nobody else. Gone when it is. */
  get answers(): Answers {
    this.#answers ??= new Answers(this.#clock, maxAnswers);
    return this.#answers;
  }

  get subscriptions(): Map<string, () => Promise<void>> {
    this.#subscriptions ??= new Map();
    return this.#subscriptions;
  }

  get commands(): Map<string, Dispatched> {
    this.#commands ??= new Map();
    return this.#commands;
  }

  /** Timers and the like, undone when the connection ends. */
  get cleanups(): Set<() => void> {
    this.#cleanups ??= new Set();
    return this.#cleanups;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Sends one typed message. False: it was not written, because the connection is closing or too slow. */
  send<T extends ServerMessage['type']>(type: T, payload: PayloadOf<T>, id?: string): boolean {
    const envelope = { type, ...(id === undefined ? {} : { id }), timestamp: this.#clock.epochMs(), payload };
    return this.sendText(type, JSON.stringify(envelope));
  }

  /** Sends text that has been encoded before: one encoding serves a whole fan-out. */
  sendText(type: string, text: string): boolean {
    if (!this.isOpen) return false;
    if (this.socket.bufferedAmount > this.#guards.maxBufferedBytes) {
      this.close(closes.slowConsumer);
      return false;
    }
    this.#slow.send(text);
    this.#onSent(type);
    return true;
  }

  /** Sends a message back as it came, on a raw endpoint. */
  sendBack(data: Buffer, binary: boolean): void {
    if (this.isOpen) this.#slow.send(data, binary);
  }

  /** Whether it has not read what waits for it, so that nothing is read from it or handled for it. */
  get isSlow(): boolean {
    return this.#slow.isSlow;
  }

  /** Runs `run` as soon as the peer has read enough; not at all when it never does. */
  whenRead(run: () => void): void {
    this.#slow.whenRead(run);
  }

  get isReadingPaused(): boolean {
    return this.#pausedFor !== 0;
  }

  /** Reads nothing more from the peer until {@link resumeReading} is called for the same reason, and for every other. */
  pauseReading(reason: PauseReason): void {
    if (!this.isOpen) return;
    this.#pausedFor |= pauseReasons[reason];
    this.socket.pause();
  }

  resumeReading(reason: PauseReason): void {
    if (this.#pausedFor === 0) return;
    this.#pausedFor &= ~pauseReasons[reason];
    if (this.#pausedFor === 0) this.socket.resume();
  }

  error(body: ErrorBody, id?: string): void {
    this.send('ERROR', body, id);
  }

  /** Starts the closing handshake; a peer that does not take part is cut off a second later. */
  close({ code, reason }: Close | { code: number; reason: string }): void {
    if (!this.isOpen) return;
    this.closedWith = code;
    this.socket.close(code, reason);
    // Else the peer's close frame would never be seen.
    this.#pausedFor = 0;
    this.socket.resume();
    this.cleanups.add(this.#clock.schedule(terminateAfterMs, () => this.socket.terminate()));
  }

  /** Counts a ping frame, or a pong that answers nothing: they cost work as messages do. To be called for each. */
  countControlFrame(): void {
    const { maxControlFramesPerSecond: perSecond } = this.#guards;
    if (!this.bucket || perSecond === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#clock.nowMs();
    this.#controlFrames ??= new TokenBucket(
      { messagesPerMinute: perSecond * 60, burstLimit: perSecond * controlBurstS, violationPenaltyMs: 0 },
      nowMs,
    );
    if (!this.#controlFrames.take(nowMs).accepted) this.close(closes.pingFlood);
  }

  /** Runs `run` after `delayMs` unless the connection has ended by then; returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const stop = this.#clock.schedule(delayMs, () => {
      this.cleanups.delete(stop);
      run();
    });
    this.cleanups.add(stop);
    return () => {
      this.cleanups.delete(stop);
      stop();
    };
  }

  /** Gives back all that only an agent may hold. */
  async releaseAgent(): Promise<void> {
    const { agent } = this;
    this.agent = undefined;
    await agent?.handle.disconnect();
  }

  /** Gives back all that only a dashboard may hold. */
  releaseDashboard(): void {
    this.dashboard?.stopWatching();
    this.dashboard = undefined;
    for (const command of this.#commands?.values() ?? []) command.cancel();
    this.#commands?.clear();
  }

  async releaseSubscriptions(): Promise<void> {
    const ends = [...(this.#subscriptions?.values() ?? [])];
    this.#subscriptions?.clear();
    await Promise.all(ends.map((end) => end()));
  }

  /** Whether the connection has ended and given everything back. */
  get isReleased(): boolean {
    return this.#released;
  }

  /** Gives back everything. To be called once the socket is closed, and again if something was taken since. */
  async release(): Promise<void> {
    this.#released = true;
    this.heartbeat?.stop();
    this.lifetime?.stop();
    for (const cleanup of this.#cleanups ?? []) cleanup();
    this.#cleanups?.clear();
    this.releaseDashboard();
    await Promise.all([this.releaseAgent(), this.releaseSubscriptions()]);
  }
}
