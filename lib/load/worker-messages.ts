// What the threads of a run say to each other.
import type { EngineCommands, EngineReports } from './engine-contract.ts';
import type { Part } from './part.ts';
import type { StressPlan } from './plan.ts';

/** A call of one of a contract's methods, as data. */
export type Call<Contract> = {
  [Name in keyof Contract]: Contract[Name] extends (...args: infer Args) => void
    ? { name: Name; args: Args }
    : never;
}[keyof Contract];

/** What a worker is given to begin with. */
export interface WorkerStart {
  /** Without what cannot leave its thread. */
  plan: Omit<StressPlan, 'mint'>;
  part: Part;
  tag: string;
  startedUs: number;
  /** The secrets of this process, in all their forms: what a target sends back is masked where it is put into words. */
  secrets: readonly string[];
  /** A number that goes up as long as the worker is alive, at the place of its number. */
  pulse: Int32Array;
  /** Those of `Attempts`. */
  attempts: Int32Array;
  /** Module with a driver of its own: URL of a file that exports `createDriver`. */
  driver?: string;
}

/** To a worker. */
export type ToWorker =
  | Call<EngineCommands>
  | { name: 'fresh'; id: number; token?: string; error?: string }
  | { name: 'secret'; value: string };

/** From a worker. */
export type FromWorker =
  | Call<EngineReports>
  | { name: 'freshToken'; id: number; current: string; nowMs: number };

/** Makes the driver of a worker: what a module for {@link WorkerStart.driver} exports as `createDriver`. */
export type CreateDriver = (plan: StressPlan, part: Part) => import('./drivers/driver.ts').Driver;

/** How often a worker shows that it is alive. */
export const pulseMs = 250;
