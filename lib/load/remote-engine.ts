// An engine in a worker thread, seen from the thread that commands it.
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { redactText } from '../result/redact.ts';
import type { EngineCommands, EngineReports } from './engine-contract.ts';
import type { FreshTokens } from './tokens.ts';
import { type FromWorker, pulseMs, type ToWorker, type WorkerStart } from './worker-messages.ts';

// A worker that starts loads its modules and renders its messages, on a machine that may be busy with other things.
const mostStartMs = 30_000;
const mostSilentMs = 2000 + pulseMs;
// What the watch itself missed (the process was stopped, this thread was busy) says nothing of the worker.
const mostBetweenLooksMs = 100;

/** What a worker needs beside its start. */
export interface RemoteOptions {
  tokens: FreshTokens;
  resourceLimits?: ResourceLimits;
  /** The worker is gone before it finished, and this is why. */
  onLost: (why: string) => void;
}

/** Passes commands on to a worker thread, and its reports back. */
export class RemoteEngine implements EngineCommands {
  readonly #worker: Worker;
  readonly #reports: EngineReports;
  readonly #options: RemoteOptions;
  readonly #pulse: Int32Array;
  readonly #place: number;
  #seen = 0;
  #silentMs = 0;
  #lookedMs = performance.now();
  #isReady = false;
  #error: string | undefined;
  #isOver = false;

  constructor(start: WorkerStart, reports: EngineReports, options: RemoteOptions) {
    this.#reports = reports;
    this.#options = options;
    this.#pulse = start.pulse;
    this.#place = start.part.worker;
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: start,
      name: `wsbench worker ${this.#place + 1}`,
      ...(options.resourceLimits ? { resourceLimits: options.resourceLimits } : {}),
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('messageerror', (error) =>
      this.#lost(`sent what cannot be read: ${redactText(messageOf(error))}`),
    );
    // What it said before comes between both.
    this.#worker.on('error', (error) => {
      this.#error = `crashed: ${redactText(messageOf(error))}`;
    });
    this.#worker.on('exit', (code) => {
      this.#lost(this.#error ?? `ended before the run did, with exit code ${code}`);
    });
  }

  connect(...args: Parameters<EngineCommands['connect']>): void {
    this.#post({ name: 'connect', args });
  }

  probe(): void {
    this.#post({ name: 'probe', args: [] });
  }

  begin(...args: Parameters<EngineCommands['begin']>): void {
    this.#post({ name: 'begin', args });
  }

  endAt(...args: Parameters<EngineCommands['endAt']>): void {
    this.#post({ name: 'endAt', args });
  }

  stop(...args: Parameters<EngineCommands['stop']>): void {
    this.#post({ name: 'stop', args });
  }

  finish(): void {
    this.#post({ name: 'finish', args: [] });
  }

  abandon(): void {
    this.#post({ name: 'abandon', args: [] });
  }

  /** A secret that came to be known: it may turn up in what any connection receives. */
  keep(secret: string): void {
    this.#post({ name: 'secret', value: secret });
  }

  /** Looks whether the worker is alive; to be called often. */
  watch(): void {
    const nowMs = performance.now();
    const passedMs = Math.min(mostBetweenLooksMs, nowMs - this.#lookedMs);
    this.#lookedMs = nowMs;
    const pulse = Atomics.load(this.#pulse, this.#place);
    this.#silentMs = pulse === this.#seen ? this.#silentMs + passedMs : 0;
    this.#seen = pulse;
    if (this.#silentMs > (this.#isReady ? mostSilentMs : mostStartMs)) this.#lost('stopped answering');
  }

  /** Ends the thread, whatever it does. */
  dispose(): void {
    this.#isOver = true;
    // It need not be waited for: one that hangs in native code may never end, and must not keep the process.
    this.#worker.unref();
    this.#worker.terminate().catch(() => {});
  }

  #post(message: ToWorker): void {
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    // What a worker said that was given up since then would be counted twice.
    if (this.#isOver) return;
    this.#silentMs = 0;
    if (message.name === 'freshToken') {
      this.#refresh(message);
      return;
    }
    if (message.name === 'ready') this.#isReady = true;
    if (message.name === 'finished') this.dispose();
    (this.#reports[message.name] as (...args: unknown[]) => void)(...message.args);
  }

  #refresh({ id, current, nowMs }: { id: number; current: string; nowMs: number }): void {
    this.#options.tokens.fresh(current, nowMs).then(
      (token) => this.#post({ name: 'fresh', id, ...(token === undefined ? {} : { token }) }),
      (error) => this.#post({ name: 'fresh', id, error: redactText(messageOf(error)) }),
    );
  }

  #lost(why: string): void {
    if (this.#isOver) return;
    this.dispose();
    this.#options.onLost(why);
  }
}
