// Result: the one document that a run produces. Everything shown, saved or compared is a function of it.
import type { TimeStats } from '../metrics/histogram.ts';
import type { CounterMetric, DerivedMetric, TimeMetric } from '../metrics/names.ts';
import type { Series } from '../metrics/series.ts';

/** Version of the shape below. Fields are only ever added within a version. */
export const schemaVersion = 1;

/** How a run ended. `inconclusive`: the generator, not the target, was the bottleneck or broke. */
export type Outcome = 'passed' | 'failed' | 'inconclusive' | 'interrupted';

/** Why a run did not simply pass; each code has one exit code (see `exit-code.ts`). */
export type ReasonCode =
  | 'bug'
  | 'target-description'
  | 'generator-limited'
  | 'generator-resources'
  | 'lost-worker'
  | 'sigint'
  | 'sigterm'
  | 'aborted'
  | 'killed'
  | 'unreachable'
  | 'threshold'
  | 'check'
  | 'verdict';

/** One line that says why, such as `rtt.p99 31 ms, wanted < 20 ms`. */
export interface Reason {
  code: ReasonCode;
  message: string;
}

/** Something worth saying that changes no outcome. */
export interface Warning {
  code: string;
  message: string;
}

/** When and by what the run was made. */
export interface Run {
  /** Sortable and unique enough for a file name: `2026-11-23T02-26-01Z-stress`. */
  id: string;
  wsbench: string;
  startedAt: string;
  durationMs: number;
  seed: number;
  /** False when the run was interrupted before its schedule ended. */
  complete: boolean;
  /** The command that reproduces it, secrets masked. */
  reproduce?: string;
  /** Ids of the runs that this result was merged from: shards of one load, each from a generator of its own. */
  mergedFrom?: string[];
}

/** What was asked for, secrets masked. `hash` identifies equal plans. */
export interface PlanRecord {
  hash: string;
  name: string;
  options: Record<string, unknown>;
}

/** The server under test. `series` is reserved for the server's own figures. */
export interface TargetRecord {
  /** URL with secrets masked. */
  url: string;
  /** True: wsbench's own server, on the same machine. */
  embedded: boolean;
  /** Target description used: a preset's name, or `any` when nothing is known about the target. */
  description: string;
  series?: unknown;
}

/** The machine that generated the load. */
export interface Host {
  node: string;
  platform: string;
  arch: string;
  cpuModel: string;
  cpus: number;
  memoryBytes: number;
}

interface ResultBase {
  schemaVersion: typeof schemaVersion;
  run: Run;
  plan: PlanRecord;
  target: TargetRecord;
  host: Host;
  outcome: Outcome;
  reasons: Reason[];
  warnings: Warning[];
}

export type CheckStatus = 'passed' | 'failed' | 'skipped';

/** The verdict of one check. */
export interface CheckRecord {
  id: string;
  title: string;
  status: CheckStatus;
  durationMs: number;
  /** One line of what was seen; for a skip, the reason. */
  detail: string;
  /** Only when failed. */
  expected?: string;
  got?: string;
  reproduce?: string;
}

/** Result of `quick`. */
export interface QuickResult extends ResultBase {
  kind: 'quick';
  checks: CheckRecord[];
}

export type ThresholdOp = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** A judged threshold. `limit` and `actual` are in `unit` (ms, /s, % or nothing). */
export interface ThresholdRecord {
  expression: string;
  metric: string;
  stat: string | null;
  op: ThresholdOp;
  limit: number;
  unit: 'ms' | '/s' | '%' | '';
  actual: number | null;
  ok: boolean;
  source: 'default' | 'scenario' | 'option';
  /** Why `actual` is null. */
  reason?: 'lost' | 'no samples';
}

/** How one kind of close was counted. `code` 1006 stands for no close frame, 1005 for one without a code. */
export interface CloseRecord {
  code: number;
  by: 'us' | 'peer' | 'none';
  clean: boolean;
  count: number;
}

