// Thresholds: parsed before the run, judged after it.
//
//   threshold = metric [ "." stat ] op value [ unit ]
//   stat      = "count" | "min" | "mean" | "max" | "p50" | "p90" | "p95" | "p99" | "p99.9"     (times only)
//   op        = "<" | "<=" | ">" | ">=" | "==" | "!="
//   unit      = "us" | "ms" | "s" | "m"  (times)  |  "%"  (ratios)  |  "/s"  (rates)
import { parseDurationMs, parseRatePerSecond } from '../duration.ts';
import { WsbenchError } from '../errors.ts';
import type { TimeStats } from '../metrics/histogram.ts';
import {
  type CounterMetric,
  counterMetrics,
  type DerivedMetric,
  derivedMetrics,
  type RecoveryFigure,
  type RecoveryTime,
  recoveryFigures,
  recoveryTimes,
  type TimeMetric,
  timeMetrics,
} from '../metrics/names.ts';
import type { RecoveryRecord, ThresholdOp, ThresholdRecord } from './result.ts';

type Stat = 'count' | 'min' | 'mean' | 'max' | 'p50' | 'p90' | 'p95' | 'p99' | 'p999';

/** A threshold that has been understood, not yet judged. */
export interface Threshold {
  expression: string;
  metric: TimeMetric | CounterMetric | DerivedMetric | RecoveryTime | RecoveryFigure;
  stat: Stat | null;
  op: ThresholdOp;
  limit: number;
  unit: ThresholdRecord['unit'];
  source: ThresholdRecord['source'];
}

/** What thresholds are judged against: the figures of a stress result. */
export interface Figures {
  metrics: Record<TimeMetric, TimeStats>;
  counters: Record<CounterMetric, number>;
  derived: Record<DerivedMetric, number | null>;
  /** Only where lost connections were asked to come back. */
  recovery?: RecoveryRecord;
}

/** The thresholds of every stress run, unless replaced one by one or removed. */
export const defaultThresholds: readonly string[] = [
  'connections.failed==0',
  'error_rate<1%',
  'messages.corrupt==0',
  'protocol_errors==0',
];

const stats: Record<string, Stat> = {
  count: 'count',
  min: 'min',
  mean: 'mean',
  avg: 'mean',
  max: 'max',
  p50: 'p50',
  med: 'p50',
  p90: 'p90',
  p95: 'p95',
  p99: 'p99',
  'p99.9': 'p999',
  p999: 'p999',
};

const ratios: readonly string[] = ['error_rate', 'uptime'];
const rates: readonly string[] = ['throughput', 'recovery.peak'];
const times: readonly string[] = [...timeMetrics, ...recoveryTimes];
const names: readonly string[] = [...times, ...counterMetrics, ...derivedMetrics, ...recoveryFigures];

/** The metric and the statistic that a name such as `rtt.p99` stands for; in words, why it stands for none. */
export function figureNamed(name: string): Pick<Threshold, 'metric' | 'stat'> | string {
  const metric = names
    .filter((known) => name === known || name.startsWith(`${known}.`))
    .reduce((longest, known) => (known.length > longest.length ? known : longest), '');
  if (metric === '') return `unknown metric "${name}"; known: ${names.join(', ')}`;
  const known = metric as Threshold['metric'];
  const rest = name.slice(metric.length + 1);
  const isTime = unitOf(known, null) === 'ms';
  if (rest === '') {
    return isTime ? `${metric} needs a statistic, such as ${metric}.p99` : { metric: known, stat: null };
  }
  const stat = Object.hasOwn(stats, rest) ? stats[rest] : undefined;
  if (stat === undefined) return `unknown statistic "${rest}" of ${metric}`;
  return isTime ? { metric: known, stat } : `${metric} has no statistics`;
}

/** The thresholds of every storm: it is about the way back, and while that lasts connections fail and messages are missed. */
export const stormThresholds: readonly string[] = [
  'recovery.missing==0',
  'messages.corrupt==0',
  'protocol_errors==0',
];

/** What a figure is counted in. */
export function unitOf(metric: Threshold['metric'], stat: Stat | null): Threshold['unit'] {
  if (stat === 'count') return '';
  if (times.includes(metric)) return 'ms';
  if (rates.includes(metric)) return '/s';
  return ratios.includes(metric) ? '%' : '';
}

/**
 * Parses one threshold such as `rtt.p99<20ms`, `error_rate<0.1%` or `throughput>=92/s`.
 *
 * @throws WsbenchError `USAGE` that names the part that is wrong
 */
