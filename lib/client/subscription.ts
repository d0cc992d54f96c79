// A channel as its subscriber sees it: messages and gaps, by events or by an async iterator.
import { Emitter } from './emitter.ts';
import type { ClientError } from './errors.ts';

/**
 * Which message of a channel: offsets grow by one within an epoch, which ends when the server's log is started anew.
 *
 * @example
 * import { createClient, type Position } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const news = await client.subscribe('news');
 * const position: Position | undefined = news.position;
 * console.log(position?.offset); // 0
 * await client.close();
 */
export interface Position {
  epoch: string;
  offset: number;
}

/**
 * A message of a channel.
 *
 * @example
 * import { type ChannelMessage, createClient } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const news = await client.subscribe('news');
 * const first = new Promise<ChannelMessage>((resolve) => news.on('message', resolve));
 * await client.publish('news', { headline: 'hello' });
 * console.log((await first).data); // { headline: 'hello' }
 * await client.close();
 */
export interface ChannelMessage extends Position {
  type: 'message';
  channel: string;
  data: unknown;
}

/**
 * Messages that are missing: fetch the state anew, then go on from here.
 *
 * - `server`: the server no longer has them.
 * - `skipped`: an offset is missing.
 * - `unread`: they came and were dropped, because more than `maxUnread` were waiting to be read.
 *
 * @example
 * import { createClient, type Gap } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const gap = new Promise<Gap>((resolve) => client.on('gap', resolve));
 * await client.subscribe('news', { since: { epoch: 'of last week', offset: 7 } });
 * console.log((await gap).reason); // server
 * await client.close();
 */
export interface Gap {
  type: 'gap';
  channel: string;
  reason: 'server' | 'skipped' | 'unread';
  /** The last message before the gap. */
  after: Position | undefined;
  /** What comes next is newer than this. */
  before: Position;
}

/**
 * What a subscription tells, by name.
 *
 * @example
 * import { createClient, type SubscriptionEvents } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const news = await client.subscribe('news');
 * news.on('ended', ({ error }: SubscriptionEvents['ended']) => console.log(error?.code ?? 'unsubscribed')); // unsubscribed
 * await news.unsubscribe();
 * await client.close();
 */
export interface SubscriptionEvents {
  message: ChannelMessage;
  gap: Gap;
  /** The server has this subscription, for the first time or again; `recovered`: with everything that was missed. */
  subscribed: Position & { recovered: boolean };
  /** Nothing follows; with an error unless `unsubscribe()` was called. */
  ended: { error: ClientError | undefined };
}

/** How a subscription reaches what keeps it. */
export interface SubscriptionOwner {
  maxUnread: number;
  gap: (gap: Gap) => void;
  unsubscribe: () => Promise<void>;
}

/**
 * A subscription that survives reconnects: it is restored from the last message that was seen, and says when something is missing.
 * Every listener gets every message; several iterators share the messages among them. Until there is a listener for messages or an
 * iterator, messages and gaps wait for the first of them, in order.
 *
 * @example
 * import { createClient, type Subscription } from 'wsbench/client';
 * const client = createClient('wss://service.example/ws', { token: getToken });
 * await client.connect();
 * const news: Subscription = await client.subscribe('news');
 * await client.publish('news', { headline: 'hello' });
 * for await (const item of news) {
 *   if (item.type === 'gap') console.log('fetch the state anew');
 *   else console.log(item.offset, item.data); // 1 { headline: 'hello' }
 *   break; // leaves the loop, and the subscription as it is
 * }
 * await news.unsubscribe();
 * await client.close();
 */
