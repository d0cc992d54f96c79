// Requests on their way: a bounded queue of what waits to be sent, and what was sent and is not answered.
import type { ClientClock } from './clock.ts';
import { ClientError, type ClientErrorDetails } from './errors.ts';
import { fieldsOf, numberOf, type ServerMessage, textOf } from './messages.ts';
import type { QueueBounds } from './options.ts';
import type { Pace } from './pace.ts';

/** The server remembers ids for 5 minutes; this much less allows for the way there. */
const rememberedMs = 290_000;

/** The least time before a refused request is tried again. */
const leastRetryMs = 50;

/** A request as the client makes it. */
export interface Outgoing {
  type: string;
  id: string;
  payload: unknown;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Whether it may be sent on a later connection after it was sent on this one. */
  resend: boolean;
  /** Belongs to this connection: goes before everything else, counts in no bound, and ends with the connection. */
  isSession: boolean;
  /** Called with the answer before anything that follows it is read; `isFirst`: it was sent on no other connection before. */
  answered?: (message: ServerMessage, isFirst: boolean) => void;
}

interface Entry extends Outgoing {
  text: string;
  atMs: number;
  /** Number of the connection that it was last sent on; 0 for none. */
  sentOn: number;
  sends: number;
  firstSentOn: number;
  firstSentMs: number;
  firstSentEpochMs: number;
  state: 'waiting' | 'sent' | 'delayed' | 'settled';
  cancelTimer: () => void;
  cancelDelay: () => void;
  resolve: (message: ServerMessage) => void;
  reject: (error: ClientError) => void;
}

/** What an outbox stands on. */
export interface OutboxParts {
  clock: ClientClock;
  bounds: QueueBounds;
  pace: Pace;
  chance: () => number;
  send: (text: string) => void;
  limited: (retryAfterMs: number) => void;
}

