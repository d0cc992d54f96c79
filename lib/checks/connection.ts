// The checks' own client: opens one WebSocket, keeps all that arrives, and waits for what a check asks for.
import { randomUUID } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientOptions, WebSocket } from 'ws';
import { receivedText } from '../target/matcher.ts';
import type { Budget } from './budget.ts';
import { ConnectError, type ConnectFailure, describeStatus, failureOf } from './failure.ts';
import { type Envelope, type Exchange, excerptOf, readEnvelope } from './message.ts';
import type { ConnectPlan } from './plan.ts';
import type { Talk } from './talk.ts';

export interface ConnectionOptions extends ConnectPlan {
  /** Answer ping frames with pong frames. */
  autoPong: boolean;
  /** What is said without being asked to: the opening, heartbeats. */
  talk: Talk;
  /** Wait and try again when the handshake gets 429 with a Retry-After of at most 2 s. */
  retryWhenLimited: boolean;
  signal: AbortSignal;
}

/** A message as it arrived; `atMs` is on the monotonic clock of `performance.now()`. */
export interface Received {
  atMs: number;
  binary: boolean;
  data: Buffer;
  envelope: Envelope | undefined;
}

/** How a connection ended. 1006: without a close frame. 1005: the close frame had no code. */
export interface Closed {
  code: number;
  reason: string;
  atMs: number;
}

/** An end in words: `close code 1011 (oops)`. */
export function describeClosed({ code, reason = '' }: Pick<Closed, 'code'> & Partial<Closed>): string {
  return code === 1006
    ? 'TCP dropped without a close frame'
    : `close code ${code}${reason === '' ? '' : ` (${reason})`}`;
}

/** Longest Retry-After that is waited for, and how often. */
const retryAtMostMs = 2000;
const retries = 6;
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

  constructor(socket: WebSocket, options: ConnectionOptions, startedMs: number) {
    this.#socket = socket;
    this.#timeoutMs = options.timeoutMs;
    this.talk = options.talk;
    this.handshakeMs = performance.now() - startedMs;
    this.subprotocol = socket.protocol;
    socket.on('message', (data: Buffer, binary: boolean) => {
      const envelope = binary ? undefined : readEnvelope(data.toString());
      this.received.push({ atMs: performance.now(), binary, data, envelope });
      if (!this.talk.isMute) {
        for (const text of this.talk.receive(receivedText(data.toString()))) this.send(text);
      }
      this.#notify();
    });
    socket.on('pong', (data: Buffer) => {
      this.pongs.push(data.toString('latin1'));
      this.#notify();
    });
    socket.on('close', (code: number, reason: Buffer) => {
      clearInterval(this.#heartbeat);
      this.closed = { code, reason: reason.toString(), atMs: performance.now() };
      this.#notify();
    });
    // An error is always followed by close, which is what checks look at.
    socket.on('error', () => {});
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
    if (opening.state !== 'ready') return this.#joinFailure();
    if (heartbeat && !this.closed) {
      this.#heartbeat = setInterval(() => this.send(heartbeat.text), heartbeat.everyMs).unref();
    }
    return undefined;
  }

  #joinFailure(): ConnectFailure {
    const { state, waitsFor } = this.talk.opening;
    const last = this.received.at(-1);
    const said = last ? `, ${state === 'refused' ? '' : 'last '}${excerptOf(last.data)}` : '';
    const common = { kind: 'join', reached: true } as const;
    const what = `the join waits for ${waitsFor}`;
    if (state === 'refused') return { ...common, join: 'refused', message: `${what} and was refused${said}` };
    if (this.closed) {
      const message = `${what}; ${describeClosed(this.closed)}${said}`;
      return { ...common, join: 'closed', closeCode: this.closed.code, message };
    }
    const { length } = this.received;
    const came = last ? `${length} other message${length === 1 ? '' : 's'} came${said}` : 'nothing came';
    return { ...common, join: 'silent', message: `${what}; ${came} in ${this.#timeoutMs} ms` };
  }

  /** All messages with a type, in order. */
  get envelopes(): Envelope[] {
    return this.received.flatMap(({ envelope }) => (envelope ? [envelope] : []));
  }

  /** Sends text or bytes as they are, anything else as JSON. Sending on a closed connection does nothing. */
  send(message: unknown): void {
    const raw = typeof message === 'string' || Buffer.isBuffer(message);
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(raw ? message : JSON.stringify(message));
  }

  /** Waits until the limits that are known allow another message. */
  async pace(): Promise<void> {
    const waitMs = this.budget?.take(performance.now()) ?? 0;
    if (waitMs > 0) await sleep(waitMs);
  }

  /** Sends a ping frame. */
  ping(payload: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping(Buffer.from(payload, 'latin1'));
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
    this.#socket.close(code, reason);
    return this.waitForClose();
  }

  /** Drops the TCP connection. */
  terminate(): void {
    this.#socket.terminate();
  }

  #answersTo(id: string): Envelope[] {
    return this.envelopes.filter((envelope) => envelope.id === id);
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/**
 * Opens a connection and does what its talk begins with.
 *
 * @throws ConnectError that says why it did not open
 */
