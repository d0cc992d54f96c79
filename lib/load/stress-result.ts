// From what a run counted to its result.
import { brokenIdentities } from '../metrics/counters.ts';
import type { Series } from '../metrics/series.ts';
import { decidingReason } from '../result/exit-code.ts';
import { hostRecord } from '../result/host.ts';
import { redactText, redactUrl } from '../result/redact.ts';
import {
  type GeneratorRecord,
  type Outcome,
  type Phases,
  type Reason,
  type ReasonCode,
  type StressResult,
  schemaVersion,
  type Warning,
} from '../result/result.ts';
import { judgeThreshold } from '../result/thresholds.ts';
import { backlogGrowth } from './backlog.ts';
import { describeEnds } from './ends.ts';
import { failureRecords } from './failures.ts';
import { figuresOf, finiteRttP99 } from './figures.ts';
import type { GeneratorMeans } from './health-advice.ts';
import { judgeEngines } from './judge-engines.ts';
import { planRecord, type StressPlan } from './plan.ts';
import { mostConnections } from './profile.ts';
import type { Share } from './share.ts';
import { slowAmong } from './slow-consumers.ts';
import { describeThreshold } from './threshold-words.ts';

/** What is left of a run when its connections are closed. */
export interface RunRemains {
  plan: StressPlan;
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

const outcomes: Record<ReasonCode, Outcome> = {
  bug: 'inconclusive',
  'target-description': 'failed',
  'generator-limited': 'inconclusive',
  'generator-resources': 'inconclusive',
  'lost-worker': 'inconclusive',
  sigint: 'interrupted',
  sigterm: 'interrupted',
  aborted: 'interrupted',
  unreachable: 'failed',
  threshold: 'failed',
  check: 'failed',
  verdict: 'failed',
};

/** Makes the result of a run: figures, judgements, and the outcome that follows from them. */
export function stressResult(remains: RunRemains): StressResult {
  const { plan, share, phases, startedAt } = remains;
  const { counters, measured } = share;
  const figures = figuresOf(share);
  const { metrics, derived } = figures;
  const generator = judgeEngines(plan.model, share.health, remains.means, finiteRttP99(share));
  const thresholds = measured ? plan.thresholds.map((threshold) => judgeThreshold(threshold, figures)) : [];

  const reasons: Reason[] = [...remains.reasons];
  const broken = brokenBooks(remains);
  if (broken.length > 0) {
    reasons.push({ code: 'bug', message: `the books do not balance: ${broken.join('; ')}` });
  }
  if (measured && generator.limited) {
    reasons.push({
      code: 'generator-limited',
      message: [...generator.reasons, ...generator.advice].join('; '),
    });
  }
  const failures = failureRecords(share.failures);
  const resources = failures.find((record) => record.kind === 'resources');
  if (resources) {
    reasons.push({
      code: 'generator-resources',
      message: [resources.detail, resources.hint].filter(Boolean).join(': '),
    });
  }
  if (remains.stoppedBy !== undefined) reasons.push(interruption(remains.stoppedBy));
  for (const threshold of thresholds) {
    // The one that ended the run is told already.
    if (threshold.ok || threshold.expression === remains.abortedBy) continue;
    reasons.push({ code: 'threshold', message: describeThreshold(threshold, plan.timeoutMs) });
  }
  const deciding = decidingReason({ reasons });

  return {
    schemaVersion,
    kind: 'stress',
    run: {
      id: `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}Z-stress`,
      wsbench: plan.version ?? 'unknown',
      startedAt: startedAt.toISOString(),
      durationMs: Math.round(remains.durationMs),
      seed: plan.seed,
      complete: measured && !remains.stopped,
      ...(plan.reproduce === undefined ? {} : { reproduce: redactText(plan.reproduce) }),
    },
    plan: planRecord(plan),
    target: {
      url: redactUrl(plan.url),
      embedded: plan.embedded,
      description: plan.targetKnown ? plan.target.name : 'any',
    },
    host: hostRecord(),
    outcome: deciding ? outcomes[deciding.code] : 'passed',
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
          slowConsumers: { connections: slowAmong(mostConnections(plan), plan.slowConsumers), ...share.slow },
        }
      : {}),
  };
}

/** The identities that do not hold, of each engine by itself and of their sum. */
function brokenBooks({ shares, share }: RunRemains): string[] {
  const ofWorkers = shares.flatMap(({ counters, open }, worker) =>
    brokenIdentities(counters, open).map((words) => `worker ${worker + 1}: ${words}`),
  );
  const broken = brokenIdentities(share.counters, share.open);
  return shares.length > 1 ? [...broken, ...ofWorkers] : broken;
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
  if (ended > 0) {
    const words = describeEnds(ends, 3);
    const message = `${ended} of ${opened} connections ended before the run did: ${words}`;
    warnings.push({ code: 'connections-ended', message });
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
