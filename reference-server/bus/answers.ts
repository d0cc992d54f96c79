// Answers that were given in this process, by key, for 5 minutes.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Once } from './bus.ts';

/** How long an answer is remembered. */
export const rememberMs = 5 * 60_000;

interface Remembered {
  atMs: number;
  answer: Promise<unknown>;
}

/** Runs each effect once a key: the local part of {@link Bus.once}. Bounded. */
export class Answers {
  readonly #clock: Clock;
  readonly #maxRemembered: number;
  readonly #answers = new Map<string, Remembered>();

  constructor(clock: Clock, maxRemembered = 100_000) {
    this.#clock = clock;
    this.#maxRemembered = maxRemembered;
  }

  get size(): number {
    return this.#answers.size;
  }

  async once<T>(key: string, effect: (effectId: string) => Promise<T>): Promise<Once<T>> {
    const nowMs = this.#clock.nowMs();
    const known = this.#answers.get(key);
    if (known && nowMs - known.atMs < rememberMs) {
      return { answer: (await known.answer) as T, duplicate: true };
    }
    this.#answers.delete(key);
    const answer = effect(randomUUID());
    const entry: Remembered = { atMs: nowMs, answer };
    this.#answers.set(key, entry);
    this.#trim(nowMs);
    try {
      return { answer: await answer, duplicate: false };
    } catch (error) {
      if (this.#answers.get(key) === entry) this.#answers.delete(key);
      throw error;
    }
  }

  /** Maps keep the order of insertion, so what is too old stands first. */
  #trim(nowMs: number): void {
    for (const [key, { atMs }] of this.#answers) {
      if (this.#answers.size <= this.#maxRemembered && atMs > nowMs - rememberMs) return;
      this.#answers.delete(key);
    }
  }
}
