// The client: a machine that keeps one connection to a server, comes back when it ends, and loses nothing on the way.
import { withinMs } from './back-off.ts';
import { Channels, type SubscribeOptions } from './channels.ts';
import type { ClientClock } from './clock.ts';
import { type CommandResult, Commands } from './commands.ts';
import { Emitter } from './emitter.ts';
import { ClientError } from './errors.ts';
import type { ClientEvents } from './events.ts';
import { Link } from './link.ts';
import { fieldsOf, numberOf, type ServerMessage, textOf, type Welcome } from './messages.ts';
import { positive, type ResolvedOptions } from './options.ts';
import { Outbox, type Outgoing } from './outbox.ts';
import { Pace } from './pace.ts';
import { Renewal } from './renewal.ts';
import { type ClientState, stateTransitions } from './states.ts';
import type { Subscription } from './subscription.ts';
import { type Token, type TokenRequest, Tokens } from './tokens.ts';
import type { Connectivity, SocketEnd, Transport } from './transport.ts';
import { verdictOn } from './verdict.ts';
import { Waiters } from './waiters.ts';

/** What a client stands on: Node's parts, a browser's, or a test's. */
export interface ClientParts {
  transport: Transport;
  clock: ClientClock;
  /** From 0 (included) to 1 (excluded). */
  chance: () => number;
  /** Makes ids that no other client of the same subject makes. */
  newId: () => string;
  connectivity: Connectivity | undefined;
}

/**
 * How one request is made.
 *
 * @example
 * import { createClient, type RequestOptions } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const options: RequestOptions = { id: 'order-4711', timeoutMs: 5000, signal: AbortSignal.timeout(6000) };
 * await client.publish('orders', { item: 'tea' }, options);
 * const again = await client.publish('orders', { item: 'tea' }, options);
 * console.log(again.duplicate); // true
 * await client.close();
 */
export interface RequestOptions {
  /** 1 to 64 characters; made up by default. The server gives an id one effect in 5 minutes. */
  id?: string;
  /** Deadline from the call, whether there is a connection or not; the client's `timeoutMs` by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Send it again, with the same id, when the connection ends before its answer; true by default. Otherwise it rejects with `LOST`. */
  resend?: boolean;
}

/**
 * What became of a PUBLISH: it is in the channel's log.
 *
 * @example
 * import { createClient, type Published } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const published: Published = await client.publish('news', { headline: 'hello' });
 * console.log(published.offset, published.receivers); // 1 0
 * await client.close();
 */
export interface Published {
  channel: string;
  epoch: string;
  offset: number;
  /** Subscribers that it was handed to. */
  receivers: number;
  /** The id had been published before; this is the answer of then. */
  duplicate: boolean;
}

/**
 * A client of one server. `createClient` makes it.
 *
 * @example
 * import { type Client, createClient } from 'wsbench/client';
 * const client: Client = createClient('wss://service.example/ws', { token: getToken });
 * client.on('waiting', ({ delayMs, why }) => console.log(`back in ${delayMs} ms (${why})`));
 * client.on('closed', ({ error }) => console.log(error?.message ?? 'closed'));
 * await client.connect();
 * const echo = await client.request('ECHO', { any: 'thing' });
 * console.log(echo.payload, await client.ping());
 * await client.close();
 */
export class Client {
  readonly #url: string;
  readonly #options: ResolvedOptions;
  readonly #parts: ClientParts;
  readonly #events = new Emitter<ClientEvents>();
  readonly #tokens: Tokens | undefined;
  readonly #outbox: Outbox;
  readonly #channels: Channels;
  readonly #commands: Commands;
  readonly #pace: Pace;
  readonly #opening: Waiters<Welcome>;
  readonly #unwatch: () => void;
  #state: ClientState = 'idle';
  #link: Link | undefined;
  #renewal: Renewal | undefined;
  #welcome: Welcome | undefined;
  #token: Token | undefined;
  /** Why the next token is asked for. */
  #reason: TokenRequest['reason'] = 'connect';
  /** Whether a refused token was replaced since the last stable connection. */
  #hasRefreshed = false;
  #connections = 0;
  /** Attempts since the last stable connection: the exponent of the back-off. */
  #step = 0;
  /** Attempts since the last open connection. */
  #failures = 0;
  #drainDueMs: number | undefined;
  #cancelWait: () => void = () => {};
  #waitsFor: string | undefined;
  #cancelStable: () => void = () => {};
  #closing: Promise<void> | undefined;
  #closed: () => void = () => {};
  #error: ClientError | undefined;

