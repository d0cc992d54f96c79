// What the phases of a run need of whatever decides when messages are due.
import type { Kind } from '../ledger.ts';

/** Decides when messages are due. */
export interface Executor {
  /** Sends what is due at `atUs`; returns when something is due next, or Infinity. */
  tick(atUs: number): number;
  /** When the next message is due; Infinity when the schedule is over. All earlier ones were dealt with. */
  readonly nextDueUs: number;
  /** True when every message of the schedule was dealt with. */
  readonly done: boolean;
  /** Nothing is due from `endUs` on. */
  endAt?(endUs: number): void;
  /** Ends the schedule now. */
  stop(): void;
}

/** The phase that an executor fills. */
export interface Window {
  kind: Kind;
  startUs: number;
  endUs: number;
}
