// What a runner says while it runs.
import type { Writable } from 'node:stream';
import type { CheckRecord, VerdictRecord, Warning } from './result.ts';

/** The phases of a stress run, in order. */
export type Phase = 'connect' | 'settle' | 'warmup' | 'measure' | 'drain';

/** The state of a stress run, once a second. Rates and times are those of the last second; times in ms. */
export interface Snapshot {
  phase: Phase;
  /** Time in this phase, and how long it is meant to last (0: unknown). */
  elapsedMs: number;
  plannedMs: number;
  connections: { asked: number; open: number; failed: number };
  /** Where lost connections come back: how often one was lost, and how often one came back, so far. */
  returns?: { lost: number; back: number };
  /** Messages a second. */
  sentPerSecond: number;
  receivedPerSecond: number;
  p50Ms: number | null;
  p99Ms: number | null;
  /** Lost, unsent, rejected and corrupt messages so far. */
  errors: number;
}

/** What a runner yields. */
export type RunEvent =
  | { type: 'phase'; phase: Phase }
  | { type: 'interval'; snapshot: Snapshot }
  | { type: 'check'; check: CheckRecord }
  /** A case is judged, for good. `done` and `total` count those of all servers. */
  | { type: 'verdict'; agent: string; verdict: VerdictRecord; done: number; total: number }
  | { type: 'warning'; warning: Warning };

/** How public functions are watched and stopped. */
export interface RunControl {
  /** Stops the run early: it drains, and what was measured is still returned. Its reason may be `SIGINT` or `SIGTERM`. */
  signal?: AbortSignal;
  /** Called with every event, synchronously. */
  onEvent?: (event: RunEvent) => void;
  /**
   * Opens what a load writes its journal to, so that `recoverRun` can make a result of what it had counted should it be killed.
   * Called once, with the id of the run; without a stream there is no journal. What was written is of no use once the run has ended
   * in order.
   */
  openJournal?: (runId: string) => Writable | undefined;
}
