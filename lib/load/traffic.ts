// Messages out and in: numbers them, writes them in batches, and judges what comes back.

import { nowUs } from './clock.ts';
import type { Correlator } from './correlation.ts';
import { inOrder, pushed } from './correlation.ts';
import type { MessageTemplate } from './drivers/driver.ts';
import type { Lane } from './lane.ts';
import { type Kind, kinds, type Ledger } from './ledger.ts';
import type { Recorder } from './recorder.ts';

/** A connection with more unsent bytes than this is not given any more. */
const maxBufferedBytes = 1024 * 1024;
const maxSampleBytes = 200;

/** Why a message that was due did not leave. */
export type UnsentReason = 'connection not open' | 'more than 1 MiB unsent' | 'too many outstanding';

/** What a run's traffic is made of. */
export interface TrafficParts {
  template: MessageTemplate;
  correlator: Correlator;
  ledger: Ledger;
  recorder: Recorder;
  /** Replies must equal the request. */
  echoes: boolean;
  /** Closed model: a message is due when it is sent. */
  dueWhenSent: boolean;
}

/** Sends and receives the messages of a run. */
export class Traffic {
  readonly ledger: Ledger;
  readonly recorder: Recorder;
  /** Called when a message of a connection, other than the probe, is no longer outstanding. */
  onSettled: ((connection: number) => void) | undefined;
  /** What became of the probe. */
  probe: 'none' | 'waiting' | 'answered' | 'rejected' | 'lost' = 'none';
  /** The first message that answered nothing, for people who have to describe a target. */
  unexpectedSample: string | undefined;
  /** Messages that answer a request of another connection. */
  crossed = 0;

  readonly #template: MessageTemplate;
  readonly #correlator: Correlator;
  readonly #echoes: boolean;
  readonly #dueWhenSent: boolean;
  /** The connections, by index: set once by their fleet. */
  lanes: readonly Lane[] = [];
  readonly #dirty: Lane[] = [];
  #batchFrom = 0;
  #firstMeasured = Number.POSITIVE_INFINITY;

  constructor(parts: TrafficParts) {
    this.ledger = parts.ledger;
    this.recorder = parts.recorder;
    this.#template = parts.template;
    this.#correlator = parts.correlator;
    this.#echoes = parts.echoes;
    this.#dueWhenSent = parts.dueWhenSent;
  }

  /** Queues the message that is due on a connection for the next {@link flush}, or counts it as unsent. */
  send(lane: Lane, dueUs: number, kind: Kind): void {
    const unsent = this.offer(lane, dueUs, kind);
    if (unsent === undefined) return;
    if (kind === kinds.measured) this.recorder.unsent(dueUs, unsent);
    else if (kind === kinds.warmup) this.recorder.warmup.unsent++;
  }

