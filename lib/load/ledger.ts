// Every message that was sent and what became of it, in memory that depends on rate × timeout, not on the run's length.
import { invariant, WsbenchError } from '../errors.ts';

/** What a message was sent for. */
export const kinds = { probe: 0, warmup: 1, measured: 2, slow: 3 } as const;
export type Kind = (typeof kinds)[keyof typeof kinds];

/** What a reply turned out to be. */
export type Verdict = 'fresh' | 'late' | 'duplicate' | 'unexpected';

const outstanding = 1;
const answered = 2;
const lost = 3;
const lostThenAnswered = 4;

const none = -1;

/** What a {@link Ledger} is made for. */
export interface LedgerOptions {
  connections: number;
  timeoutUs: number;
  /** Replies come in order, or answer all before them: keep a line of unanswered messages per connection. */
  inOrder?: boolean;
  /** Entries to start with, and the most there may be; powers of two. */
  entries?: number;
  maxEntries?: number;
}

/**
 * A ring of typed arrays, indexed by message number. A message is remembered for another timeout after it was due to
 * be answered, so that a late reply and a duplicate can be told apart; then its place is used again.
 * Numbers run from 0 without gaps, and due times ascend with them.
 */
export class Ledger {
  /** Messages that await a reply. */
  outstanding = 0;
  /** Number of the next message. */
  next = 0;

  /** By kind: a branch for each kind would be compiled anew when the first message of a kind comes. */
  readonly #outstanding = new Int32Array(Object.keys(kinds).length);
  readonly #timeoutUs: number;
  readonly #maxEntries: number;
  readonly #inOrder: boolean;
  #head: Float64Array;
  #tail: Float64Array;
  #lastMatched: Float64Array;
  #mask: number;
  #due: Float64Array;
  #sent: Float64Array;
  #after: Float64Array;
  #connection: Int32Array;
  #state: Uint8Array;
  #kind: Uint8Array;
  /** Oldest number that is remembered; oldest that may be outstanding. */
  #first = 0;
  #sweptTo = 0;

  constructor({
    connections,
    timeoutUs,
    inOrder = false,
    entries = 1024,
    maxEntries = 2 ** 22,
  }: LedgerOptions) {
    invariant(Number.isInteger(Math.log2(entries)) && entries <= maxEntries, `a ring of ${entries} entries`);
    this.#timeoutUs = timeoutUs;
    this.#maxEntries = maxEntries;
    this.#inOrder = inOrder;
    this.#head = new Float64Array(connections).fill(none);
    this.#tail = new Float64Array(connections).fill(none);
    this.#lastMatched = new Float64Array(connections).fill(none);
    this.#mask = entries - 1;
    this.#due = new Float64Array(entries);
    this.#sent = new Float64Array(entries);
    this.#after = new Float64Array(inOrder ? entries : 0);
    this.#connection = new Int32Array(entries);
    this.#state = new Uint8Array(entries);
    this.#kind = new Uint8Array(entries);
  }

  /** Messages of a kind that await a reply. */
  outstandingOf(kind: Kind): number {
    return this.#outstanding[kind] ?? 0;
  }

  /** Number of entries that memory is held for. */
  get entries(): number {
    return this.#mask + 1;
  }

  /** A fresh connection has this index: whoever had it before is forgotten. */
  renew(connection: number): void {
    if (connection >= this.#head.length) {
      const longer = (from: Float64Array): Float64Array => {
        const to = new Float64Array(Math.max(16, 2 * connection)).fill(none);
        to.set(from);
        return to;
      };
      this.#head = longer(this.#head);
      this.#tail = longer(this.#tail);
      this.#lastMatched = longer(this.#lastMatched);
    }
    this.#head[connection] = none;
    this.#tail[connection] = none;
    this.#lastMatched[connection] = none;
  }