export function parseThreshold(expression: string, source: Threshold['source'] = 'option'): Threshold {
  const fail = (why: string): never => {
    throw new WsbenchError('USAGE', `threshold "${expression}": ${why}; write it like rtt.p99<20ms`);
  };
  const match = /^\s*([a-z_.\d]+?)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*$/i.exec(expression);
  if (!match) return fail('expected metric, operator and value');
  const [, left = '', op = '', right = ''] = match;
  const named = figureNamed(left);
  if (typeof named === 'string') return fail(named);
  const { metric, stat } = named;
  const isTime = unitOf(metric, null) === 'ms';
  const base = { expression: expression.trim(), stat, op: op as ThresholdOp, source };
  if (isTime && stat !== 'count') {
    return { ...base, metric, limit: parseDurationMs(right, `threshold "${expression}"`), unit: 'ms' };
  }
  if (rates.includes(metric)) {
    return {
      ...base,
      metric,
      limit: parseRatePerSecond(right, `threshold "${expression}"`),
      unit: '/s',
    };
  }
  const isPercent = right.endsWith('%');
  if (isPercent && !ratios.includes(metric)) return fail(`${metric} is a count, not a percentage`);
  const digits = isPercent ? right.slice(0, -1).trim() : right;
  const limit = Number(digits);
  if (digits === '' || !Number.isFinite(limit)) return fail(`"${right}" is not a number`);
  if (ratios.includes(metric)) return { ...base, metric, limit: isPercent ? limit : limit * 100, unit: '%' };
  return { ...base, metric, limit, unit: '' };
}

/**
 * The thresholds of a run: the defaults, except those on a metric that an explicit one names, then the explicit ones.
 *
 * @param explicit parsed thresholds of the scenario and the options
 * @param withDefaults false for `--no-default-thresholds`
 * @param texts the defaults
 */
export function planThresholds(
  explicit: readonly Threshold[],
  withDefaults = true,
  texts = defaultThresholds,
): Threshold[] {
  const named = new Set(explicit.map((threshold) => threshold.metric));
  const defaults = withDefaults ? texts.map((text) => parseThreshold(text, 'default')) : [];
  return [...defaults.filter((threshold) => !named.has(threshold.metric)), ...explicit];
}

const compare: Record<ThresholdOp, (actual: number, limit: number) => boolean> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

/** A figure in its unit; null where there is none, with the reason. */
export function figureOf(
  { metric, stat }: Pick<Threshold, 'metric' | 'stat'>,
  figures: Figures,
): { value: number | null; reason?: 'lost' | 'no samples' } {
  if (stat !== null) {
    const time = metric.startsWith('recovery')
      ? recoveryTime(metric as RecoveryTime, figures)
      : figures.metrics[metric as TimeMetric];
    if (time === undefined) return { value: null, reason: 'no samples' };
    // No samples at all are no figure either.
    const value = stat === 'count' && time.count === 0 ? null : time[stat];
    return value === null ? { value, reason: time.reason ?? 'no samples' } : { value };
  }
  if (metric.startsWith('recovery')) return recoveryFigure(metric as RecoveryFigure, figures);
  if (metric in figures.counters) return { value: figures.counters[metric as CounterMetric] };
  const value = figures.derived[metric as DerivedMetric];
  if (value === null) return { value, reason: 'no samples' };
  return { value: unitOf(metric, stat) === '%' ? value * 100 : value };
}

function recoveryTime(metric: RecoveryTime, { recovery }: Figures): TimeStats | undefined {
  return metric === 'recovery' ? recovery?.time : recovery?.gap;
}

/** Without a loss there is nothing to judge: a threshold on it is not met. */
function recoveryFigure(
  metric: RecoveryFigure,
  { recovery }: Figures,
): { value: number | null; reason?: 'no samples' } {
  if (!recovery || recovery.lost === 0) return { value: null, reason: 'no samples' };
  const { attempts, connects, missing, messages, windows } = recovery;
  const values: Record<RecoveryFigure, number | null> = {
    'recovery.attempts.mean': attempts.mean,
    'recovery.attempts.max': attempts.max,
    'recovery.peak': connects.peakPerSecond,
    'recovery.missing': missing,
    'recovery.lost': messages.inFlight + messages.unsent,
    'recovery.early': windows.early,
  };
  return { value: values[metric] };
}

/** Judges a threshold. A figure that is missing (lost messages, no samples) never meets one. */
export function judgeThreshold(threshold: Threshold, figures: Figures): ThresholdRecord {
  const { value: actual, reason } = figureOf(threshold, figures);
  return {
    expression: threshold.expression,
    metric: threshold.metric,
    stat: threshold.stat,
    op: threshold.op,
    limit: threshold.limit,
    unit: threshold.unit,
    actual,
    ok: actual !== null && compare[threshold.op](actual, threshold.limit),
    source: threshold.source,
    ...(actual === null && reason ? { reason } : {}),
  };
}
