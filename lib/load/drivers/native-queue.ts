// What the connections of a driver have queued and not written yet: lists in shared arrays, without an object per message.
import type { MessageTemplate } from './driver.ts';

/** Something to be sent; a template, unless it is compressed. */
export interface Outgoing extends MessageTemplate {
  /** The bytes are a compressed payload. */
  readonly compressed?: true;
}

/** Where a connection's list begins and ends. */
export interface SendList {
  head: number;
  tail: number;
}

/** No entry. */
export const none = -1;

const startEntries = 256;

/** The lists of all connections of a driver. An entry is a message with its number, or, without a message, a ping with one. */
export class SendQueue {
  #messages: (Outgoing | undefined)[] = [];
  #numbers = new Float64Array(0);
  #next = new Int32Array(0);
  /** The first of the free entries. */
  #free = none;

  /** Adds to the end of a list. */
  add(list: SendList, message: Outgoing | undefined, number: number): void {
    if (this.#free === none) this.#grow();
    const entry = this.#free;
    this.#free = this.#next[entry] as number;
    this.#messages[entry] = message;
    this.#numbers[entry] = number;
    this.#next[entry] = none;
    if (list.head === none) list.head = entry;
    else this.#next[list.tail] = entry;
    list.tail = entry;
  }

  message(entry: number): Outgoing | undefined {
    return this.#messages[entry];
  }

  number(entry: number): number {
    return this.#numbers[entry] as number;
  }

  /** Takes the first entry from a list. */
  shift(list: SendList): void {
    const entry = list.head;
    list.head = this.#next[entry] as number;
    this.#next[entry] = this.#free;
    this.#free = entry;
  }

  #grow(): void {
    const size = this.#next.length;
    const more = Math.max(startEntries, 2 * size);
    const numbers = new Float64Array(more);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    const next = new Int32Array(more);
    next.set(this.#next);
    for (let entry = size; entry < more; entry++) next[entry] = entry + 1 < more ? entry + 1 : none;
    this.#next = next;
    this.#free = size;
    while (this.#messages.length < more) this.#messages.push(undefined);
  }
}
