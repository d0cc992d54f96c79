// The rows of a comparison.
import type { TimeStats } from '../metrics/histogram.ts';
import type { TimeMetric } from '../metrics/names.ts';
import type { QuickResult, StressResult } from '../result/result.ts';
import { figureNamed, figureOf } from '../result/thresholds.ts';
import type { ComparisonRow, Direction } from './comparison.ts';

interface Figure {
  value: number | null;
  reason?: 'lost' | 'no samples';
}

type RowHead = Pick<ComparisonRow, 'metric' | 'title' | 'unit' | 'better'>;

const none: Figure = { value: null, reason: 'no samples' };
const known = (value: number | null): Figure => (value === null ? none : { value });
const ratio = (value: number | null): Figure => known(value === null ? null : value * 100);
const share = (part: number, whole: number): Figure => (whole === 0 ? none : { value: (100 * part) / whole });

/** What became of one figure. */
export function compareFigures(head: RowHead, before: Figure, after: Figure): ComparisonRow {
  const change =
    before.value === null || after.value === null || before.value === 0
      ? null
      : (after.value - before.value) / before.value;
  return {
    ...head,
    before: before.value,
    after: after.value,
    ...(before.reason && before.value === null ? { beforeReason: before.reason } : {}),
    ...(after.reason && after.value === null ? { afterReason: after.reason } : {}),
    change,
    direction: direction(head.better, before, after),
  };
}

// A lost figure is a time beyond every number, so it compares; one without samples does not.
function direction(better: ComparisonRow['better'], before: Figure, after: Figure): Direction {
  const rank = (figure: Figure): number | null =>
    figure.value ?? (figure.reason === 'lost' ? Number.POSITIVE_INFINITY : null);
  const from = rank(before);
  const to = rank(after);
  if (from === null || to === null) return 'n/a';
  if (from === to) return 'same';
  return to < from === (better === 'lower') ? 'better' : 'worse';
}

/** Rows of two quick runs. */
export function quickRows(before: QuickResult, after: QuickResult): ComparisonRow[] {
  const of = (result: QuickResult, status: string): number =>
    result.checks.filter((check) => check.status === status).length;
  const passRate = (result: QuickResult): Figure =>
    share(of(result, 'passed'), of(result, 'passed') + of(result, 'failed'));
  const number = (title: string, status: string, better: ComparisonRow['better']): ComparisonRow =>
    compareFigures(
      { metric: `checks.${status}`, title, unit: '', better },
      { value: of(before, status) },
      { value: of(after, status) },
    );
  return [
    compareFigures(
      { metric: 'pass_rate', title: 'Pass rate (checks)', unit: '%', better: 'higher' },
      passRate(before),
      passRate(after),
    ),
    number('Checks passed', 'passed', 'higher'),
    number('Checks failed', 'failed', 'lower'),
    number('Checks skipped', 'skipped', 'lower'),
  ];
}

const timeRows: readonly {
  metric: TimeMetric;
  stat: 'mean' | 'p50' | 'p90' | 'p99' | 'p999' | 'max';
  title: string;
}[] = [
  { metric: 'rtt', stat: 'mean', title: 'Round trip mean' },
  { metric: 'rtt', stat: 'p50', title: 'Round trip p50' },
  { metric: 'rtt', stat: 'p90', title: 'Round trip p90' },
  { metric: 'rtt', stat: 'p99', title: 'Round trip p99' },
  { metric: 'rtt', stat: 'p999', title: 'Round trip p99.9' },
  { metric: 'rtt', stat: 'max', title: 'Round trip max' },
  { metric: 'service', stat: 'p99', title: 'Service time p99' },
  { metric: 'connect', stat: 'p99', title: 'Connect p99' },
];

/** Rows of two stress runs; pass rate, message rate, error rate and stability come first. */
export function stressRows(before: StressResult, after: StressResult): ComparisonRow[] {
  const both = (head: RowHead, figure: (result: StressResult) => Figure): ComparisonRow =>
    compareFigures(head, figure(before), figure(after));
  const timeFigure = (stats: TimeStats, stat: (typeof timeRows)[number]['stat']): Figure => ({
    value: stats[stat],
    reason: stats.reason ?? 'no samples',
  });
  return [
    both(
      { metric: 'pass_rate', title: 'Pass rate (thresholds)', unit: '%', better: 'higher' },
      ({ thresholds }) => share(thresholds.filter((threshold) => threshold.ok).length, thresholds.length),
    ),
    messageRate(
      both({ metric: 'throughput', title: 'Message rate', unit: '/s', better: 'higher' }, ({ derived }) =>
        known(derived.throughput),
      ),
      before,
      after,
    ),
    both({ metric: 'error_rate', title: 'Error rate', unit: '%', better: 'lower' }, ({ derived }) =>
      ratio(derived.error_rate),
    ),
    both({ metric: 'uptime', title: 'Stability (uptime)', unit: '%', better: 'higher' }, ({ derived }) =>
      ratio(derived.uptime),
    ),
    ...timeRows.map(({ metric, stat, title }) =>
      both(
        { metric: `${metric}.${stat === 'p999' ? 'p99.9' : stat}`, title, unit: 'ms', better: 'lower' },
        ({ metrics }) => timeFigure(metrics[metric], stat),
      ),
    ),
    ...recoveryRows(before, after),
    both({ metric: 'messages.lost', title: 'Lost messages', unit: '', better: 'lower' }, ({ counters }) => ({
      value: counters['messages.lost'],
    })),
    both(
      { metric: 'connections.failed', title: 'Failed connections', unit: '', better: 'lower' },
      ({ counters }) => ({ value: counters['connections.failed'] }),
    ),
  ];
}

const recoveryHeads: readonly Omit<RowHead, 'better'>[] = [
  { metric: 'recovery.p50', title: '50 % back after', unit: 'ms' },
  { metric: 'recovery.p95', title: '95 % back after', unit: 'ms' },
  { metric: 'recovery.max', title: 'All back after', unit: 'ms' },
  { metric: 'recovery.gap.p99', title: 'Client gap p99', unit: 'ms' },
  { metric: 'recovery.attempts.mean', title: 'Attempts a client', unit: '' },
  { metric: 'recovery.peak', title: 'Peak of connects', unit: '/s' },
  { metric: 'recovery.lost', title: 'Messages in the gap', unit: '' },
  { metric: 'recovery.missing', title: 'Connections not back', unit: '' },
];

/** How lost connections came back, where one of the runs asked them to. */
function recoveryRows(before: StressResult, after: StressResult): ComparisonRow[] {
  if (!before.recovery && !after.recovery) return [];
  return recoveryHeads.map((head) => {
    const named = figureNamed(head.metric);
    if (typeof named === 'string') throw new RangeError(named);
    return compareFigures({ ...head, better: 'lower' }, figureOf(named, before), figureOf(named, after));
  });
}

/** In the open model the rate is what was asked for: another one asked for is neither better nor worse. */
function messageRate(row: ComparisonRow, before: StressResult, after: StressResult): ComparisonRow {
  const asked = ({ model, plan }: StressResult): unknown => model === 'open' && plan.options.ratePerSecond;
  return asked(before) === asked(after) ? row : { ...row, direction: 'n/a' };
}
