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
  /** Where `change` may lie, by a block bootstrap over due seconds; absent where there is too little to draw from. */
  interval?: ChangeInterval;
}

/** An interval of a relative change: 0.1 stands for +10 %. An end that is null is beyond every number, as lost messages are. */
export interface ChangeInterval {
  low: number | null;
  high: number | null;
  /** Confidence, such as 0.95. */
  level: number;
  /** `likely`: the interval leaves out 0, and the change is large enough to matter. One run a side never proves more. */
  verdict: 'likely better' | 'likely worse' | 'no evidence';
}

/** A limit of a change, `--fail-on`, and what became of it. */
export interface JudgedLimit {
  /** As it was written: `rtt.p99>+10%`. */
  expression: string;
  /** The figure that it is about; it may not be among the rows of the comparison. */
  row: ComparisonRow;
  crossed: boolean;
  /** False: a side has no such figure. It counts as crossed. */
  isJudged: boolean;
}

/** A check that ended differently; null: the run did not have it. */
export interface CheckChange {
  id: string;
  title: string;
  before: CheckStatus | null;
  after: CheckStatus | null;
}

/** A conformance case that is judged otherwise. */
export interface VerdictChange {
  agent: string;
  caseId: string;
  title: string;
  /** In words: `OK`, `OK, close UNCLEAN`; null: the run did not have it. */
  before: string | null;
  after: string | null;
  /** `racy`: either may come in any run. `same`: other words for nothing wrong. */
  change: 'worse' | 'better' | 'new' | 'gone' | 'racy' | 'same';
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
  /** Conform only: cases that are judged otherwise. */
  verdicts: VerdictChange[];
  /** What got worse beyond doubt, one line each: checks that passed before and fail now, worse verdicts. Any makes exit code 1. */
  regressions: string[];
  /** Limits of changes, where some were given. One that is crossed makes exit code 1. */
  limits?: JudgedLimit[];
  /** Why the two may not be comparable. */
  warnings: Warning[];
  /** How long each run waited for a reply, in ms; null: not known. */
  timeoutMs: { before: number | null; after: number | null };
  /** What these figures can and cannot show. */
  note: string;
}