  /** @internal */
  constructor(url: string, options: ResolvedOptions, parts: ClientParts) {
    this.#url = url;
    this.#options = options;
    this.#parts = parts;
    const { clock, chance, connectivity } = parts;
    const { token, tokenTimeoutMs, queue, maxUnread, timeoutMs } = options;
    if (token !== undefined) this.#tokens = new Tokens(token, clock, tokenTimeoutMs);
    this.#pace = new Pace(clock);
    this.#opening = new Waiters(clock);
    this.#commands = new Commands(clock);
    this.#outbox = new Outbox({
      clock,
      chance,
      bounds: queue,
      pace: this.#pace,
      send: (text) => this.#link?.send(text),
      limited: (retryAfterMs) => this.#events.emit('limited', { retryAfterMs }),
    });
    this.#channels = new Channels({
      clock,
      chance,
      maxUnread,
      timeoutMs,
      ask: (type, payload, answered) => this.#ask(type, payload, answered),
      isOpen: () => this.#state === 'open',
      gap: (gap) => this.#events.emit('gap', gap),
    });
    this.#unwatch = connectivity?.watch(() => this.#networkChanged()) ?? (() => {});
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What the server said when the present connection opened, or the last one. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** Requests that are not settled (`pending`), those of them that wait to be sent, and the size of all. */
  get queue(): { pending: number; waiting: number; bytes: number } {
    return this.#outbox.counts;
  }

  /** The channels that are subscribed, or will be on the next connection. */
  get channels(): readonly string[] {
    return this.#channels.names;
  }

  /** Calls `listener` at every such event until the returned function is called. */
  on<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * Connects, unless the client does already, and resolves when it is open. Without a deadline it waits as long as the client
   * tries. Its deadline and its signal end this promise, and not the client: `close()` does that.
   *
   * @throws ClientError `TIMEOUT`, `ABORTED`, or what ended the client
   */
  connect(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Welcome> {
    if (this.#state === 'open' && this.#welcome) return Promise.resolve(this.#welcome);
    if (this.#isOver) return Promise.reject(this.#overError());
    const opened = this.#opening.wait('connect', options);
    if (this.#state === 'idle') this.#attempt();
    return opened;
  }

  /**
   * Sends a message and resolves with its answer. While there is no connection it waits in the queue.
   *
   * @throws ClientError `REFUSED` when the answer is an ERROR, and see `ClientErrorCode`
   */
  request(type: string, payload?: unknown, options: RequestOptions = {}): Promise<ServerMessage> {
    return this.#send(() => this.#outbox.add(this.#outgoing(type, payload, options)));
  }

  /** Appends to a channel's log. Resolves when the server has done so. @throws ClientError as `request` */
  async publish(channel: string, data: unknown, options: RequestOptions = {}): Promise<Published> {
    const fields = fieldsOf(await this.request('PUBLISH', { channel, data }, options));
    return {
      channel,
      epoch: textOf(fields.epoch) ?? '',
      offset: numberOf(fields.offset) ?? 0,
      receivers: numberOf(fields.receivers) ?? 0,
      duplicate: fields.duplicate === true,
    };
  }

  /**
   * Subscribes to a channel, and again on every later connection, from the last message that was seen. Resolves when the server
   * has confirmed it.
   *
   * @throws ClientError `REFUSED`, `TIMEOUT`, `ABORTED`, `CLOSED`, or `USAGE` when there is a subscription to this channel already
   */
  subscribe(channel: string, options: SubscribeOptions = {}): Promise<Subscription> {
    return this.#send(() => {
      if (options.timeoutMs !== undefined) positive('timeoutMs', options.timeoutMs);
      return this.#channels.add(channel, options);
    });
  }

  /**
   * Sends a command to an agent and resolves with its result.
   *
   * @throws ClientError as `request`; `LOST` when it was delivered and the connection ended before the result
   */
  command(
    agentId: string,
    command: string,
    { args, ...options }: RequestOptions & { args?: unknown } = {},
  ): Promise<CommandResult> {
    return this.#send(() =>
      this.#commands.run(this.#outgoing('COMMAND', { agentId, command, args }, options), (outgoing) =>
        this.#outbox.add(outgoing),
      ),
    );
  }

  /** The time of a round trip, in milliseconds, from the call. @throws ClientError as `request` */
  async ping(options: RequestOptions = {}): Promise<number> {
    const { clock } = this.#parts;
    const startMs = clock.nowMs();
    await this.request('PING', undefined, options);
    return clock.nowMs() - startMs;
  }

  /**
   * Ends the client for good, in whatever state it is. Whatever was waiting rejects with `CLOSED` at once; the promise resolves
   * when the socket is gone, `closeTimeoutMs` later at most. Nothing is left then that keeps a process alive.
   */
  close(): Promise<void> {
    if (this.#closing || this.#state === 'closed') return this.#closing ?? Promise.resolve();
    this.#closing = new Promise((resolve) => {
      this.#closed = resolve;
    });
    this.#finish(undefined);
    return this.#closing;
  }

  get #isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  #overError(): ClientError {
    return this.#error ?? new ClientError('CLOSED', 'the client is closed');
  }

  /** Mistakes of the caller reject, like everything else. */
  #send<T>(make: () => Promise<T>): Promise<T> {
    if (this.#isOver) return Promise.reject(this.#overError());
    try {
      return make();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #outgoing(type: string, payload: unknown, options: RequestOptions): Outgoing {
    const { id = this.#parts.newId(), timeoutMs = this.#options.timeoutMs, signal, resend = true } = options;
    positive('timeoutMs', timeoutMs);
    return { type, id, payload, timeoutMs, signal, resend, isSession: false };
  }

  #ask(type: string, payload: unknown, answered?: Outgoing['answered']): Promise<ServerMessage> {
    const outgoing = { ...this.#outgoing(type, payload, {}), isSession: true };
    return this.#outbox.add(answered ? { ...outgoing, answered } : outgoing);
  }

  #enter(to: ClientState): void {
    const from = this.#state;
    if (!stateTransitions[from].includes(to)) {
      throw new ClientError('INTERNAL', `the client cannot go from ${from} to ${to}`);
    }
    this.#state = to;
    this.#events.emit('state', { from, to });
  }

  #attempt(): void {
    this.#cancelWait();
    this.#waitsFor = undefined;
    this.#events.emit('attempt', { attempt: this.#failures + 1 });
    if (this.#isOver) return;
    const tokens = this.#tokens;
    const held = this.#token;
    if (!tokens) this.#open(undefined);
    else if (held && tokens.leftMs(held) > 10_000) this.#open(held);
    else this.#fetchToken(tokens);
  }

  #fetchToken(tokens: Tokens): void {
    const reason = this.#reason;
    this.#token = undefined;
    this.#enter('fetching-token');
    tokens.fetch(reason).then(
      (token) => {
        if (this.#state === 'fetching-token') this.#open(token);
      },
      (error: ClientError) => {
        if (this.#state !== 'fetching-token') return;
        this.#events.emit('tokenError', { error });
        if (this.#isOver) return;
        if (!tokens.isRenewable) this.#finish(error);
        else this.#ended({ code: 1006, reason: '', by: 'network', detail: error.message }, error);
      },
    );
  }

  #open(token: Token | undefined): void {
    this.#enter('connecting');
    if (this.#isOver) return;
    const { transport, clock, newId } = this.#parts;
    const askedMs = clock.epochMs();
    try {
      this.#link = new Link(
        { transport, clock, newId, url: this.#url, options: this.#options, token: token?.text },
        {
          authenticating: () => this.#enter('authenticating'),
          ready: (welcome) => this.#ready(welcome, token, askedMs),
          message: (message) => this.#receive(message),
          violation: (detail) => this.#events.emit('violation', { detail }),
          charged: () => this.#pace.charge(),
          ended: (end) => this.#ended(end),
        },
      );
    } catch (cause) {
      this.#finish(new ClientError('USAGE', 'the socket cannot be opened as asked', { cause }));
    }
  }

  #ready(welcome: Welcome, token: Token | undefined, askedMs: number): void {
    const { clock, chance } = this.#parts;
    const tokens = this.#tokens;
    const before = this.#welcome;
    this.#welcome = welcome;
    this.#failures = 0;
    this.#reason = 'connect';
    this.#connections += 1;
    this.#drainDueMs = undefined;
    if (this.#options.pace) this.#pace.adopt(welcome.limits);
    if (before && before.sub !== welcome.sub) this.#outbox.disown();
    if (tokens && token) {
      tokens.synchronise(welcome.serverTime, askedMs);
      this.#token = token;
      if (tokens.isRenewable) {
        this.#renewal = new Renewal(
          {
            clock,
            tokens,
            chance,
            authenticate: (text, answered) => this.#link?.authenticate(text, answered),
            renewed: (renewed) => {
              this.#token = renewed;
            },
            failed: (error) => this.#events.emit('tokenError', { error }),
          },
          token,
        );
      }
    }
    this.#cancelStable = clock.schedule(this.#options.stableMs, () => {
      this.#step = 0;
      this.#hasRefreshed = false;
    });
    this.#enter('open');
    if (this.#state !== 'open') return;
    // Subscriptions come first, so that nothing is published that they would miss.
    this.#channels.opened();
    this.#outbox.opened(this.#connections, welcome.maxMessageBytes);
    this.#opening.resolve(welcome);
    this.#events.emit('open', { welcome, connections: this.#connections });
  }

  #receive(message: ServerMessage): void {
    const { type } = message;
    if (type === 'MESSAGE' || type === 'GAP') this.#channels.receive(message);
    else if (type === 'DRAIN') this.#drain(message);
    else if (type === 'TOKEN_EXPIRING') this.#renewal?.expiring();
    else if (type === 'COMMAND_RESULT' && this.#commands.receive(message)) return;
    else if (!this.#outbox.answer(message) && type !== 'ACK' && type !== 'PONG')
      this.#events.emit('push', message);
  }

  #drain(message: ServerMessage): void {
    if (this.#state !== 'open') return;
    const { clock, chance } = this.#parts;
    const { minMs, maxMs } = fieldsOf(message);
    const window = { minMs: numberOf(minMs) ?? 0, maxMs: numberOf(maxMs) ?? numberOf(minMs) ?? 0 };
    const delayMs = withinMs(window, this.#options.serverCapMs, chance());
    this.#drainDueMs = clock.nowMs() + delayMs;
    this.#outbox.pause();
    this.#renewal?.stop();
    // A server that stays after all is left when the time has come.
    this.#cancelWait = clock.schedule(delayMs, () => {
      this.#link?.drop();
      this.#ended({
        code: 1001,
        reason: '',
        by: 'network',
        detail: 'the server announced its end and stayed',
      });
    });
    this.#enter('draining');
    this.#events.emit('drain', { ...window, delayMs });
  }

  /** The connection is over, or the attempt at one; `cause` when it was the token's fault. */
  #ended(end: SocketEnd, cause?: ClientError): void {
    const wasOpen = this.#state === 'open' || this.#state === 'draining';
    const wasConnecting = this.#state === 'connecting';
    this.#leave();
    if (this.#state === 'closing') {
      this.#gone();
      return;
    }
    if (!wasOpen) this.#failures += 1;
    // Browsers do not say why a handshake failed: it may have been the token.
    if (wasConnecting && end.httpStatus === undefined && !this.#parts.transport.canSendHeaders) {
      this.#token = undefined;
    }
    const { backOff, serverCapMs, maxAttempts } = this.#options;
    const dueMs = this.#drainDueMs;
    this.#drainDueMs = undefined;
    const verdict = verdictOn(end, {
      step: this.#step,
      backOff,
      serverCapMs,
      drainLeftMs: dueMs === undefined ? undefined : Math.max(0, dueMs - this.#parts.clock.nowMs()),
      mayRefresh: this.#tokens?.isRenewable === true && !this.#hasRefreshed,
      chance: this.#parts.chance(),
    });
    if (!cause) this.#events.emit('disconnected', { ...end, again: verdict.again });
    if (this.#isOver) return;
    if (!verdict.again) {
      this.#finish(verdict.error);
      return;
    }
    if (this.#failures >= maxAttempts) {
      const detail = end.detail ?? (end.reason || `code ${end.code}`);
      const text = `${this.#failures} attempts in a row failed, the last one with: ${detail}`;
      this.#finish(new ClientError('ATTEMPTS', text, { cause }));
      return;
    }
    if (verdict.why === 'refresh-token') {
      this.#hasRefreshed = true;
      this.#token = undefined;
      this.#reason = 'refused';
    }
    if (verdict.grows) this.#step += 1;
    this.#wait(verdict.delayMs, verdict.why);
  }

  #wait(delayMs: number, why: string): void {
    const { clock, connectivity } = this.#parts;
    const isOffline = why === 'back-off' && connectivity?.isOnline() === false;
    // Without a network it is tried now and then all the same: this machine's own servers need none.
    const waitMs = isOffline ? this.#options.backOff.maxMs : delayMs;
    this.#waitsFor = why;
    this.#cancelWait = clock.schedule(waitMs, () => this.#attempt());
    this.#enter('waiting');
    this.#events.emit('waiting', { delayMs: waitMs, why: isOffline ? 'offline' : why });
  }

  #networkChanged(): void {
    const { clock, connectivity, chance } = this.#parts;
    if (this.#state === 'open') {
      this.#link?.probe();
    } else if (this.#state === 'waiting' && this.#waitsFor === 'back-off' && connectivity?.isOnline()) {
      this.#cancelWait();
      this.#cancelWait = clock.schedule(chance() * 1000, () => this.#attempt());
    }
  }

  /** Lets go of the connection and of every timer that belongs to it. */
  #leave(): void {
    this.#link = undefined;
    this.#cancelWait();
    this.#cancelStable();
    this.#renewal?.stop();
    this.#renewal = undefined;
    this.#outbox.lost();
    this.#channels.lost();
    this.#commands.end('LOST');
  }

  /** The end, asked for or not: everything settles now, and the socket gets a moment for the close frame. */
  #finish(error: ClientError | undefined): void {
    const link = this.#link;
    const hasHandshake = this.#state !== 'connecting' && link !== undefined;
    this.#error = error;
    this.#unwatch();
    this.#tokens?.stop();
    const reason = this.#overError();
    this.#outbox.close(reason);
    this.#channels.close(reason, error === undefined);
    this.#commands.end(reason.code);
    this.#opening.reject(reason);
    this.#leave();
    if (!hasHandshake || !link) {
      link?.drop();
      this.#gone();
      return;
    }
    this.#cancelWait = this.#parts.clock.schedule(this.#options.closeTimeoutMs, () => {
      link.drop();
      this.#gone();
    });
    this.#enter('closing');
    link.close(1000, '');
  }

  #gone(): void {
    this.#cancelWait();
    this.#enter('closed');
    this.#events.emit('closed', { error: this.#error });
    this.#events.clear();
    this.#closed();
  }
}
