// The names of all metrics. A name added here is in every result and open to thresholds; reports show counters of messages
// by themselves, and times that `reports/latency.ts` gives a title.

/** Times, recorded in histograms: µs inside, milliseconds in results. */
export const timeMetrics = [
  'connect',
  'connect.dns',
  'connect.tcp',
  'connect.tls',
  'connect.upgrade',
  'rtt',
  'service',
  'ping',
  'send_lag',
] as const;

/** Counters: events of the measure phase (connections: of the whole run). */
export const counterMetrics = [
  'connections.attempted',
  'connections.opened',
  'connections.failed',
  'connections.closed',
  'connections.abnormal',
  'messages.scheduled',
  'messages.sent',
  'messages.unsent',
  'messages.matched',
  'messages.rejected',
  'messages.lost',
  'messages.interrupted',
  'messages.received',
  'messages.late',
  'messages.duplicate',
  'messages.push',
  'messages.unexpected',
  'messages.reordered',
  'messages.corrupt',
  'bytes.sent',
  'bytes.received',
  'protocol_errors',
] as const;

/** Figures computed from the counters and the clock at the end of a run. */
export const derivedMetrics = ['errors', 'error_rate', 'throughput', 'uptime', 'backlog.end'] as const;

/** Times of lost connections that came back, and figures of it: only in runs whose connections are asked to come back. */
export const recoveryTimes = ['recovery', 'recovery.gap'] as const;
export const recoveryFigures = [
  'recovery.attempts.mean',
  'recovery.attempts.max',
  'recovery.peak',
  'recovery.missing',
  'recovery.lost',
  'recovery.early',
] as const;

export type RecoveryTime = (typeof recoveryTimes)[number];
export type RecoveryFigure = (typeof recoveryFigures)[number];
export type TimeMetric = (typeof timeMetrics)[number];
export type CounterMetric = (typeof counterMetrics)[number];
export type DerivedMetric = (typeof derivedMetrics)[number];

/** Values of all counters, by name. */
export type Counters = Record<CounterMetric, number>;
