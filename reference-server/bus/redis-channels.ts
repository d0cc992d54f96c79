// Channels: publish appends and tells in one step; subscribers hear each message once and in order, or are told of a gap.
import { randomUUID } from 'node:crypto';
import { rememberMs } from './answers.ts';
import type { BusMessage, Position, Published, Subscription } from './bus.ts';
import { PerSession } from './per-session.ts';
import type { RedisContext, RedisPart } from './redis-context.ts';
import { Feed, FeedSubscriber, type LogPart } from './redis-feed.ts';
import { countScript, keepScript, publishScript, readScript } from './redis-scripts.ts';
import type { RedisSession } from './redis-session.ts';
import { channelWire, readWire, wireVersion } from './redis-wire.ts';

/** Logs that are read at a time when everything is resumed. */
const atATime = 200;

/** How a feed gets on. */
interface Line {
  feed: Feed;
  /** Hearing the channel. */
  readonly opening: PerSession<RedisSession>;
  /** Reading the log. */
  readonly reading: PerSession<RedisSession>;
  keptAtMs: number;
}

export class RedisChannels implements RedisPart {
  readonly #context: RedisContext;
  readonly #lines = new Map<string, Line>();
  readonly #start: string;

  constructor(context: RedisContext) {
    this.#context = context;
    this.#start = `{"v":${wireVersion},"p":${JSON.stringify(context.names.prefix)},`;
  }

