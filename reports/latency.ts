// Which times every report shows, under which names.
import type { TimeStats } from '../lib/metrics/histogram.ts';
import type { TimeMetric } from '../lib/metrics/names.ts';
import type { StressResult } from '../lib/result/result.ts';
import { lostText, ms, timeoutMs } from './figures.ts';

/** The rows of every latency table. */
export const latencyRows: readonly { metric: TimeMetric; title: string }[] = [
  { metric: 'connect', title: 'Connect' },
  { metric: 'rtt', title: 'Round trip, intended' },
  { metric: 'service', title: 'Round trip, service' },
  { metric: 'ping', title: 'Ping → pong' },
  { metric: 'send_lag', title: 'Send lag' },
];

/** The parts of connecting, shown where there is room. */
export const connectRows: readonly { metric: TimeMetric; title: string }[] = [
  { metric: 'connect.dns', title: 'Connect: DNS' },
  { metric: 'connect.tcp', title: 'Connect: TCP' },
  { metric: 'connect.tls', title: 'Connect: TLS' },
  { metric: 'connect.upgrade', title: 'Connect: upgrade' },
];

/** A column of a latency table. */
export type LatencyStat = 'min' | 'p50' | 'p90' | 'p95' | 'p99' | 'p999' | 'max' | 'mean';

/** The heads of the columns. */
export const statTitles: Record<LatencyStat, string> = {
  min: 'min',
  p50: 'p50',
  p90: 'p90',
  p95: 'p95',
  p99: 'p99',
  p999: 'p99.9',
  max: 'max',
  mean: 'mean',
};

/** One cell: the time in ms, the lower bound that a lost message sets, or a dash when there is nothing to say. */
export function latencyCell(result: StressResult, stats: TimeStats, stat: LatencyStat, none: string): string {
  const value = stats[stat];
  if (value !== null) return ms(value);
  if (stats.reason !== 'lost' || (stat === 'min' && stats.count === 0)) return none;
  // A mean over messages that never came back is not a number at all, not even a bound in the timeout.
  return stat === 'mean' ? 'lost' : lostText(timeoutMs(result));
}

/** True when some shown figure belongs to a lost message. */
export function anyLost(result: StressResult): boolean {
  return latencyRows.some(({ metric }) => result.metrics[metric].reason === 'lost');
}

/** What the times leave out, or do not: the model decides whether a stall of the target shows in them. */
export function modelNote({ model, metrics }: StressResult): string | undefined {
  if (metrics.rtt.count === 0) return undefined;
  return model === 'open'
    ? 'Open model: round trips count from when a message was due, stalls included.'
    : 'Closed model: a stall stops the sending, too: what users would meet is missing.';
}
