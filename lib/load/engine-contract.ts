// What a run tells its engines and what they tell the run: the same whether an engine is in this thread or in another.

import type { FailureGroup } from '../result/failure-groups.ts';
import type { CloseRecord, Warning } from '../result/result.ts';
import type { ProbeState, Tidings } from './share.ts';

/** Phases that an engine enters by the clock. */
export type LoadPhase = 'warmup' | 'measure' | 'drain';

/** What came of opening the connections. */
export interface Settled {
  opened: number;
  /** Number in the run of the first connection that is open; Infinity: none is. */
  firstOpen: number;
  /** Why the others did not open. */
  failures: FailureGroup[];
}

/** What an engine saw of the probe, and on the connection that it went over. */
export interface ProbeReport {
  probe: ProbeState;
  /** The connection is open. */
  isOpen: boolean;
  unexpectedSample?: string;
  /** How the connection ended, and what the target did against the protocol, in words. */
  close?: CloseRecord;
  violation?: string;
}

/** What an engine is told. Nothing waits; times are on the run's clock. */
export interface EngineCommands {
  /** Opens the connections. */
  connect(startUs: number): void;
  /** Sends the run's one probe message. */
  probe(): void;
  /** Begins the warm-up at `startUs`. */
  begin(startUs: number): void;
  /** The measure phase ends at `endUs`, earlier than planned: what it was for has happened. */
  endAt(endUs: number): void;
  /** The run is over before its time: sends no more, waits 5 s at most for what is outstanding. */
  stop(atUs: number): void;
  /** Closes the connections. */
  finish(): void;
  /** Ends all at once, without waiting for anybody. */
  abandon(): void;
}

/** What an engine tells. */
export interface EngineReports {
  /** It can be told to connect. */
  ready(): void;
  warning(warning: Warning): void;
  /** No connection is being opened any more. */
  settled(settled: Settled): void;
  /** Something about the probe changed. */
  probed(report: ProbeReport): void;
  phase(phase: LoadPhase, atUs: number): void;
  /** Nothing is outstanding any more. */
  drained(): void;
  /** Once a second, and last of all. */
  tidings(tidings: Tidings): void;
  /** The connections are closed, and everything was told. */
  finished(): void;
  /** Something of ours went wrong. */
  bug(message: string): void;
}
