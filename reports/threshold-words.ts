// A judged threshold in words.
import { notBackText } from '../lib/result/describe-threshold.ts';
import type { ThresholdRecord } from '../lib/result/result.ts';
import { lostText, withUnit } from './figures.ts';

/** `rtt.p99`, `error_rate`. */
export function thresholdName(threshold: ThresholdRecord): string {
  if (threshold.stat === null) return threshold.metric;
  return `${threshold.metric}.${threshold.stat === 'p999' ? 'p99.9' : threshold.stat}`;
}

/** The limit with its unit, written as exactly as it was given. */
export function limitText(threshold: ThresholdRecord): string {
  const { limit, unit } = threshold;
  if (unit === '/s') return `${limit}/s`;
  return unit === '' ? String(limit) : `${limit} ${unit}`;
}

/** What was measured, or why there is nothing. */
export function thresholdFigure(threshold: ThresholdRecord, timeoutMs: number | null, none: string): string {
  if (threshold.actual !== null) return withUnit(threshold.actual, threshold.unit);
  if (threshold.reason === 'lost' && threshold.metric.startsWith('recovery')) return notBackText;
  if (threshold.reason === 'lost') return threshold.stat === 'mean' ? 'lost' : lostText(timeoutMs);
  return threshold.reason ?? none;
}