  /** Makes room for message {@link next}; false when the most that may be outstanding are. */
  reserve(dueUs: number): boolean {
    if (this.next - this.#first <= this.#mask) return true;
    const slot = this.#first & this.#mask;
    const remembered = (this.#due[slot] ?? 0) + 2 * this.#timeoutUs > dueUs;
    const waiting = this.#state[slot] === outstanding;
    if ((waiting || remembered) && this.entries < this.#maxEntries) {
      this.#grow();
      return true;
    }
    if (waiting) return false;
    this.#forget();
    return true;
  }

  /** Enters message {@link next} as sent and returns its number. {@link reserve} was called before. */
  add(connection: number, dueUs: number, kind: Kind): number {
    const seq = this.next++;
    const slot = seq & this.#mask;
    this.#due[slot] = dueUs;
    this.#sent[slot] = dueUs;
    this.#connection[slot] = connection;
    this.#state[slot] = outstanding;
    this.#kind[slot] = kind;
    this.outstanding++;
    (this.#outstanding[kind] as number)++;
    if (this.#inOrder) this.#queueUp(seq, connection);
    return seq;
  }

  /** Notes when the message was written. */
  setSent(seq: number, sentUs: number): void {
    this.#sent[seq & this.#mask] = sentUs;
  }

  /** In the closed model a message is due when it is sent. */
  setDue(seq: number, dueUs: number): void {
    this.#due[seq & this.#mask] = dueUs;
  }

  dueUs(seq: number): number {
    return this.#due[seq & this.#mask] ?? 0;
  }

  sentUs(seq: number): number {
    return this.#sent[seq & this.#mask] ?? 0;
  }

  connection(seq: number): number {
    return this.#connection[seq & this.#mask] ?? 0;
  }

  kind(seq: number): Kind {
    return (this.#kind[seq & this.#mask] ?? 0) as Kind;
  }

  /** True while the message is in memory; one that is not is long since lost or answered. */
  remembers(seq: number): boolean {
    return seq >= this.#first && seq < this.next;
  }

  /** The oldest message in line on a connection; -1: nobody waits. */
  firstInLine(connection: number): number {
    return this.#head[connection] ?? none;
  }

  /** Takes the oldest message in line on a connection out of it; -1: nobody waits. A lost message keeps its place. */
  takeInLine(connection: number): number {
    const seq = this.#head[connection] ?? none;
    if (seq === none) return none;
    const after = this.#after[seq & this.#mask] ?? none;
    this.#head[connection] = after;
    if (after === none) this.#tail[connection] = none;
    return seq;
  }

  /** True when the message was to be answered before `atUs` and was not. */
  isOverdue(seq: number, atUs: number): boolean {
    if (!this.remembers(seq)) return false;
    const slot = seq & this.#mask;
    return this.#state[slot] === outstanding && atUs >= (this.#due[slot] ?? 0) + this.#timeoutUs;
  }

  /** Gives the message up: its reply, should it come, is late. */
  lose(seq: number): void {
    const slot = seq & this.#mask;
    if (this.#state[slot] !== outstanding)
      throw new WsbenchError('INTERNAL', `message ${seq} cannot be lost`);
    this.#state[slot] = lost;
    this.#settled(slot);
  }

  /** Enters a reply to message `seq` that came on a connection. Overdue messages were given up before. */
  answer(seq: number, connection: number): Verdict {
    if (seq < 0 || seq >= this.next) return 'unexpected';
    if (seq < this.#first) return 'late';
    const slot = seq & this.#mask;
    // A chat server sends everyone's messages to everyone: those are not replies.
    if (this.#connection[slot] !== connection) return 'unexpected';
    const state = this.#state[slot];
    if (state === outstanding) {
      this.#state[slot] = answered;
      this.#settled(slot);
      return 'fresh';
    }
    if (state !== lost) return 'duplicate';
    this.#state[slot] = lostThenAnswered;
    return 'late';
  }

  /** Notes a matched reply; true when a younger message of the connection was answered before it. */
  isReordered(seq: number, connection: number): boolean {
    const last = this.#lastMatched[connection] ?? none;
    if (seq < last) return true;
    this.#lastMatched[connection] = seq;
    return false;
  }

  /** The oldest message that is overdue at `atUs`, or -1. Ask until there is none, losing each. */
  nextOverdue(atUs: number): number {
    for (; this.#sweptTo < this.next; this.#sweptTo++) {
      const slot = this.#sweptTo & this.#mask;
      if (this.#state[slot] !== outstanding) continue;
      return atUs >= (this.#due[slot] ?? 0) + this.#timeoutUs ? this.#sweptTo : none;
    }
    return none;
  }

  #settled(slot: number): void {
    this.outstanding--;
    (this.#outstanding[this.#kind[slot] as Kind] as number)--;
  }

  #queueUp(seq: number, connection: number): void {
    this.#after[seq & this.#mask] = none;
    const tail = this.#tail[connection] ?? none;
    if (tail === none) this.#head[connection] = seq;
    else this.#after[tail & this.#mask] = seq;
    this.#tail[connection] = seq;
  }

  #forget(): void {
    const seq = this.#first++;
    if (this.#sweptTo < this.#first) this.#sweptTo = this.#first;
    if (!this.#inOrder) return;
    // The oldest of all can only be the oldest of its line.
    const connection = this.#connection[seq & this.#mask] ?? 0;
    if (this.#head[connection] === seq) this.takeInLine(connection);
  }

  #grow(): void {
    const entries = 2 * this.entries;
    const mask = entries - 1;
    // The ring is full: all of it moves, in the two pieces that its end cuts it into, of which one lands in the upper half
    // when the numbers have got that far.
    const start = this.#first & this.#mask;
    const target = this.#first & mask;
    const wrapped = (target + this.entries - start) & mask;
    const move = <T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T => {
      to.set(from.subarray(start), target);
      to.set(from.subarray(0, start), wrapped);
      return to;
    };
    this.#due = move(this.#due, new Float64Array(entries));
    this.#sent = move(this.#sent, new Float64Array(entries));
    if (this.#inOrder) this.#after = move(this.#after, new Float64Array(entries));
    this.#connection = move(this.#connection, new Int32Array(entries));
    this.#state = move(this.#state, new Uint8Array(entries));
    this.#kind = move(this.#kind, new Uint8Array(entries));
    this.#mask = mask;
  }
}
