// The figures of a run, at its end or so far: what thresholds are judged against.
import { errorRateOf, errorsOf } from '../metrics/derived.ts';
import { Histogram, percentileUs, timeStats } from '../metrics/histogram.ts';
import { type TimeMetric, timeMetrics } from '../metrics/names.ts';
import type { Figures } from '../result/thresholds.ts';
import { type RecoveryPlan, recoveryRecord } from './reconnect/recovery-record.ts';
import type { Share } from './share.ts';

/**
 * The figures of a share, at the end of a run.
 *
 * @param plan what was asked for: with it, also how lost connections came back
 */
export function figuresOf(share: Share, plan?: RecoveryPlan): Figures {
  const recovery = plan && recoveryRecord(plan, share);
  return {
    metrics: metricsOf(share, timeMetrics, true),
    counters: share.counters,
    derived: derive(share),
    ...(recovery ? { recovery } : {}),
  };
}

/**
 * The figures of a share while its run goes on: quickly, as it sends messages meanwhile.
 *
 * @param times the times that are asked for; the others are empty
 */
export function figuresSoFar(share: Share, times: readonly string[]): Figures {
  const asked = timeMetrics.filter((name) => times.includes(name));
  return { metrics: metricsOf(share, asked, false), counters: share.counters, derived: derive(share) };
}

function metricsOf(share: Share, asked: readonly TimeMetric[], withPayload: boolean): Figures['metrics'] {
  const { 'messages.lost': lost, 'messages.unsent': unsent } = share.counters;
  const censored: Partial<Record<TimeMetric, number>> = { rtt: lost + unsent, service: lost };
  const nothing = timeStats(new Histogram());
  const metrics = timeMetrics.map((name) => {
    if (!asked.includes(name)) return [name, nothing] as const;
    return [name, timeStats(histogramOf(share, name), censored[name] ?? 0, withPayload)] as const;
  });
  return Object.fromEntries(metrics) as Figures['metrics'];
}

/** 99th percentile of the round trips that ended, in ms; null when none did. */
export function finiteRttP99(share: Share): number | null {
  const us = percentileUs(histogramOf(share, 'rtt'), 99);
  return us === null ? null : Math.round(us) / 1000;
}

function histogramOf({ times }: Share, name: TimeMetric): Histogram {
  const histogram = new Histogram();
  histogram.addData(times[name]);
  return histogram;
}

function derive(share: Share): Figures['derived'] {
  const { counters, measured, openUs, askedUs, backlogEnd, startUs, endUs } = share;
  const seconds = measured ? (endUs - startUs) / 1e6 : 0;
  return {
    errors: errorsOf(counters),
    error_rate: errorRateOf(counters),
    throughput: seconds > 0 ? share.repliesInMeasure / seconds : null,
    uptime: measured && askedUs > 0 ? Math.min(1, openUs / askedUs) : null,
    'backlog.end': backlogEnd,
  };
}
