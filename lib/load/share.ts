// What one engine counted, as plain data that threads can send each other and that adds up.

import type { HistogramData } from '../metrics/histogram.ts';
import type { Counters, TimeMetric } from '../metrics/names.ts';
import type { FailureGroup } from '../result/failure-groups.ts';
import type { CloseRecord } from '../result/result.ts';
import type { BacklogData } from './backlog.ts';
import type { EndsData } from './ends.ts';
import type { ProbeSample } from './health.ts';
import type { RecoveryData } from './reconnect/recovery-data.ts';
import type { AsideCounts } from './recorder.ts';
import type { Silence } from './silence.ts';

/** What became of the probe. */
export type ProbeState = 'none' | 'waiting' | 'answered' | 'rejected' | 'lost';

/** How renewals of tokens went. */
export interface RenewalCounts {
  renewed: number;
  failed: number;
  firstFailure?: string;
}

/** All that an engine counted since its run began. Shares of engines add up to that of the whole ({@link mergeShares}). */
export interface Share {
  /** When it was taken. */
  atUs: number;
  counters: Counters;
  times: Record<TimeMetric, HistogramData>;
  warmup: AsideCounts;
  /** Of the measured messages of slow consumers. */
  slow: AsideCounts;
  /** By reason and by code; the latter comes from the peer. */
  unsentReasons: Map<string, number>;
  rejectionCodes: Map<string, number>;
  /** Messages of any kind. */
  totalSent: number;
  totalReceived: number;
  repliesInMeasure: number;
  waitedLong: number;
  /** The measure phase began, and when that was to begin and end; infinite before it is known. */
  measured: boolean;
  startUs: number;
  endUs: number;
  /** Messages of the measure phase that await a reply. */
  outstanding: number;
  /** Connections that are being opened, and that are open. */
  connecting: number;
  open: number;
  /** Connections × time in the measure phase: those that were open, and those that were asked for. */
  openUs: number;
  askedUs: number;
  closes: CloseRecord[];
  failures: FailureGroup[];
  violations: FailureGroup[];
  ends: EndsData[];
  backlog: BacklogData;
  /** Messages outstanding when the measure phase ended; null: it did not. */
  backlogEnd: number | null;
  probe: ProbeState;
  crossed: number;
  renewals: RenewalCounts | null;
  silence: Silence;
  unansweredCloses: number;
  /** Lost connections and their return; null: nobody asked them to come back. */
  recovery: RecoveryData | null;
  /** How each of the engines fared. */
  health: EngineHealth[];
}

/** How one engine fared in the measure phase. */
export interface EngineHealth extends ProbeSample {
  worker: number;
  /** Messages that waited long, and all that were sent: the engine's own. */
  waitedLong: number;
  sent: number;
  sendLag: HistogramData;
}

/** What happened to the messages of one row of the schedule ({@link rowsOf}). */
export interface DueCounts {
  row: number;
  matched: number;
  rejected: number;
  lost: number;
  unsent: number;
  rtt: HistogramData;
}

/** What happened in one row of the wall clock. */
export interface WallCounts {
  row: number;
  sent: number;
  received: number;
  /** Connections open at its end, or now. */
  open: number;
}

/** What happened in an engine's series since it was last told. */
export interface SeriesNews {
  due: DueCounts[];
  wall: WallCounts[];
  /** Rows of the schedule below this one change no more. */
  decided: number;
}

/** What an engine tells once a second, and when it ends. */
export interface Tidings {
  share: Share;
  series: SeriesNews;
}
