// Messages out and in: numbers them, writes them in batches, and judges what comes back.

import { nowUs } from './clock.ts';
import type { Correlator } from './correlation.ts';
import { inOrder, noNumber, pushed } from './correlation.ts';
import type { MessageTemplate } from './drivers/driver.ts';
import type { Lane } from './lane.ts';
import { type Kind, kinds, type Ledger, type Verdict } from './ledger.ts';
import type { MessageView } from './message-view.ts';
import type { Part } from './part.ts';
import type { Recorder } from './recorder.ts';

/** A connection with more unsent bytes than this is not given any more. */
const maxBufferedBytes = 1024 * 1024;
const maxSampleBytes = 4096;

/** Why a message that was due did not leave. */
export type UnsentReason = 'connection not open' | 'more than 1 MiB unsent' | 'too many outstanding';

/** What a run's traffic is made of. */
export interface TrafficParts {
  template: MessageTemplate;
  correlator: Correlator;
  ledger: Ledger;
  recorder: Recorder;
  /** Records the messages of the warm-up. */
  rehearsal: Recorder;
  /** Replies must equal the request. */
  echoes: boolean;
  /** More messages may follow with the id of one that was answered. */
  repeats: boolean;
  /** A ping follows each message, and its pong is the reply. */
  pings: boolean;
  /** Closed model: a message is due when it is sent. */
  dueWhenSent: boolean;
  /** The part of the run that this is: what its workers send differs in its number. */
  part: Part;
}

/** Sends and receives the messages of a run. */
export class Traffic {
  readonly ledger: Ledger;
  readonly recorder: Recorder;
  /** Called when a message of a connection, other than the probe, is no longer outstanding. */
  onSettled: ((connection: number) => void) | undefined;
  /** Called when all messages of a read were taken, as far as drivers say so. */
  onReadEnd: (() => void) | undefined;
  /** Messages are taken of a read whose end will be told. */
  isReading = false;
  /** Called when the fate of the probe is known. */
  onProbe: (() => void) | undefined;
  /** What became of the probe. */
  probe: 'none' | 'waiting' | 'answered' | 'rejected' | 'lost' = 'none';
  /** The first message that answered nothing, for people who have to describe a target. */
  unexpectedSample: string | undefined;
  /** Messages that answer a request of another connection. */
  crossed = 0;

  /** By kind of message. */
  readonly #books: readonly (Recorder | undefined)[];
  readonly #template: MessageTemplate;
  readonly #correlator: Correlator;
  readonly #echoes: boolean;
  readonly #repeats: boolean;
  readonly #pings: boolean;
  readonly #dueWhenSent: boolean;
  readonly #part: Part;
  /** The connections, by index: set once by their fleet. */
  lanes: readonly Lane[] = [];
  /** Connections with something to flush: the first so many of the list. */
  readonly #dirty: Lane[] = [];
  #dirtyCount = 0;
  /** Called when a connection has taken so many messages that it is time for the next one, or its last. */
  onWearing: ((lane: Lane) => void) | undefined;
  #batchFrom = 0;
  /** Number of the first message of each kind. */
  readonly #first = new Float64Array(Object.keys(kinds).length).fill(Number.POSITIVE_INFINITY);

  constructor(parts: TrafficParts) {
    this.ledger = parts.ledger;
    this.recorder = parts.recorder;
    // Looked up, not decided: what is decided otherwise for the first time is compiled anew, in the middle of a run.
    this.#books = bookList(parts);
    this.#template = parts.template;
    this.#correlator = parts.correlator;
    this.#echoes = parts.echoes;
    this.#repeats = parts.repeats;
    this.#pings = parts.pings;
    this.#dueWhenSent = parts.dueWhenSent;
    this.#part = parts.part;
  }

  /** Queues the message that is due on a connection for the next {@link flush}, or counts it as unsent. */
  send(lane: Lane, dueUs: number, kind: Kind): void {
    const unsent = this.offer(lane, dueUs, kind);
    if (unsent === undefined) return;
    if (lane.isSlow && kind !== kinds.probe) this.recorder.slowConsumer(dueUs, 'unsent');
    else this.#book(kind)?.unsent(dueUs, unsent);
  }