/** Connections that never opened, by cause. */
export interface FailureRecord {
  /** `refused`, `dns`, `tls`, `http`, `timeout`, `reset`, `accept-key`, `subprotocol`, `handshake`, `resources`, … */
  kind: string;
  detail: string;
  count: number;
  hint?: string;
}

/** Distribution of one of the generator's own delays, in ms. */
export interface DelayStats {
  mean: number;
  p50: number;
  p99: number;
  max: number;
}

/** How one worker of the generator fared in the measure phase. */
export interface WorkerHealth {
  /** 1, 2, … */
  worker: number;
  loopDelay: DelayStats;
  /** CPU of its thread, 1 = one core; with one worker that of the process. */
  cpu: number;
  gc: { count: number; totalMs: number; maxMs: number };
  /** 99th percentile of its send lag in ms; null: it sent nothing by schedule. */
  sendLagP99: number | null;
  /** The most of its heap that was seen in use. */
  heapBytes: number;
}

/** How the generator itself fared. `limited`: its own delay, not the target's, dominates; latencies are not to be trusted. */
export interface GeneratorRecord {
  limited: boolean;
  reasons: string[];
  advice: string[];
  /** Closed model with a full CPU: the true throughput is at least what was measured. */
  throughputIsLowerBound: boolean;
  workers: number;
  /** How each of the workers fared; those that were lost before the measure phase are not among them. */
  perWorker?: WorkerHealth[];
  loopDelay: DelayStats;
  /** CPU used during the measure phase by all workers, 1 = one core. */
  cpu: number;
  gc: { count: number; totalMs: number; maxMs: number };
  /** Share of messages that waited more than 50 ms for the generator, 0–1. */
  waitedLong: number;
  /** Time that the CPU quota of a control group took in the measure phase, and in how many of its periods; only where there is one. */
  throttled?: { ms: number; periods: number };
}

/** Lengths of the phases as they happened, in ms. */
export interface Phases {
  connectMs: number;
  settleMs: number;
  warmupMs: number;
  measureMs: number;
  drainMs: number;
}

/** How connections that were lost came back. */
export interface RecoveryRecord {
  /** `jitter`: exponential backoff with full jitter, or within the window that the server gives; `immediate`: at once, and at once again. */
  policy: 'jitter' | 'immediate';
  /** Of a storm: who let the connections go, and how, and when in the measure phase the first was gone; null: none was. */
  storm?: { by: 'client' | 'server'; drop: 'rst' | 'fin' | 'close' | null; atMs: number | null };
  /** Connections that were asked for; losses; those that came back, and those that were not back at the end. */
  connections: number;
  lost: number;
  returned: number;
  missing: number;
  /** Attempts to come back: all of them, and by loss. */
  attempts: { total: number; mean: number | null; max: number };
  /** Attempts a second: the most in any 100 ms, and the mean from the first to the last of them. */
  connects: { peakPerSecond: number; meanPerSecond: number | null };
  /** Until connections were back: in a storm from the first loss of all, otherwise from each connection's own. */
  time: TimeStats;
  /** From each connection's own loss until it was back. */
  gap: TimeStats;
  /** Windows to come back in that the server gave (DRAIN, Retry-After), and attempts before and after them. */
  windows: { given: number; early: number; late: number; minMs: number | null; maxMs: number | null };
  /** Messages under way on connections that were lost, and those due while theirs was away. */
  messages: { inFlight: number; unsent: number };
  /** How connections were lost. */
  closes: CloseRecord[];
  /** What happened in each 100 ms in which something did, from the begin of the measure phase. */
  series: { atMs: number; lost: number; attempts: number; back: number }[];
}

