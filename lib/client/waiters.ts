// Promises that wait for one event, each with its own deadline and signal.
import type { ClientClock } from './clock.ts';
import { ClientError } from './errors.ts';

interface Waiter<T> {
  resolve: (value: T) => void;
  reject: (error: ClientError) => void;
}

/** Everyone who waits for the same thing. */
export class Waiters<T> {
  readonly #clock: ClientClock;
  readonly #waiters = new Set<Waiter<T>>();

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  /** Waits; rejects at the deadline, or with the signal. */
  wait(what: string, { timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal }): Promise<T> {
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
      const waiter: Waiter<T> = {
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
          waiter.reject(new ClientError('TIMEOUT', `${what}: not within ${timeoutMs} ms`)),
        );
      }
      this.#waiters.add(waiter);
    });
  }

  resolve(value: T): void {
    for (const waiter of this.#waiters) waiter.resolve(value);
  }

  reject(error: ClientError): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
