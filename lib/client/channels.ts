// The subscriptions of a client: which there should be, and restoring them on every connection.
import type { ClientClock } from './clock.ts';
import { ClientError } from './errors.ts';
import { type Fields, fieldsOf, numberOf, type ServerMessage, textOf } from './messages.ts';
import type { Outgoing } from './outbox.ts';
import { type Gap, type Position, Subscription } from './subscription.ts';

/**
 * How a subscription starts.
 *
 * @example
 * import { createClient, type SubscribeOptions } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * const news = await Promise.all([client.connect(), client.subscribe('news')]).then(([, subscription]) => subscription);
 * const kept = JSON.stringify(news.position); // for the next start of this program
 * await news.unsubscribe();
 * const options: SubscribeOptions = { since: JSON.parse(kept), timeoutMs: 5000 };
 * await client.subscribe('news', options);
 * await client.close();
 */
export interface SubscribeOptions {
  /** The last message that was seen, before this program was started perhaps: what came after it is delivered, or a gap is told. */
  since?: Position;
  /** Deadline of the server's first answer; the client's `timeoutMs` by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What the subscriptions stand on. */
export interface ChannelsParts {
  clock: ClientClock;
  maxUnread: number;
  timeoutMs: number;
  chance: () => number;
  /** Sends a request that belongs to the present connection. */
  ask: (type: string, payload: unknown, answered?: Outgoing['answered']) => Promise<ServerMessage>;
  isOpen: () => boolean;
  gap: (gap: Gap) => void;
}

interface Channel {
  subscription: Subscription;
  /** Whether the server has confirmed it on this connection: before that, what comes belongs to an older one. */
  isLive: boolean;
  cancelRetry: () => void;
  /** Settles the promise of `subscribe`, the first time. */
  settle: (error?: ClientError) => void;
}

/** Refusals that another try on this connection may overcome. */
const passing = ['INTERNAL', 'NOT_DELIVERED', 'RATE_LIMITED', 'AUTH_UNAVAILABLE'];

/** Keeps the server's subscriptions equal to those asked for. */
export class Channels {
  readonly #parts: ChannelsParts;
  readonly #channels = new Map<string, Channel>();

  constructor(parts: ChannelsParts) {
    this.#parts = parts;
  }

  /** The channels that are asked for. */
  get names(): string[] {
    return [...this.#channels.keys()];
  }

  /** Adds a channel, and resolves when the server has confirmed it. */
  add(name: string, options: SubscribeOptions): Promise<Subscription> {
    const { clock, maxUnread } = this.#parts;
    const { since, signal, timeoutMs = this.#parts.timeoutMs } = options;
    return new Promise((resolve, reject) => {
      if (this.#channels.has(name)) {
        reject(new ClientError('USAGE', `${name}: there is a subscription already`));
        return;
      }
      if (signal?.aborted) {
        reject(new ClientError('ABORTED', `${name}: the caller gave up`, { cause: signal.reason }));
        return;
      }
      const subscription = new Subscription(name, since, {
        maxUnread,
        gap: this.#parts.gap,
        unsubscribe: () => this.#remove(name, channel, undefined),
      });
      const settle = (error?: ClientError): void => {
        channel.settle = () => {};
        cancel();
        signal?.removeEventListener('abort', abort);
        if (error) reject(error);
        else resolve(subscription);
      };
      const channel: Channel = { subscription, isLive: false, cancelRetry: () => {}, settle };
      const giveUp = (error: ClientError): void => {
        void this.#remove(name, channel, error);
      };
      const abort = (): void =>
        giveUp(new ClientError('ABORTED', `${name}: the caller gave up`, { cause: signal?.reason }));
      const cancel = clock.schedule(timeoutMs, () =>
        giveUp(new ClientError('TIMEOUT', `${name}: no answer within ${timeoutMs} ms`)),
      );
      signal?.addEventListener('abort', abort);
      this.#channels.set(name, channel);
      if (this.#parts.isOpen()) this.#subscribe(name, channel);
    });
  }

  /** A connection is open: everything is asked for anew. */
  opened(): void {
    for (const [name, channel] of this.#channels) this.#subscribe(name, channel);
  }

  /** The connection has ended. */
  lost(): void {
    for (const channel of this.#channels.values()) {
      channel.isLive = false;
      channel.cancelRetry();
    }
  }

  /** Takes MESSAGE and GAP. */
  receive(message: ServerMessage): void {
    const fields = fieldsOf(message);
    const channel = this.#channels.get(textOf(fields.channel) ?? '');
    const at = positionOf(fields);
    if (!channel?.isLive || !at) return;
    if (message.type === 'GAP') channel.subscription.lose('server', at);
    else channel.subscription.receive(at, fields.data);
  }

  /** Ends all of them. */
  close(error: ClientError, isAsked: boolean): void {
    for (const [name, channel] of this.#channels)
      this.#end(name, channel, error, isAsked ? undefined : error);
  }

  #subscribe(name: string, channel: Channel): void {
    const { ask, chance, clock, isOpen } = this.#parts;
    const { subscription } = channel;
    const since = subscription.position;
    const isCurrent = (): boolean => this.#channels.get(name) === channel;
    ask('SUBSCRIBE', since ? { channel: name, since } : { channel: name }, (message) => {
      if (isCurrent()) this.#confirm(channel, message);
    }).then(
      () => {},
      (error: ClientError) => {
        if (!isCurrent()) return;
        const isRefused = error.code === 'REFUSED' && !passing.includes(error.serverCode ?? '');
        if (isRefused || error.code === 'USAGE') {
          this.#end(name, channel, error, error);
        } else if (isOpen() && error.code !== 'LOST') {
          channel.cancelRetry = clock.schedule(1000 + chance() * 1000, () => this.#subscribe(name, channel));
        }
      },
    );
  }

  #confirm(channel: Channel, message: ServerMessage): void {
    const at = positionOf(fieldsOf(message));
    if (!at) return;
    channel.isLive = true;
    channel.subscription.restored(at, fieldsOf(message).recovered === true);
    channel.settle();
  }

  async #remove(name: string, channel: Channel, error: ClientError | undefined): Promise<void> {
    if (this.#channels.get(name) !== channel) return;
    const closed = new ClientError('CLOSED', `${name}: unsubscribed`);
    this.#end(name, channel, error ?? closed, error);
    if (!this.#parts.isOpen()) return;
    try {
      await this.#parts.ask('UNSUBSCRIBE', { channel: name });
    } catch {
      // The connection ended, and the subscription with it; or the server has none, which is what was wanted.
    }
  }

  #end(name: string, channel: Channel, forSubscribe: ClientError, error: ClientError | undefined): void {
    channel.cancelRetry();
    this.#channels.delete(name);
    channel.settle(forSubscribe);
    channel.subscription.end(error);
  }
}

function positionOf({ epoch, offset }: Fields): Position | undefined {
  const text = textOf(epoch);
  const number = numberOf(offset);
  return text === undefined || number === undefined ? undefined : { epoch: text, offset: number };
}
