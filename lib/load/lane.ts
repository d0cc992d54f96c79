// One connection of a run, with what the hot path needs to know of it.
import { never } from './clock.ts';
import type {
  ClosedBy,
  Connection,
  ConnectSplit,
  FailureKind,
  MessageTemplate,
  Sink,
} from './drivers/driver.ts';
import type { MessageView } from './message-view.ts';
import type { DropKind } from './reconnect/storm.ts';

const goingAway = 1001;

/** What a lane tells its owner. */
export interface LaneOwner {
  /** Where each message is looked at. */
  readonly view: MessageView;
  laneOpened(lane: Lane, split: ConnectSplit): void;
  /** A message is in the {@link view}. */
  laneMessage(lane: Lane, atUs: number): void;
  /** All messages of one read were told, by a driver that says so. */
  laneReadEnd(): void;
  lanePong(lane: Lane, sentUs: number, atUs: number): void;
  lanePongOf(lane: Lane, seq: number, atUs: number): void;
  laneClosed(lane: Lane, code: number, by: ClosedBy, clean: boolean): void;
  laneFailed(lane: Lane, kind: FailureKind, detail: string, retryAfterMs?: number): void;
}

/** Where a connection stands. */
export type LanePlace = Pick<Lane, 'index' | 'place' | 'number' | 'isSlow'>;

/**
 * A connection from the attempt to its end. `left`: the attempt was given up by us. `leaving`: it is open, gets no more
 * messages, and is closed when those under way are decided.
 */
export class Lane implements Sink {
  /** What its messages are entered under; no other connection of its worker has it at the same time. */
  readonly index: number;
  /** The place that it has, or is to have, among the connections of its worker. */
  readonly place: number;
  /** The number of that place in the run. */
  readonly number: number;
  /** It reads slowly. */
  readonly isSlow: boolean;
  state: 'idle' | 'connecting' | 'open' | 'leaving' | 'closed' | 'failed' | 'left' = 'idle';
  /** It is open, has its place, and is asked for. */
  isUp = false;
  /** The next connection of its place takes over as soon as it is open. */
  isReplaced = false;
  /** Its end was begun by us while the load went on. */
  isClosing = false;
  /** Messages of the load that are under way. */
  outstanding = 0;
  /** Messages of the load that it may still take, and at how many it is time to open the next connection of its place. */
  left = Number.POSITIVE_INFINITY;
  renewAt = -1;
  /** It waits to be filled, and how many of its messages wait for their time to be sent (closed model). */
  isReady = false;
  thinking = 0;
  /** The lane's own message, where its token is part of it. */
  template: MessageTemplate | undefined;
  /** After the messages of a read comes {@link readEnd}. */
  tellsReadEnds = false;
  /** Messages are queued that have not been flushed. */
  isDirty = false;
  /** When the last batch was written. */
  flushedUs = never;
  /** A ping was sent that is not answered yet, and when the last one was sent. */
  isPinged = false;
  pingedUs = never;
  openedUs = never;
  /** When we dropped it to see whether it comes back. */
  droppedUs = never;
  /** The server said that it goes, and when to come back. */
  drain: { toldUs: number; minMs: number; maxMs: number } | undefined;
  /** When a message, and when the pong to one of our pings, came last. */
  receivedUs = never;
  pongedUs = never;

  readonly #owner: LaneOwner;
  #connection: Connection | undefined;

  constructor({ index, place, number, isSlow }: LanePlace, owner: LaneOwner) {
    this.index = index;
    this.place = place;
    this.number = number;
    this.isSlow = isSlow;
    this.#owner = owner;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get bufferedBytes(): number {
    return this.#connection?.bufferedBytes ?? 0;
  }

  attach(connection: Connection): void {
    this.#connection = connection;
  }

  queue(template: MessageTemplate, seq: number, dueUs: number): boolean {
    return this.#connection?.queue(template, seq, dueUs) ?? false;
  }

  queuePing(seq: number): void {
    this.#connection?.queuePing(seq);
  }

  flush(): void {
    this.#connection?.flush();
  }

  sendText(text: string): boolean {
    return this.#connection?.sendText(text) ?? false;
  }

  ping(): void {
    this.#connection?.ping();
  }

  close(): void {
    this.#connection?.close(1000, '');
  }

  /** Stops reading, and goes on with it. */
  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  abort(): void {
    this.#connection?.abort();
  }

  /** Lets it go without the schedule's leave: its client is expected to come back. */
  drop(how: DropKind, atUs: number): void {
    this.droppedUs = atUs;
    const connection = this.#connection;
    if (how === 'close') connection?.close(goingAway, '');
    else if (how === 'rst' && connection?.reset) connection.reset();
    else connection?.abort();
  }

  opened(split: ConnectSplit): void {
    this.state = 'open';
    this.#owner.laneOpened(this, split);
  }

  message(buf: Buffer, start: number, end: number, _opcode: 1 | 2, atUs: number): void {
    this.#owner.view.hold(buf, start, end);
    this.#owner.laneMessage(this, atUs);
  }

  readEnd(): void {
    this.#owner.laneReadEnd();
  }

  pong(sentUs: number, atUs: number): void {
    this.#owner.lanePong(this, sentUs, atUs);
  }

  pongOf(seq: number, atUs: number): void {
    this.#owner.lanePongOf(this, seq, atUs);
  }

  closed(code: number, by: ClosedBy, clean: boolean): void {
    this.state = 'closed';
    this.#owner.laneClosed(this, code, by, clean);
  }

  failed(kind: FailureKind, detail: string, retryAfterMs?: number): void {
    if (this.state === 'connecting') this.state = 'failed';
    this.#owner.laneFailed(this, kind, detail, retryAfterMs);
  }
}
