// Promises that wait for one event, each with its own deadline and signal.
import type { ClientClock } from './clock.ts';
import { ClientError } from './errors.ts';

interface Waiter<T, Tag> {
  tag: Tag | undefined;
  resolve: (value: T) => void;
  reject: (error: ClientError) => void;
}

/** Everyone who waits for the same thing, in the order in which they came. */
export class Waiters<T, Tag = undefined> {
  readonly #clock: ClientClock;
  readonly #late: 'TIMEOUT' | 'POOL_TIMEOUT';
  readonly #waiters = new Set<Waiter<T, Tag>>();

  /** `late`: the code of those whose deadline passes. */
  constructor(clock: ClientClock, late: 'TIMEOUT' | 'POOL_TIMEOUT' = 'TIMEOUT') {
    this.#clock = clock;
    this.#late = late;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Waits; rejects at the deadline, or with the signal. `tag` is what `serve` gets to know of it. */
  wait(
    what: string,
    { timeoutMs, signal }: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined },
    tag?: Tag,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const aborted = (): ClientError =>
        new ClientError('ABORTED', `${what}: the caller gave up`, { cause: signal?.reason });
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      let cancel = (): void => {};
      const end = (): void => {
        cancel();
        signal?.removeEventListener('abort', abort);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter<T, Tag> = {
        tag,
        resolve: (value) => {
          end();
          resolve(value);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      const abort = (): void => waiter.reject(aborted());
      signal?.addEventListener('abort', abort);
      if (timeoutMs !== undefined) {
        cancel = this.#clock.schedule(timeoutMs, () =>
          waiter.reject(new ClientError(this.#late, `${what}: not within ${timeoutMs} ms`)),
        );
      }
      this.#waiters.add(waiter);
    });
  }

  /** Resolves those for whom `pick` has something, in order. */
  serve(pick: (tag: Tag | undefined) => T | undefined): void {
    for (const waiter of this.#waiters) {
      const value = pick(waiter.tag);
      if (value !== undefined) waiter.resolve(value);
    }
  }

  /** Rejects the last who came. */
  rejectLast(error: ClientError): void {
    [...this.#waiters].at(-1)?.reject(error);
  }

  resolve(value: T): void {
    for (const waiter of this.#waiters) waiter.resolve(value);
  }

  reject(error: ClientError): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