  /**
   * Queues a message on a connection for the next {@link flush} if it can be taken, and otherwise says why not and counts
   * nothing: for a message that no schedule wanted.
   */
  offer(lane: Lane, dueUs: number, asked: Kind): UnsentReason | undefined {
    const { ledger } = this;
    if (!lane.isOpen) return 'connection not open';
    if (lane.bufferedBytes > maxBufferedBytes) return 'more than 1 MiB unsent';
    if (!ledger.reserve(dueUs)) return 'too many outstanding';
    if (!lane.queue(lane.template ?? this.#template, this.#numberOf(ledger.next), dueUs))
      return 'connection not open';
    if (this.#pings) lane.queuePing(ledger.next);
    const kind = lane.isSlow && asked !== kinds.probe ? kinds.slow : asked;
    const seq = ledger.add(lane.index, dueUs, kind);
    this.#first[kind] = Math.min(this.#first[kind] as number, seq);
    if (kind === kinds.probe) this.probe = 'waiting';
    else {
      lane.outstanding++;
      const left = --lane.left;
      if (left === lane.renewAt || left === 0) this.onWearing?.(lane);
    }
    if (!lane.isDirty) {
      lane.isDirty = true;
      this.#dirty[this.#dirtyCount++] = lane;
    }
    return undefined;
  }

  /**
   * Writes what was queued, one call per connection, and notes when.
   *
   * @param atUs the time, where the caller has just looked at the clock
   */
  flush(atUs?: number): void {
    const { ledger, recorder } = this;
    for (let i = 0; i < this.#dirtyCount; i++) {
      const lane = this.#dirty[i] as Lane;
      lane.flushedUs = i === 0 && atUs !== undefined ? atUs : nowUs();
      lane.flush();
      lane.isDirty = false;
    }
    for (let seq = this.#batchFrom; seq < ledger.next; seq++) {
      const lane = this.#laneOf(seq);
      const atUs = lane.flushedUs;
      ledger.setSent(seq, atUs);
      if (this.#dueWhenSent) ledger.setDue(seq, atUs);
      recorder.totalSent++;
      const kind = ledger.kind(seq);
      const book = this.#book(kind);
      if (book) {
        const { bytes } = lane.template ?? this.#template;
        book.sent(bytes.length, atUs, this.#dueWhenSent ? null : Math.max(0, atUs - ledger.dueUs(seq)));
      } else if (kind === kinds.slow) {
        recorder.slowConsumer(ledger.dueUs(seq), 'sent');
      }
    }
    this.#batchFrom = ledger.next;
    this.#dirtyCount = 0;
  }

  /** True when a message names the message of ours that it answers. */
  isReply(view: MessageView): boolean {
    return this.#correlator.read(view) >= 0;
  }

  /** Takes a message that a connection received. */
  received(lane: Lane, view: MessageView, atUs: number): void {
    const { ledger, recorder } = this;
    let seq = this.#correlator.read(view);
    if (seq === pushed) {
      this.push(view.length, atUs);
      return;
    }
    recorder.totalReceived++;
    if (seq === inOrder) seq = ledger.takeInLine(lane.index);
    else if (this.#part.workers > 1) seq = this.#seqOf(seq);
    if (ledger.isOverdue(seq, atUs) && ledger.connection(seq) === lane.index) this.#lose(seq);
    const verdict = ledger.answer(seq, lane.index);
    if (verdict === 'unexpected') {
      if (ledger.remembers(seq)) this.crossed++;
      if (recorder.isMeasuring(atUs)) this.#count('messages.unexpected', view.length, atUs);
      this.unexpectedSample ??= view.buf.toString(
        'utf8',
        view.start,
        Math.min(view.end, view.start + maxSampleBytes),
      );
    } else if (verdict === 'fresh') {
      const kind = ledger.kind(seq);
      const book = this.#book(kind);
      const isAltered = book !== undefined && this.#echoes && !this.#isEcho(lane, seq, view);
      this.#fresh(seq, lane.index, view.length, atUs);
      if (isAltered && this.#correlator.refusal === null) book.counters['messages.corrupt']++;
    } else if (this.#repeats && (verdict === 'duplicate' || !ledger.remembers(seq))) {
      if (recorder.isMeasuring(atUs)) this.#count('messages.push', view.length, atUs);
    } else this.#again(lane, seq, verdict, view.length, atUs);
  }

  /** All messages of a read were taken. */
  readEnd(): void {
    this.isReading = false;
    this.onReadEnd?.();
  }

  /** Takes the pong to the ping that followed message `seq`, and so the reply to it and to all before it. */
  pong(lane: Lane, seq: number, atUs: number): void {
    const { ledger } = this;
    // Peers may send pongs that nobody asked for. RFC 6455 §5.5.3
    if (!ledger.remembers(seq) || ledger.connection(seq) !== lane.index) return;
    for (
      let one = ledger.firstInLine(lane.index);
      one >= 0 && one <= seq;
      one = ledger.firstInLine(lane.index)
    ) {
      ledger.takeInLine(lane.index);
      if (ledger.isOverdue(one, atUs)) this.#lose(one);
      const verdict = ledger.answer(one, lane.index);
      if (verdict === 'fresh') this.#fresh(one, lane.index, 0, atUs);
      else this.#again(lane, one, verdict, 0, atUs);
    }
  }

  /** Counts a message that the target pushed. */
  push(bytes: number, atUs: number): void {
    this.recorder.totalReceived++;
    if (this.recorder.isMeasuring(atUs)) this.#count('messages.push', bytes, atUs);
  }

  /** Gives up every message that is overdue. */
  sweep(atUs: number): void {
    for (let seq = this.ledger.nextOverdue(atUs); seq >= 0; seq = this.ledger.nextOverdue(atUs))
      this.#lose(seq);
  }

  /** What records the messages of a kind; none does those of slow consumers, and the probe. */
  #book(kind: Kind): Recorder | undefined {
    return this.#books[kind];
  }

  #probed(fate: 'answered' | 'rejected' | 'lost'): void {
    this.probe = fate;
    this.onProbe?.();
  }

  /** The number that message `seq` bears, which no other worker's message does. */
  #numberOf(seq: number): number {
    return seq * this.#part.workers + this.#part.worker;
  }

  /** Which message of ours bears a number; {@link noNumber}: none does. */
  #seqOf(number: number): number {
    const { worker, workers } = this.#part;
    if (number < 0 || workers === 1) return number;
    if (number % workers === worker) return (number - worker) / workers;
    // The workers are about equally far.
    if (this.ledger.remembers(Math.floor(number / workers))) this.crossed++;
    return noNumber;
  }

  #fresh(seq: number, connection: number, bytes: number, atUs: number): void {
    const { ledger, recorder } = this;
    const { refusal } = this.#correlator;
    const kind = ledger.kind(seq);
    if (kind === kinds.probe) {
      this.#probed(refusal === null ? 'answered' : 'rejected');
      return;
    }
    const lane = this.lanes[connection];
    if (lane) lane.outstanding--;
    if (kind === kinds.slow) {
      recorder.slowConsumer(ledger.dueUs(seq), refusal === null ? 'matched' : 'rejected');
      this.onSettled?.(connection);
      return;
    }
    if (refusal === null) recorder.reply(atUs);
    // Probe and slow consumers were dealt with: what is left has a recorder.
    const book = this.#book(kind) as Recorder;
    book.received(bytes, atUs);
    if (refusal !== null) book.rejected(ledger.dueUs(seq), refusal);
    else {
      book.matched(ledger.dueUs(seq), ledger.sentUs(seq), atUs);
      if (ledger.isReordered(seq, connection)) book.counters['messages.reordered']++;
    }
    this.onSettled?.(connection);
  }

  /** Counts a reply to a message that was lost or answered before. */
  #again(lane: Lane, seq: number, verdict: Verdict, bytes: number, atUs: number): void {
    if (lane.isSlow || this.#kindOf(seq) !== kinds.measured) return;
    this.#count(verdict === 'late' ? 'messages.late' : 'messages.duplicate', bytes, atUs);
  }

  #isEcho(lane: Lane, seq: number, { buf, start, end }: MessageView): boolean {
    // Stamped with the reply's number, the template is the request again, so all of it can be compared at once.
    const template = lane.template ?? this.#template;
    template.stamp(this.#numberOf(seq));
    return isSame(template.bytes, buf, start, end);
  }

  #lose(seq: number): void {
    const { ledger, recorder } = this;
    ledger.lose(seq);
    const kind = ledger.kind(seq);
    const book = this.#book(kind);
    if (book) book.lost(ledger.dueUs(seq));
    else if (kind === kinds.slow) recorder.slowConsumer(ledger.dueUs(seq), 'lost');
    else this.#probed('lost');
    if (kind === kinds.probe) return;
    const connection = ledger.connection(seq);
    const lane = this.lanes[connection];
    if (lane) lane.outstanding--;
    this.onSettled?.(connection);
  }

  #count(
    name: 'messages.push' | 'messages.unexpected' | 'messages.late' | 'messages.duplicate',
    bytes: number,
    atUs: number,
  ): void {
    this.recorder.counters[name]++;
    this.recorder.received(bytes, atUs);
  }

  #kindOf(seq: number): Kind {
    if (this.ledger.remembers(seq)) return this.ledger.kind(seq);
    return seq >= (this.#first[kinds.measured] as number) ? kinds.measured : kinds.warmup;
  }

  #laneOf(seq: number): Lane {
    const lane = this.lanes[this.ledger.connection(seq)];
    if (!lane) throw new RangeError(`message ${seq} has no connection`);
    return lane;
  }
}

function bookList({ recorder, rehearsal }: TrafficParts): (Recorder | undefined)[] {
  const books: (Recorder | undefined)[] = Object.values(kinds).map(() => undefined);
  books[kinds.warmup] = rehearsal;
  books[kinds.measured] = recorder;
  return books;
}

// Up to here a loop is faster than a call of what is not JavaScript.
const mostLooped = 128;

function isSame(bytes: Buffer, buf: Buffer, start: number, end: number): boolean {
  const { length } = bytes;
  if (end - start !== length) return false;
  if (length > mostLooped) return bytes.compare(buf, start, end) === 0;
  for (let i = 0; i < length; i++) if (bytes[i] !== buf[start + i]) return false;
  return true;
}