  /**
   * Queues a message on a connection for the next {@link flush} if it can be taken, and otherwise says why not and counts
   * nothing: for a message that no schedule wanted.
   */
  offer(lane: Lane, dueUs: number, kind: Kind): UnsentReason | undefined {
    const { ledger } = this;
    if (!lane.isOpen) return 'connection not open';
    if (lane.bufferedBytes > maxBufferedBytes) return 'more than 1 MiB unsent';
    if (!ledger.reserve(dueUs)) return 'too many outstanding';
    if (!lane.queue(this.#template, ledger.next, dueUs)) return 'connection not open';
    const seq = ledger.add(lane.index, dueUs, kind);
    if (kind === kinds.measured && seq < this.#firstMeasured) this.#firstMeasured = seq;
    if (kind === kinds.probe) this.probe = 'waiting';
    if (!lane.isDirty) {
      lane.isDirty = true;
      this.#dirty.push(lane);
    }
    return undefined;
  }

  /** Writes what was queued, one call per connection, and notes when. */
  flush(): void {
    const { ledger, recorder } = this;
    for (const lane of this.#dirty) {
      lane.flushedUs = nowUs();
      lane.flush();
      lane.isDirty = false;
    }
    const bytes = this.#template.bytes.length;
    for (let seq = this.#batchFrom; seq < ledger.next; seq++) {
      const atUs = this.#laneOf(seq).flushedUs;
      ledger.setSent(seq, atUs);
      if (this.#dueWhenSent) ledger.setDue(seq, atUs);
      recorder.totalSent++;
      const kind = ledger.kind(seq);
      if (kind === kinds.measured) {
        recorder.sent(bytes, atUs, this.#dueWhenSent ? null : Math.max(0, atUs - ledger.dueUs(seq)));
      } else if (kind === kinds.warmup) {
        recorder.warmup.sent++;
      }
    }
    this.#batchFrom = ledger.next;
    this.#dirty.length = 0;
  }

  /** Takes a message that a connection received. */
  received(lane: Lane, buf: Buffer, start: number, end: number, atUs: number): void {
    const { ledger, recorder } = this;
    recorder.totalReceived++;
    let seq = this.#correlator.read(buf, start, end);
    if (seq === pushed) {
      if (recorder.isMeasuring(atUs)) this.#count('messages.push', end - start, atUs);
      return;
    }
    if (seq === inOrder) seq = ledger.takeInLine(lane.index);
    if (ledger.isOverdue(seq, atUs) && ledger.connection(seq) === lane.index) this.#lose(seq);
    const verdict = ledger.answer(seq, lane.index);
    if (verdict === 'unexpected') {
      if (ledger.remembers(seq)) this.crossed++;
      if (recorder.isMeasuring(atUs)) this.#count('messages.unexpected', end - start, atUs);
      this.unexpectedSample ??= buf.toString('utf8', start, Math.min(end, start + maxSampleBytes));
      return;
    }
    const kind = this.#kindOf(seq);
    if (verdict === 'fresh') this.#fresh(seq, lane.index, kind, buf, start, end, atUs);
    else if (kind === kinds.measured) {
      this.#count(verdict === 'late' ? 'messages.late' : 'messages.duplicate', end - start, atUs);
    }
  }

  /** Gives up every message that is overdue. */
  sweep(atUs: number): void {
    for (let seq = this.ledger.nextOverdue(atUs); seq >= 0; seq = this.ledger.nextOverdue(atUs))
      this.#lose(seq);
  }

  #fresh(
    seq: number,
    connection: number,
    kind: Kind,
    buf: Buffer,
    start: number,
    end: number,
    atUs: number,
  ): void {
    const { ledger, recorder } = this;
    const { refusal } = this.#correlator;
    if (kind === kinds.probe) {
      this.probe = refusal === null ? 'answered' : 'rejected';
      return;
    }
    if (refusal === null) recorder.reply(atUs);
    if (kind === kinds.measured) {
      recorder.received(end - start, atUs);
      if (refusal !== null) recorder.rejected(ledger.dueUs(seq), refusal);
      else {
        recorder.matched(ledger.dueUs(seq), ledger.sentUs(seq), atUs);
        if (ledger.isReordered(seq, connection)) recorder.counters['messages.reordered']++;
        if (this.#echoes && !this.#isEcho(seq, buf, start, end)) recorder.counters['messages.corrupt']++;
      }
    } else recorder.warmup[refusal === null ? 'matched' : 'rejected']++;
    this.onSettled?.(connection);
  }

  #isEcho(seq: number, buf: Buffer, start: number, end: number): boolean {
    // Stamped with the reply's number, the template is the request again, so all of it can be compared at once.
    this.#template.stamp(seq);
    return this.#template.bytes.compare(buf, start, end) === 0;
  }

  #lose(seq: number): void {
    const { ledger, recorder } = this;
    ledger.lose(seq);
    const kind = ledger.kind(seq);
    if (kind === kinds.measured) recorder.lost(ledger.dueUs(seq));
    else if (kind === kinds.warmup) recorder.warmup.lost++;
    else this.probe = 'lost';
    if (kind !== kinds.probe) this.onSettled?.(ledger.connection(seq));
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
    return seq >= this.#firstMeasured ? kinds.measured : kinds.warmup;
  }

  #laneOf(seq: number): Lane {
    const lane = this.lanes[this.ledger.connection(seq)];
    if (!lane) throw new RangeError(`message ${seq} has no connection`);
    return lane;
  }
}
