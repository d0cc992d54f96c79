// The CPU time of an engine: of the process that it has for itself, or of its thread.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Reads the CPU share between {@link start} and now. */
export class CpuMeter {
  readonly #isAlone: boolean;
  #startMs = performance.now();
  #startUs: number | null = null;
  #utilization = performance.eventLoopUtilization();

  /** @param isAlone all of the process counts, what its helper threads do for it included; false: the calling thread does */
  constructor(isAlone: boolean) {
    this.#isAlone = isAlone;
  }

  start(): void {
    this.#startMs = performance.now();
    this.#startUs = this.#usedUs();
    this.#utilization = performance.eventLoopUtilization();
  }

  /** CPU since {@link start}, 1 = one core. */
  read(): number {
    const elapsedMs = performance.now() - this.#startMs;
    if (elapsedMs <= 0) return 0;
    const usedUs = this.#usedUs();
    // Where nobody tells a thread's CPU time: the time in which its event loop was not waiting, which is never less.
    if (usedUs === null || this.#startUs === null) {
      return performance.eventLoopUtilization(this.#utilization).utilization;
    }
    return Math.max(0, usedUs - this.#startUs) / 1000 / elapsedMs;
  }

  #usedUs(): number | null {
    if (!this.#isAlone) return threadCpuUs();
    const { user, system } = process.cpuUsage();
    return user + system;
  }
}

/** The CPU time of the calling thread in µs; null where the platform does not tell. */
function threadCpuUs(): number | null {
  // Node 24 and later.
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  if (threadCpuUsage) {
    const { user, system } = threadCpuUsage.call(process);
    return user + system;
  }
  try {
    // Linux: nanoseconds on a CPU, nanoseconds in the queue, turns.
    const [ns] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(ns) / 1000;
  } catch {
    return null;
  }
}