  async publish(tenant: string, channel: string, data: unknown, effectId?: string): Promise<Published> {
    const { link, names, bounds } = this.#context;
    const { session } = link;
    const keys = [...names.channelKeys(tenant, channel), names.instances];
    if (effectId !== undefined) {
      keys.push(names.hashed('published', JSON.stringify([tenant, channel, effectId])));
    }
    const [epoch, offset, receivers] = (await session.run(publishScript, keys, [
      ...[session.runId, randomUUID(), bounds.keepLogMs, names.channel(tenant, channel), this.#start],
      ...[JSON.stringify(data) ?? 'null', bounds.maxMessages, bounds.maxBytes, rememberMs],
    ])) as [string, number, number];
    return { epoch, offset, receivers };
  }

  async subscribe(
    tenant: string,
    channel: string,
    onMessage: (message: BusMessage) => void,
    since?: Position,
    onGap?: (position: Position) => void,
  ): Promise<Subscription> {
    const { session } = this.#context.link;
    const name = this.#context.names.channel(tenant, channel);
    const line = this.#lines.get(name) ?? newLine(tenant, channel);
    this.#lines.set(name, line);
    const subscriber = new FeedSubscriber(onMessage, onGap);
    line.feed.subscribers.add(subscriber);
    try {
      await this.#open(line, name, session);
      const log = await this.#read(line.feed, session, since, false);
      subscriber.begin(log);
      return {
        epoch: log.epoch,
        offset: log.offset,
        recovered: log.recovered,
        missed: log.messages,
        unsubscribe: () => this.#leave(line, name, subscriber),
      };
    } catch (error) {
      await this.#leave(line, name, subscriber);
      throw error;
    }
  }

  names(): string[] {
    return [...this.#lines.keys()];
  }

  message(name: string, text: string): boolean {
    const line = this.#lines.get(name);
    if (!line) return false;
    const read = readWire(channelWire, text, this.#context.names.prefix);
    if (!read.ok) {
      this.#context.dropped(read.why);
      return true;
    }
    const { feed } = line;
    const { e: epoch, o: offset, d: data } = read.body;
    feed.receive({ channel: feed.channel, epoch, offset, data });
    // Before the first reading nobody knows what would be in line; whoever opened the channel reads.
    const { session } = line.opening;
    if (feed.isBehind && feed.position && session) this.#catchUp(line, session).catch(() => {});
    return true;
  }

  async resume(session: RedisSession, isNew: boolean): Promise<void> {
    const lines = [...this.#lines.values()];
    for (const line of lines) {
      if (!isNew) continue;
      line.opening.settle(session);
      line.feed.doubt();
    }
    const behind = lines.filter(({ feed }) => feed.isBehind);
    for (let from = 0; from < behind.length; from += atATime) {
      await Promise.all(behind.slice(from, from + atATime).map((line) => this.#catchUp(line, session)));
    }
  }

  async beat(session: RedisSession): Promise<void> {
    const { names, bounds } = this.#context;
    const nowMs = performance.now();
    for (const line of this.#lines.values()) {
      if (line.feed.isBehind && line.feed.position) this.#catchUp(line, session).catch(() => {});
      if (nowMs - line.keptAtMs < bounds.keepLogMs / 4) continue;
      line.keptAtMs = nowMs;
      const { tenant, channel } = line.feed;
      session.run(keepScript, names.channelKeys(tenant, channel), [bounds.keepLogMs]).catch(() => {
        line.keptAtMs = 0;
      });
    }
  }

  /** Forgets everybody; nothing is handed over any more. */
  clear(): void {
    for (const { feed } of this.#lines.values()) feed.subscribers.clear();
    this.#lines.clear();
  }

  /** Hears the channel and knows where its log stands. */
  #open(line: Line, name: string, session: RedisSession): Promise<void> {
    return line.opening.run(session, async () => {
      await session.subscribe([name]);
      await this.#catchUp(line, session);
    });
  }

  /** Reads the log until what comes is in line again. */
  #catchUp(line: Line, session: RedisSession): Promise<void> {
    return line.reading.run(session, (isCurrent) => this.#readUp(line.feed, session, isCurrent));
  }

  async #readUp(feed: Feed, session: RedisSession, isCurrent: () => boolean): Promise<void> {
    while (feed.isBehind) {
      const held = feed.startReading();
      const log = await this.#read(feed, session, feed.position, true);
      if (!isCurrent()) return;
      for (let strays = feed.catchUp(log, held); strays > 0; strays--) this.#context.dropped('unlogged');
    }
  }

  async #read(
    feed: Feed,
    session: RedisSession,
    since: Position | undefined,
    all: boolean,
  ): Promise<LogPart> {
    const { names, bounds, instance } = this.#context;
    const [epoch, offset, found, data] = (await session.run(
      readScript,
      names.channelKeys(feed.tenant, feed.channel),
      [
        ...[session.runId, randomUUID(), bounds.keepLogMs, instance, feed.subscribers.size],
        ...[since?.epoch ?? '', since?.offset ?? 0, all ? 1 : 0],
      ],
    )) as [string, number, number, string[]];
    const messages = data.map((text, index) => ({
      channel: feed.channel,
      epoch,
      offset: offset - data.length + 1 + index,
      data: JSON.parse(text) as unknown,
    }));
    return { epoch, offset, recovered: found === 1, messages };
  }

  /** Never rejects: what Redis does not hear now it forgets with the instance or the log. */
  async #leave(line: Line, name: string, subscriber: FeedSubscriber): Promise<void> {
    const { link, names, instance } = this.#context;
    const { feed } = line;
    if (!feed.subscribers.delete(subscriber)) return;
    const isLast = feed.subscribers.size === 0;
    if (isLast && this.#lines.get(name) === line) this.#lines.delete(name);
    if (!link.isUp) return;
    const { session } = link;
    const [, , counts] = names.channelKeys(feed.tenant, feed.channel);
    await Promise.allSettled([
      isLast ? session.unsubscribe(name) : undefined,
      session.run(countScript, [counts], [instance, feed.subscribers.size]),
    ]);
  }
}

function newLine(tenant: string, channel: string): Line {
  return {
    feed: new Feed(tenant, channel),
    opening: new PerSession(true),
    reading: new PerSession(false),
    keptAtMs: performance.now(),
  };
}
