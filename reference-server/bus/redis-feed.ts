// One channel as one instance hears it: in order, each message once, and a gap said aloud. Pure: what to read is told by the caller.
import type { BusMessage, Position } from './bus.ts';

/** What a log has, from a place on. */
export interface LogPart extends Position {
  /** Whether the place was found. */
  recovered: boolean;
  /** Up to `offset`, oldest first. */
  messages: BusMessage[];
}

type Happening = { message: BusMessage } | { gap: Position };

/** Messages that wait while the log is read. What does not fit is read from there again. */
const maxHeld = 10_000;

/** Somebody who listens. Until told from where on, it keeps what comes. */
export class FeedSubscriber {
  readonly #onMessage: (message: BusMessage) => void;
  readonly #onGap: (position: Position) => void;
  #waiting: Happening[] | undefined = [];
  #since: Position = { epoch: '', offset: 0 };

  constructor(onMessage: (message: BusMessage) => void, onGap: (position: Position) => void = () => {}) {
    this.#onMessage = onMessage;
    this.#onGap = onGap;
  }

  /** Everything after `since` is for it; what came before was handed over otherwise. */
  begin(since: Position): void {
    this.#since = since;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const each of waiting) this.take(each);
  }

  take(happening: Happening): void {
    if (this.#waiting) {
      this.#waiting.push(happening);
      return;
    }
    const at = 'gap' in happening ? happening.gap : happening.message;
    if (at.epoch === this.#since.epoch && at.offset <= this.#since.offset) return;
    if ('gap' in happening) this.#onGap(happening.gap);
    else this.#onMessage(happening.message);
  }
}

export class Feed {
  readonly tenant: string;
  readonly channel: string;
  readonly subscribers = new Set<FeedSubscriber>();
  /** Up to where subscribers have been served; unset before the log was read for the first time. */
  #position: Position | undefined;
  /** What came since the log must be read; unset while what comes is in line. */
  #held: BusMessage[] | undefined = [];

  constructor(tenant: string, channel: string) {
    this.tenant = tenant;
    this.channel = channel;
  }

  get position(): Position | undefined {
    return this.#position;
  }

  /** Whether the log must be read before anything more is handed over. */
  get isBehind(): boolean {
    return this.#held !== undefined;
  }

  /** From here on messages may be missing: they wait until the log has been read. */
  doubt(): void {
    this.#held ??= [];
  }

  /** Takes a message as it comes. */
  receive(message: BusMessage): void {
    if (this.#held) {
      this.#held.push(message);
      if (this.#held.length > maxHeld) this.#held.shift();
      return;
    }
    const at = this.#position;
    if (at?.epoch === message.epoch && message.offset <= at.offset) return;
    if (at?.epoch === message.epoch && message.offset === at.offset + 1) this.#handOver(message);
    else this.#held = [message];
  }

  /** To be called right before the log is read: gives what was held up to now, for {@link catchUp}. */
  startReading(): BusMessage[] {
    const held = this.#held ?? [];
    this.#held = [];
    return held;
  }

  /**
   * Goes on from the log, then with what came while it was read. Returns how many of `heldBefore` are not in the log, and so
   * are no messages of this channel. It may be behind again afterwards.
   */
  catchUp(log: LogPart, heldBefore: readonly BusMessage[]): number {
    const isFirst = this.#position === undefined;
    if (!isFirst && !log.recovered) {
      const [first] = log.messages;
      this.#moveTo({ epoch: log.epoch, offset: first ? first.offset - 1 : log.offset });
    }
    this.#position ??= { epoch: log.epoch, offset: log.offset };
    if (!isFirst) for (const message of log.messages) this.#handOver(message);
    const since = this.#held ?? [];
    this.#held = undefined;
    for (const message of since) this.receive(message);
    return heldBefore.filter(({ epoch, offset }) => epoch !== log.epoch || offset > log.offset).length;
  }

  #moveTo(gap: Position): void {
    this.#position = gap;
    for (const subscriber of this.subscribers) subscriber.take({ gap });
  }

  #handOver(message: BusMessage): void {
    this.#position = { epoch: message.epoch, offset: message.offset };
    for (const subscriber of this.subscribers) subscriber.take({ message });
  }
}