export async function openConnection(options: ConnectionOptions): Promise<CheckConnection> {
  for (let attempt = 1; ; attempt++) {
    const opened = await attemptOnce(options);
    if (opened instanceof CheckConnection) {
      const failure = await opened.join();
      if (!failure) return opened;
      opened.terminate();
      throw new ConnectError(failure);
    }
    const waitMs = retryAfterMs(opened);
    if (!options.retryWhenLimited || waitMs === undefined || attempt > retries)
      throw new ConnectError(opened);
    await sleep(waitMs, undefined, { signal: options.signal });
  }
}

function retryAfterMs({ status, headers }: ConnectFailure): number | undefined {
  const seconds = Number(headers?.['retry-after']);
  return status === 429 && seconds >= 0 && seconds * 1000 <= retryAtMostMs
    ? Math.max(50, seconds * 1000)
    : undefined;
}

function attemptOnce(options: ConnectionOptions): Promise<CheckConnection | ConnectFailure> {
  const startedMs = performance.now();
  let reached = false;
  const secure = options.url.startsWith('wss:');
  const clientOptions: ClientOptions & { finishRequest: (request: ClientRequest) => void } = {
    headers: options.headers,
    perMessageDeflate: false,
    autoPong: options.autoPong,
    maxPayload: 64 * 1024 * 1024,
    rejectUnauthorized: !options.insecure,
    ...(options.caCertificates.length > 0 ? { ca: [...options.caCertificates] } : {}),
    finishRequest: (request) => {
      request.once('socket', (socket) => {
        reached = !socket.connecting;
        socket.once(secure ? 'secureConnect' : 'connect', () => {
          reached = true;
        });
      });
      request.end();
    },
  };
  return new Promise((resolve) => {
    const socket = new WebSocket(options.url, [...options.subprotocols], clientOptions);
    const settle = (outcome: CheckConnection | ConnectFailure): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', abort);
      resolve(outcome);
      if (!(outcome instanceof CheckConnection)) socket.terminate();
    };
    const abort = (): void => settle({ kind: 'aborted', reached, message: 'aborted' });
    const timer = setTimeout(() => {
      settle(
        reached
          ? { kind: 'silent', reached, message: `no answer to the handshake in ${options.timeoutMs} ms` }
          : { kind: 'timeout', reached, message: `no connection to the host in ${options.timeoutMs} ms` },
      );
    }, options.timeoutMs);
    // terminate() on a connection that never opened reports an error; the first outcome stands.
    socket.on('error', (error) => settle(failureOf(error, reached)));
    socket.once('open', () => settle(new CheckConnection(socket, options, startedMs)));
    socket.once('unexpected-response', (_request, response) => {
      void readRefusal(response).then(settle);
    });
    options.signal.addEventListener('abort', abort, { once: true });
    if (options.signal.aborted) abort();
  });
}

async function readRefusal(response: IncomingMessage): Promise<ConnectFailure> {
  let body = '';
  try {
    for await (const chunk of response) {
      body += String(chunk);
      if (body.length >= 1024) break;
    }
  } catch {
    // A body that breaks off is still a refusal with a status.
  }
  const status = response.statusCode ?? 0;
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
  const message = describeStatus(status);
  return { kind: 'http', reached: true, message, status, headers, body: body.slice(0, 1024) };
}
