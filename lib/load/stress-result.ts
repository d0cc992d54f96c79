// From what a run counted to its result.

import { formatDuration } from '../duration.ts';
import type { Series } from '../metrics/series.ts';
import { conclude, type Findings } from '../result/conclude.ts';
import { failureRecords } from '../result/failure-groups.ts';
import {
  type GeneratorRecord,
  type Host,
  type Phases,
  type Reason,
  type StressResult,
  schemaVersion,
  type Warning,
} from '../result/result.ts';
import { judgeThreshold } from '../result/thresholds.ts';
import { backlogGrowth } from './backlog.ts';
import { describeEnds } from './ends.ts';
import { figuresOf, finiteRttP99 } from './figures.ts';
import type { GeneratorMeans } from './health-advice.ts';
import { judgeEngines } from './judge-engines.ts';
import type { PlanFacts } from './plan-facts.ts';
import type { Share } from './share.ts';
import { slowAmong } from './slow-consumers.ts';

/** What is left of a run when its connections are closed. */
export interface RunRemains {
  plan: PlanFacts;
  /** The machine that it ran on. */
  host: Host;
  startedAt: Date;
  durationMs: number;
  stopped: boolean;
  /** The signal's reason, if that stopped the run. */
  stoppedBy: unknown;
  /** What the generator had to work with. */
  means: GeneratorMeans;
  /** The threshold that ended the run, which is among the reasons. */
  abortedBy?: string | undefined;
  /** What already is to be said against the run. */
  reasons: readonly Reason[];
  warnings: readonly Warning[];
  phases: Phases;
  /** What each of the engines counted, and the sum of it. */
  shares: readonly Share[];
  share: Share;
  series: Series;
}

/** Makes the result of a run: figures, judgements, and the outcome that follows from them. */
export function stressResult(remains: RunRemains): StressResult {
  const { plan, share, phases, startedAt } = remains;
  const { counters, measured } = share;
  const figures = figuresOf(share, plan);
  const { metrics, derived, recovery } = figures;
  const generator = judgeEngines(plan.model, share.health, remains.means, finiteRttP99(share));
  const thresholds = measured ? plan.thresholds.map((threshold) => judgeThreshold(threshold, figures)) : [];

  const failures = failureRecords(share.failures);
  const { outcome, reasons } = conclude({
    reasons: remains.reasons,
    books: booksOf(remains),
    measured,
    generator,
    failures,
    interruption: remains.stoppedBy === undefined ? undefined : interruption(remains.stoppedBy),
    thresholds,
    abortedBy: remains.abortedBy,
    timeoutMs: plan.timeoutMs,
  });

  return {
    schemaVersion,
    kind: 'stress',
    run: {
      id: runId(plan, startedAt),
      wsbench: plan.version ?? 'unknown',
      startedAt: startedAt.toISOString(),
      durationMs: Math.round(remains.durationMs),
      seed: plan.seed,
      complete: measured && !remains.stopped,
      ...(plan.reproduce === undefined ? {} : { reproduce: plan.reproduce }),
    },
    plan: plan.record,
    target: {
      url: plan.url,
      embedded: plan.embedded,
      description: plan.description,
    },
    host: remains.host,
    outcome,
    reasons,
    warnings: [...remains.warnings, ...closingWarnings(remains, generator)],
    model: plan.model,
    metrics,
    counters,
    derived,
    openAtEnd: share.open,
    phases: rounded(phases),
    closes: [...share.closes].sort((a, b) => b.count - a.count),
    failures,
    violations: failureRecords(share.violations).map(({ detail, count }) => ({ detail, count })),
    unsent: ranked(share.unsentReasons).map(([reason, count]) => ({ reason, count })),
    rejections: ranked(share.rejectionCodes).map(([code, count]) => ({ code, count })),
    series: remains.series,
    thresholds,
    generator,
    warmup: share.warmup,
    ...(plan.slowConsumers > 0
      ? {
          slowConsumers: { connections: slowAmong(plan.mostConnections, plan.slowConsumers), ...share.slow },
        }
      : {}),
    ...(recovery ? { recovery } : {}),
  };
}

/** Names a run by when it began: `2026-11-23T02-26-01Z-stress`. */
export function runId({ storm }: Pick<PlanFacts, 'storm'>, startedAt: Date): string {
  return `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}Z-${storm ? 'storm' : 'stress'}`;
}

/** The books of the sum, and of each engine by itself. */
function booksOf({ shares, share }: RunRemains): Findings['books'] {
  const sum = { of: '', counters: share.counters, open: share.open };
  if (shares.length < 2) return [sum];
  return [
    sum,
    ...shares.map(({ counters, open }, worker) => ({ of: `worker ${worker + 1}`, counters, open })),
  ];
}

/** What only the end of a run shows. */
function closingWarnings(remains: RunRemains, { limited }: GeneratorRecord): Warning[] {
  const { plan, stopped } = remains;
  const { counters, backlog, ends } = remains.share;
  const { 'connections.opened': opened } = counters;
  const warnings: Warning[] = [];
  // A generator that fell behind makes a backlog of its own, and must not blame the target for it. A target that answers
  // nothing is not slow.
  const isServing = counters['messages.matched'] > 0;
  const grown = backlogGrowth(backlog, plan.ratePerSecond);
  if (plan.model === 'open' && grown > 0 && !stopped && !limited && isServing) {
    const message = `the backlog grew by ${grown} messages across the measure phase: the target does not keep up`;
    warnings.push({ code: 'backlog', message });
  }
  // In the closed model nothing else tells: a connection that is gone asks for nothing and so misses nothing.
  // Those that we closed because the load asked for it are not among the ends.
  const ended = ends.reduce((sum, { count }) => sum + count, 0);
  if (plan.storm) warnings.push(...stormWarnings(remains));
  else if (ended > 0) {
    const words = describeEnds(ends, 3);
    const message = `${ended} of ${opened} connections ended before the run did: ${words}`;
    warnings.push({ code: 'connections-ended', message });
  }
  return warnings;
}

/** Of a storm the ends of connections are what was asked for; that there were none, or that not all is told, is not. */
function stormWarnings({ plan, stopped, share: { recovery } }: RunRemains): Warning[] {
  const warnings: Warning[] = [];
  if (recovery?.lost === 0) {
    const isOver = plan.storm?.drop === null && !stopped;
    const waited = isOver ? ` within ${formatDuration(plan.storm?.beforeMs ?? 0)}` : '';
    const message = `no connection was lost${waited}: there was nothing to come back from`;
    warnings.push({ code: 'no-storm', message });
  }
  if (recovery?.cut) {
    const message =
      'more than an hour of attempts: the series of recovery is not whole, and peak and mean are of what it has';
    warnings.push({ code: 'recovery-cut', message });
  }
  return warnings;
}

function interruption(reason: unknown): Reason {
  const name = reason instanceof Error ? `${reason.name} ${reason.message}` : String(reason);
  if (name.includes('SIGINT')) return { code: 'sigint', message: 'interrupted by SIGINT' };
  if (name.includes('SIGTERM')) return { code: 'sigterm', message: 'interrupted by SIGTERM' };
  return { code: 'aborted', message: 'stopped by the caller' };
}

function rounded(phases: Phases): Phases {
  return Object.fromEntries(
    Object.entries(phases).map(([name, ms]) => [name, Math.round(ms * 1000) / 1000]),
  ) as unknown as Phases;
}

function ranked(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([, a], [, b]) => b - a);
}