/** Every request that it takes settles exactly once. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #byId = new Map<string, Entry>();
  readonly #waiting = new Set<Entry>();
  readonly #session = new Set<Entry>();
  #bytes = 0;
  #counted = 0;
  /** Number of the open connection; 0 while there is none. */
  #connection = 0;
  #maxMessageBytes = Number.POSITIVE_INFINITY;
  #heldUntilMs = 0;
  #cancelFlush: (() => void) | undefined;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Requests that are not settled, and how many of them wait to be sent. */
  get counts(): { pending: number; waiting: number; bytes: number } {
    const waiting = [...this.#byId.values()].filter(({ state }) => state !== 'sent').length;
    return { pending: this.#byId.size, waiting, bytes: this.#bytes };
  }

  /** Takes a request. Rejects at once when there is no room, its signal is aborted, or its id is in use. */
  add(outgoing: Outgoing): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      const { id, type, payload, signal } = outgoing;
      const { clock } = this.#parts;
      const text = JSON.stringify({ type, id, payload });
      const problem = this.#problem(outgoing, text);
      if (problem) {
        reject(problem);
        return;
      }
      const entry: Entry = {
        ...outgoing,
        text,
        atMs: clock.nowMs(),
        sentOn: 0,
        sends: 0,
        firstSentOn: 0,
        firstSentMs: 0,
        firstSentEpochMs: 0,
        state: 'waiting',
        cancelTimer: () => {},
        cancelDelay: () => {},
        resolve,
        reject,
      };
      const abort = (): void =>
        this.#reject(entry, 'ABORTED', 'the caller gave up', { cause: signal?.reason });
      signal?.addEventListener('abort', abort);
      this.#arm(entry, abort);
      this.#byId.set(id, entry);
      if (!entry.isSession) {
        this.#bytes += text.length;
        this.#counted += 1;
      }
      this.#queue(entry);
      this.flush();
    });
  }

  /** A connection is open: what waits may go. */
  opened(connection: number, maxMessageBytes: number): void {
    this.#connection = connection;
    this.#maxMessageBytes = maxMessageBytes;
    this.flush();
  }

  /** Nothing is sent until the next connection; answers still count. */
  pause(): void {
    this.#connection = 0;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
  }

  /** The connection has ended. What was sent on it waits again, before everything else, unless it must not be sent twice. */
  lost(): void {
    this.pause();
    this.#heldUntilMs = 0;
    const unsent = [...this.#waiting];
    this.#waiting.clear();
    for (const entry of this.#byId.values()) {
      if (entry.isSession) this.#reject(entry, 'LOST', 'the connection ended');
      else if (entry.state === 'sent' && !entry.resend) this.#reject(entry, 'LOST', 'the connection ended');
      else if (entry.state === 'sent') this.#queue(entry);
    }
    for (const entry of unsent) if (entry.state === 'waiting') this.#waiting.add(entry);
  }

  /** The server knows us under another name: there it has never seen the ids that were sent. */
  disown(): void {
    for (const entry of this.#byId.values()) {
      if (entry.firstSentOn > 0) this.#reject(entry, 'UNCERTAIN', 'the token names somebody else now');
    }
  }

  /** Settles the request that this answers. @returns whether there is one */
  answer(message: ServerMessage): boolean {
    const entry = message.id === undefined ? undefined : this.#byId.get(message.id);
    if (!entry) return false;
    if (message.type !== 'ERROR') {
      this.#settle(entry, () => entry.resolve(message));
      entry.answered?.(message, entry.firstSentOn === entry.sentOn);
    } else {
      this.#refused(entry, message);
    }
    return true;
  }

  /** Settles everything. */
  close(error: ClientError): void {
    this.pause();
    for (const entry of this.#byId.values()) {
      this.#reject(entry, error.code, error.message, {
        cause: error,
        ...(error.closeCode === undefined ? {} : { closeCode: error.closeCode }),
        ...(error.httpStatus === undefined ? {} : { httpStatus: error.httpStatus }),
      });
    }
  }

  /** Sends what may be sent now. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const { clock, pace } = this.#parts;
    for (const queue of [this.#session, this.#waiting]) {
      for (const entry of queue) {
        if (this.#connection === 0) return;
        if (this.#isForgotten(entry)) {
          this.#reject(
            entry,
            'UNCERTAIN',
            'it was sent and not answered, and the server has forgotten its id',
          );
          continue;
        }
        const waitMs = Math.max(this.#heldUntilMs - clock.nowMs(), 0) || pace.take();
        if (waitMs > 0) {
          this.#cancelFlush = clock.schedule(waitMs, () => this.flush());
          return;
        }
        queue.delete(entry);
        this.#send(entry);
      }
    }
  }

  #send(entry: Entry): void {
    const { clock, send } = this.#parts;
    if (isLonger(entry.text, this.#maxMessageBytes)) {
      this.#reject(
        entry,
        'USAGE',
        `the message is longer than the server takes (${this.#maxMessageBytes} bytes)`,
      );
      return;
    }
    if (entry.firstSentOn === 0) {
      entry.firstSentOn = this.#connection;
      entry.firstSentMs = clock.nowMs();
      entry.firstSentEpochMs = clock.epochMs();
    }
    entry.sentOn = this.#connection;
    entry.state = 'sent';
    entry.sends += 1;
    send(entry.text);
  }

  #queue(entry: Entry): void {
    entry.state = 'waiting';
    (entry.isSession ? this.#session : this.#waiting).add(entry);
  }

  #problem({ id, isSession, signal }: Outgoing, text: string): ClientError | undefined {
    const { maxMessages, maxBytes, overflow } = this.#parts.bounds;
    if (signal?.aborted) return new ClientError('ABORTED', 'the caller gave up', { cause: signal.reason });
    if (id.length < 1 || id.length > 64) return new ClientError('USAGE', 'id: 1 to 64 characters');
    if (this.#byId.has(id)) return new ClientError('USAGE', `id: ${id} is in use`);
    if (isSession) return undefined;
    const isFull = (): boolean => this.#counted >= maxMessages || this.#bytes + text.length > maxBytes;
    if (overflow === 'drop-oldest' && text.length <= maxBytes) {
      for (const entry of this.#waiting) {
        if (!isFull()) break;
        if (entry.firstSentOn === 0)
          this.#reject(entry, 'OVERFLOW', 'newer messages took its place in the queue');
      }
    }
    return isFull() ? new ClientError('OVERFLOW', 'too much is waiting for an answer') : undefined;
  }

  /** One timer for both ends: too long unsent, or too long unanswered. */
  #arm(entry: Entry, abort: () => void): void {
    const { clock, bounds } = this.#parts;
    const maxAgeMs = entry.isSession ? Number.POSITIVE_INFINITY : bounds.maxAgeMs;
    let cancel = (): void => {};
    const check = (): void => {
      const ageMs = clock.nowMs() - entry.atMs;
      const isUnsent = entry.firstSentOn === 0;
      if (isUnsent && ageMs >= maxAgeMs) {
        this.#reject(entry, 'EXPIRED', `it waited ${Math.round(ageMs)} ms and could not be sent`);
      } else if (ageMs >= entry.timeoutMs) {
        this.#reject(entry, 'TIMEOUT', `no answer within ${entry.timeoutMs} ms`);
      } else {
        const untilMs = isUnsent ? Math.min(maxAgeMs, entry.timeoutMs) : entry.timeoutMs;
        cancel = clock.schedule(untilMs - ageMs, check);
      }
    };
    check();
    entry.cancelTimer = () => {
      cancel();
      entry.signal?.removeEventListener('abort', abort);
    };
  }

  #refused(entry: Entry, message: ServerMessage): void {
    const { clock, chance, limited } = this.#parts;
    const fields = fieldsOf(message);
    const serverCode = textOf(fields.code) ?? 'UNKNOWN';
    const toldMs = numberOf(fields.retryAfterMs);
    // A server that says "at once" is not asked without end.
    const retryAfterMs = toldMs === undefined ? undefined : Math.max(toldMs, leastRetryMs);
    const leftMs = entry.atMs + entry.timeoutMs - clock.nowMs();
    // Nothing happened, so the same id may be tried again, as far as the deadline reaches.
    const delayMs =
      retryAfterMs === undefined ? 0 : retryAfterMs + chance() * Math.min(1000, retryAfterMs / 2);
    const mayRetry = retryAfterMs !== undefined && delayMs < leftMs && entry.resend;
    const isLimited = serverCode === 'RATE_LIMITED' && retryAfterMs !== undefined;
    if (isLimited) {
      this.#hold(delayMs);
      limited(retryAfterMs);
    }
    if (!mayRetry) {
      const text = textOf(fields.message) ?? '';
      const details: ClientErrorDetails = { serverCode };
      if (retryAfterMs !== undefined) details.retryAfterMs = retryAfterMs;
      // INTERNAL is a bug of the server: nobody knows how far it came.
      // And where it was sent before, that may have had the effect, and only its answer was lost.
      details.outcome = serverCode === 'INTERNAL' || entry.sends > 1 ? 'unknown' : 'none';
      this.#reject(entry, 'REFUSED', `the server refused it: ${serverCode} ${text}`, details);
    }
    if (isLimited) this.flush();
    if (isLimited || !mayRetry) return;
    entry.state = 'delayed';
    entry.cancelDelay = clock.schedule(delayMs, () => {
      this.#queue(entry);
      this.flush();
    });
  }

  /** Answers come in order, so under a penalty everything that is not answered was, or will be, refused in silence. */
  #hold(delayMs: number): void {
    this.#heldUntilMs = this.#parts.clock.nowMs() + delayMs;
    const unsent = [...this.#waiting];
    this.#waiting.clear();
    for (const entry of this.#byId.values()) {
      if (entry.state === 'sent' && entry.resend) this.#queue(entry);
    }
    for (const entry of unsent) this.#waiting.add(entry);
  }

  #isForgotten(entry: Entry): boolean {
    if (entry.firstSentOn === 0 || entry.firstSentOn === this.#connection) return false;
    const { clock } = this.#parts;
    // A machine that slept knows it by the wall clock alone.
    const sleptMs = clock.epochMs() - entry.firstSentEpochMs;
    return Math.max(clock.nowMs() - entry.firstSentMs, sleptMs) > rememberedMs;
  }

  #reject(entry: Entry, code: ClientError['code'], message: string, details: ClientErrorDetails = {}): void {
    const outcome = entry.firstSentOn === 0 ? 'none' : 'unknown';
    this.#settle(entry, () =>
      entry.reject(new ClientError(code, `${entry.type}: ${message}`, { outcome, ...details })),
    );
  }

  #settle(entry: Entry, settle: () => void): void {
    if (entry.state === 'settled') throw new ClientError('INTERNAL', `${entry.id} settles twice`);
    entry.state = 'settled';
    entry.cancelTimer();
    entry.cancelDelay();
    this.#byId.delete(entry.id);
    this.#waiting.delete(entry);
    this.#session.delete(entry);
    if (!entry.isSession) {
      this.#bytes -= entry.text.length;
      this.#counted -= 1;
    }
    settle();
  }
}

/** Whether a text has more bytes than that as UTF-8; only a doubtful one is encoded to be counted. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}
