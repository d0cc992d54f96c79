// Fresh tokens for a worker thread: the main thread has the keys, and the turn of a list.
import type { MessagePort } from 'node:worker_threads';
import { keepSecret } from '../result/redact.ts';
import type { FreshTokens } from './tokens.ts';
import type { FromWorker } from './worker-messages.ts';

/** Asks the main thread by messages. */
export class RemoteTokens implements FreshTokens {
  readonly #port: MessagePort;
  readonly #waiting = new Map<
    number,
    { resolve: (token?: string) => void; reject: (error: Error) => void }
  >();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  fresh(current: string, nowMs: number): Promise<string | undefined> {
    const id = this.#next++;
    this.#port.postMessage({ name: 'freshToken', id, current, nowMs } satisfies FromWorker);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Takes an answer of the main thread. */
  answer({ id, token, error }: { id: number; token?: string; error?: string }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (token !== undefined) keepSecret(token);
    if (error === undefined) waiting?.resolve(token);
    else waiting?.reject(new Error(error));
  }
}
