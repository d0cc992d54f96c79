// What a threshold came to, in words.
import { formatDuration } from '../duration.ts';
import type { ThresholdRecord } from './result.ts';

/** What stands for the return of connections that did not. */
export const notBackText = 'never (not all came back)';

/** `rtt.p99 31 ms, wanted < 20 ms` */
export function describeThreshold(threshold: ThresholdRecord, timeoutMs: number): string {
  const { metric, stat, op, limit, unit, actual, reason } = threshold;
  const name = stat === null ? metric : `${metric}.${stat === 'p999' ? 'p99.9' : stat}`;
  const quantity = (value: number): string =>
    `${Number(value.toPrecision(6))}${unit === '/s' || unit === '' ? unit : ` ${unit}`}`;
  const got =
    actual !== null
      ? quantity(actual)
      : reason === 'lost' && metric.startsWith('recovery')
        ? notBackText
        : reason === 'lost'
          ? `> ${formatDuration(timeoutMs)} (lost)`
          : 'has no samples';
  return `${name} ${got}, wanted ${op} ${quantity(limit)}`;
}