/** Result of `stress`, and of `storm`: a load whose connections all go at once. */
export interface StressResult extends ResultBase {
  kind: 'stress';
  model: 'open' | 'closed';
  metrics: Record<TimeMetric, TimeStats>;
  counters: Record<CounterMetric, number>;
  derived: Record<DerivedMetric, number | null>;
  /** Connections still open when the measure phase and drain were over, before wsbench closed them. */
  openAtEnd: number;
  phases: Phases;
  closes: CloseRecord[];
  failures: FailureRecord[];
  /** What the target did against RFC 6455 on open connections, and how it was answered; their sum is `protocol_errors`. */
  violations?: { detail: string; count: number }[];
  /** Unsent messages by reason. */
  unsent: { reason: string; count: number }[];
  /** Typed refusals by code. */
  rejections: { code: string; count: number }[];
  series: Series;
  thresholds: ThresholdRecord[];
  generator: GeneratorRecord;
  /** Messages of the warm-up, which count nowhere else. */
  warmup?: { sent: number; unsent: number; matched: number; rejected: number; lost: number };
  /** Connections that read slowly, and what became of their messages in the measure phase, which count nowhere else. */
  slowConsumers?: {
    connections: number;
    sent: number;
    unsent: number;
    matched: number;
    rejected: number;
    lost: number;
  };
  /** Only where lost connections were asked to come back. */
  recovery?: RecoveryRecord;
}

/** What happened in a conformance case, in Autobahn's words. */
export type Behavior = 'OK' | 'NON-STRICT' | 'INFORMATIONAL' | 'UNIMPLEMENTED' | 'FAILED';

/** How a conformance case's connection ended, in Autobahn's words. */
export type CloseBehavior = 'OK' | 'UNCLEAN' | 'WRONG CODE' | 'FAILED BY CLIENT' | 'FAILED' | 'INFORMATIONAL';

/** One thing that went over the wire in a case, or a step of time between. */
export interface WireRecord {
  /** µs after the connection was opened. */
  atUs: number;
  direction: 'out' | 'in' | 'none';
  /** In words: `text frame, FIN, 5 bytes "Hello"`, `TCP closed`, `close timeout`. */
  text: string;
  /** First bytes, in hex, where there are bytes. */
  hex?: string;
}

/** The verdict of one conformance case. */
export interface VerdictRecord {
  caseId: string;
  title: string;
  /** `RFC 6455 §5.5.3` */
  spec: string;
  behavior: Behavior;
  behaviorClose: CloseBehavior;
  /** The code of the target's close frame; null: none came, or it had none. */
  remoteCloseCode: number | null;
  /** From the open connection to its end, in ms. */
  durationMs: number;
  /** It failed beside others and was run again alone: this is the second verdict. */
  repeated?: boolean;
  /** With several runs of a case: how often each verdict came, when not always the same. */
  flaky?: { behavior: Behavior; behaviorClose: CloseBehavior; count: number }[];
  /** Judged otherwise than Autobahn does, by this rule. */
  rule?: string;
  /** What was expected and what came; where the verdict is not OK. */
  expected?: string;
  got?: string;
  reproduce?: string;
  wire?: WireRecord[];
  /** Against the verdicts that were expected of this case: it is one of those, or worse, or better. */
  against?: 'as-expected' | 'worse' | 'better';
}

/** The verdicts of one server. */
export interface AgentRecord {
  /** As reports call it: the name that was given, or the target's address. */
  name: string;
  url: string;
  verdicts: VerdictRecord[];
  /** Cases that were to run and did not, with the reason; absent when all did. */
  notRun?: { reason: string; caseIds: string[] };
}

/** Which verdicts fail a run. */
export type FailOn = 'failed' | 'unclean' | 'non-strict';

/** Result of `conform`. */
export interface ConformResult extends ResultBase {
  kind: 'conform';
  strictness: 'autobahn' | 'rfc';
  failOn: FailOn;
  /** Messages in each case of sections 12 and 13; Autobahn's own load is 1,000. */
  messages: number;
  agents: AgentRecord[];
}

/** The one document that a run produces. */
export type Result = QuickResult | StressResult | ConformResult;