export class Subscription implements AsyncIterable<ChannelMessage | Gap> {
  readonly channel: string;
  readonly #owner: SubscriptionOwner;
  readonly #events = new Emitter<SubscriptionEvents>();
  #position: Position | undefined;
  #unread: (ChannelMessage | Gap)[] = [];
  #readers: {
    resolve: (result: IteratorResult<ChannelMessage | Gap>) => void;
    reject: (error: unknown) => void;
  }[] = [];
  #isIterated = false;
  #end: { error: ClientError | undefined } | undefined;

  /** @internal */
  constructor(channel: string, since: Position | undefined, owner: SubscriptionOwner) {
    this.channel = channel;
    this.#position = since;
    this.#owner = owner;
  }

  /** The last message that was seen: what `since` of another subscription may be. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Whether nothing follows any more. */
  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Calls `listener` at every such event until the returned function is called. The first for messages gets what has waited. */
  on<K extends keyof SubscriptionEvents>(
    type: K,
    listener: (event: SubscriptionEvents[K]) => void,
  ): () => void {
    // In a moment, so that a listener for gaps that is added next hears them in their place.
    if (type === 'message') queueMicrotask(() => this.#flush());
    return this.#events.on(type, listener);
  }

  /** Ends it, here and on the server. Resolves when the server has confirmed, or the connection has ended. */
  unsubscribe(): Promise<void> {
    return this.#owner.unsubscribe();
  }

  /**
   * Messages and gaps in order. It ends after `unsubscribe()`, and throws the error that ended the subscription otherwise. Leaving
   * the loop early does not unsubscribe.
   */
  [Symbol.asyncIterator](): AsyncIterator<ChannelMessage | Gap, undefined> {
    this.#isIterated = true;
    return {
      next: () =>
        new Promise((resolve, reject) => {
          const item = this.#unread.shift();
          if (item) resolve({ done: false, value: item });
          else if (this.#end?.error) reject(this.#end.error);
          else if (this.#end) resolve({ done: true, value: undefined });
          else this.#readers.push({ resolve, reject });
        }),
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  /** @internal The server's answer to SUBSCRIBE. */
  restored(at: Position, recovered: boolean): void {
    // With everything that was missed on its way, the position moves with it.
    if (this.#position === undefined) this.#position = at;
    else if (!recovered) this.lose('server', at);
    this.#events.emit('subscribed', { ...at, recovered });
  }

  /** @internal A message came. One that was seen already is not handed on again. */
  receive(at: Position, data: unknown): void {
    const seen = this.#position;
    if (seen && seen.epoch === at.epoch) {
      if (at.offset <= seen.offset) return;
      if (at.offset > seen.offset + 1) this.lose('skipped', { epoch: at.epoch, offset: at.offset - 1 });
    } else if (seen) {
      this.lose('skipped', { epoch: at.epoch, offset: at.offset - 1 });
    }
    this.#position = at;
    this.#hand({ type: 'message', channel: this.channel, epoch: at.epoch, offset: at.offset, data });
  }

  /** @internal Messages up to `before` are missing. */
  lose(reason: Gap['reason'], before: Position): void {
    const after = this.#position;
    if (after?.epoch === before.epoch && after.offset >= before.offset) return;
    this.#position = before;
    const gap: Gap = { type: 'gap', channel: this.channel, reason, after, before };
    this.#hand(gap);
    this.#owner.gap(gap);
  }

  /** @internal Nothing follows. */
  end(error: ClientError | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    for (const { resolve, reject } of this.#readers) {
      if (error) reject(error);
      else resolve({ done: true, value: undefined });
    }
    this.#readers = [];
    this.#events.emit('ended', { error });
    this.#events.clear();
  }

  #hand(item: ChannelMessage | Gap): void {
    if (!this.#isIterated && (this.#unread.length > 0 || this.#events.count('message') === 0)) {
      this.#keep(item);
      return;
    }
    this.#events.emit(item.type, item as never);
    if (!this.#isIterated) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: item });
    else this.#keep(item);
  }

  #flush(): void {
    while (!this.#isIterated && this.#events.count('message') > 0) {
      const item = this.#unread.shift();
      if (!item) return;
      this.#events.emit(item.type, item as never);
    }
  }

  #keep(item: ChannelMessage | Gap): void {
    this.#unread.push(item);
    if (this.#unread.length <= this.#owner.maxUnread) return;
    // The oldest go, and one gap in front says so.
    const [first, second] = this.#unread.splice(0, 2);
    if (!first || !second) return;
    const after = first.type === 'gap' ? first.after : { epoch: first.epoch, offset: first.offset - 1 };
    const before = second.type === 'gap' ? second.before : { epoch: second.epoch, offset: second.offset };
    const gap: Gap = { type: 'gap', channel: this.channel, reason: 'unread', after, before };
    this.#unread.unshift(gap);
    this.#owner.gap(gap);
  }
}
