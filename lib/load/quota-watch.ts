// How much time the CPU quota of a control group took from this process in the measure phase.
import { availableParallelism } from 'node:os';
import { cgroupLimits, type Throttling, throttling } from '../machine/cgroup.ts';
import { type MachineFiles, machineFiles } from '../machine/files.ts';

/** Watches the quota between {@link start} and {@link stop}. */
export class QuotaWatch {
  /** Cores that this process may use. */
  readonly cores: number;
  /** What the quota took; null: there is none, or it was not watched. */
  taken: Throttling | null = null;

  readonly #files: MachineFiles;
  #before: Throttling | undefined;

  constructor(files: MachineFiles = machineFiles) {
    this.#files = files;
    const all = availableParallelism();
    this.cores = Math.min(all, cgroupLimits(files).cores ?? all);
  }

  start(): void {
    this.#before = throttling(this.#files);
  }

  /** May be called without {@link start}, and again: the first time counts. */
  stop(): void {
    if (!this.#before || this.taken) return;
    const after = throttling(this.#files) ?? this.#before;
    this.taken = {
      periods: after.periods - this.#before.periods,
      ms: Math.round((after.ms - this.#before.ms) * 1000) / 1000,
    };
  }
}
