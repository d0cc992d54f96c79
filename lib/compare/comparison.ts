// What a comparison says. Every report of one is a function of it.
import type { CheckStatus, Outcome, Result, Warning } from '../result/result.ts';

/** `better` and `worse` say which way the figure moved; `n/a`: one side has nothing to compare. */
export type Direction = 'better' | 'worse' | 'same' | 'n/a';

/** One metric before and after. */
export interface ComparisonRow {
  /** `rtt.p99`, `throughput`, `pass_rate`. */
  metric: string;
  /** The metric for people: `Round trip p99`. */
  title: string;
  /** Of `before` and `after`; ratios are in percent. */
  unit: 'ms' | '/s' | '%' | '';
  before: number | null;
  after: number | null;
  /** Why a figure is null. `lost` ranks above every number. */
  beforeReason?: 'lost' | 'no samples';
  afterReason?: 'lost' | 'no samples';
  /** (after − before) ÷ before; null when that is not a number. */
  change: number | null;
  /** Which way is good. */
  better: 'lower' | 'higher';
  direction: Direction;
}

/** A check that ended differently; null: the run did not have it. */
export interface CheckChange {
  id: string;
  title: string;
  before: CheckStatus | null;
  after: CheckStatus | null;
}

/** Which run a side of the comparison is. */
export interface ComparedRun {
  id: string;
  startedAt: string;
  url: string;
  outcome: Outcome;
}

/** Two runs of one kind, side by side. */
export interface Comparison {
  kind: Result['kind'];
  before: ComparedRun;
  after: ComparedRun;
  rows: ComparisonRow[];
  /** Quick only: checks that changed status. */
  checks: CheckChange[];
  /** What got worse beyond doubt, one line each: checks that passed before and fail now. Any makes exit code 1. */
  regressions: string[];
  /** Why the two may not be comparable. */
  warnings: Warning[];
  /** How long each run waited for a reply, in ms; null: not known. */
  timeoutMs: { before: number | null; after: number | null };
  /** What these figures can and cannot show. */
  note: string;
}
