// From what a run counted to its result.
import { formatDuration } from '../duration.ts';
import { brokenIdentities } from '../metrics/counters.ts';
import { timeStats } from '../metrics/histogram.ts';
import { type Counters, timeMetrics } from '../metrics/names.ts';
import { decidingReason } from '../result/exit-code.ts';
import { hostRecord } from '../result/host.ts';
import { redactText, redactUrl } from '../result/redact.ts';
import {
  type CloseRecord,
  type GeneratorRecord,
  type Outcome,
  type Phases,
  type Reason,
  type ReasonCode,
  type StressResult,
  schemaVersion,
  type ThresholdRecord,
  type Warning,
} from '../result/result.ts';
import { judgeThreshold } from '../result/thresholds.ts';
import type { EndLog } from './ends.ts';
import type { FailureLog } from './failures.ts';
import { judgeHealth, type ProbeSample, sendLagTail } from './health.ts';
import { planRecord, type StressPlan } from './plan.ts';
import type { Recorder } from './recorder.ts';

/** What is left of a run when its connections are closed. */
export interface RunRemains {
  plan: StressPlan;
  startedAt: Date;
  durationMs: number;
  /** The measure phase began. */
  measured: boolean;
  stopped: boolean;
  /** The signal's reason, if that stopped the run. */
  stoppedBy: unknown;
  /** What already is to be said against the run. */
  reasons: readonly Reason[];
  warnings: readonly Warning[];
  phases: Phases;
  recorder: Recorder;
  failures: FailureLog;
  violations: FailureLog;
  ends: EndLog;
  closes: CloseRecord[];
  uptime: number | null;
  openAtEnd: number;
  backlogEnd: number | null;
  /** Messages by which the backlog grew across the measure phase. */
  backlogGrowth: number;
  health: ProbeSample;
  endUs: number;
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
  const { plan, recorder, phases, startedAt } = remains;
  const { counters, times, warmup } = recorder;
  const lost = counters['messages.lost'];
  const censored = { rtt: lost + counters['messages.unsent'], service: lost };
  const metrics = Object.fromEntries(
    timeMetrics.map((name) => [name, timeStats(times[name], name in censored ? censored[name as 'rtt'] : 0)]),
  ) as StressResult['metrics'];
  const derived = derive(remains);
  const finite = timeStats(times.rtt);
  const generator = judgeHealth({
    model: plan.model,
    ...remains.health,
    sendLagTail: sendLagTail(times.send_lag),
    rttP99: finite.p99,
    waitedLong: counters['messages.sent'] > 0 ? recorder.waitedLong / counters['messages.sent'] : 0,
  });
  const thresholds = remains.measured
    ? plan.thresholds.map((threshold) => judgeThreshold(threshold, { metrics, counters, derived }))
    : [];

  const reasons: Reason[] = [...remains.reasons];
  const broken = brokenIdentities(counters, remains.openAtEnd);
  if (broken.length > 0) {
    reasons.push({ code: 'bug', message: `the books do not balance: ${broken.join('; ')}` });
  }
  if (remains.measured && generator.limited) {
    reasons.push({
      code: 'generator-limited',
      message: [...generator.reasons, ...generator.advice].join('; '),
    });
  }
  const resources = remains.failures.records.find((record) => record.kind === 'resources');
  if (resources) {
    reasons.push({
      code: 'generator-resources',
      message: [resources.detail, resources.hint].filter(Boolean).join(': '),
    });
  }
  if (remains.stoppedBy !== undefined) reasons.push(interruption(remains.stoppedBy));
  for (const threshold of thresholds) {
    if (!threshold.ok) reasons.push({ code: 'threshold', message: describe(threshold, plan.timeoutMs) });
  }
  const deciding = decidingReason({ reasons });
  const secondsUs = remains.measured ? remains.endUs - recorder.startUs : 0;

  return {
    schemaVersion,
    kind: 'stress',
    run: {
      id: `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}Z-stress`,
      wsbench: plan.version ?? 'unknown',
      startedAt: startedAt.toISOString(),
      durationMs: Math.round(remains.durationMs),
      seed: plan.seed,
      complete: remains.measured && !remains.stopped,
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
    openAtEnd: remains.openAtEnd,
    phases: rounded(phases),
    closes: remains.closes,
    failures: remains.failures.records,
    violations: remains.violations.records.map(({ detail, count }) => ({ detail, count })),
    unsent: ranked(recorder.unsentReasons).map(([reason, count]) => ({ reason, count })),
    rejections: ranked(recorder.rejectionCodes).map(([code, count]) => ({ code, count })),
    series: remains.measured
      ? recorder.series.finish(Math.min(secondsUs, recorder.endUs - recorder.startUs))
      : { due: [], wall: [] },
    thresholds,
    generator,
    warmup,
  };
}

/** What only the end of a run shows. */
function closingWarnings(remains: RunRemains, { limited }: GeneratorRecord): Warning[] {
  const { plan, backlogGrowth, stopped } = remains;
  const { counters } = remains.recorder;
  const { 'connections.closed': closed, 'connections.opened': opened } = counters;
  const warnings: Warning[] = [];
  // A generator that fell behind makes a backlog of its own, and must not blame the target for it. A target that answers
  // nothing is not slow.
  const isServing = counters['messages.matched'] > 0;
  if (plan.model === 'open' && backlogGrowth > 0 && !stopped && !limited && isServing) {
    const message = `the backlog grew by ${backlogGrowth} messages across the measure phase: the target does not keep up`;
    warnings.push({ code: 'backlog', message });
  }
  // In the closed model nothing else tells: a connection that is gone asks for nothing and so misses nothing.
  if (closed > 0) {
    const words = remains.ends.describe(3);
    const message = `${closed} of ${opened} connections ended before the run did: ${words}`;
    warnings.push({ code: 'connections-ended', message });
  }
  return warnings;
}

function derive({ recorder, uptime, backlogEnd, measured }: RunRemains): StressResult['derived'] {
  const { counters: c } = recorder;
  const unanswered =
    c['messages.unsent'] + c['messages.rejected'] + c['messages.lost'] + c['messages.corrupt'];
  const seconds = measured ? (recorder.endUs - recorder.startUs) / 1e6 : 0;
  return {
    errors: c['connections.failed'] + c['connections.abnormal'] + unanswered + c.protocol_errors,
    error_rate: ratio(unanswered, c),
    throughput: seconds > 0 ? recorder.repliesInMeasure / seconds : null,
    uptime,
    'backlog.end': backlogEnd,
  };
}

function ratio(part: number, counters: Counters): number | null {
  return counters['messages.scheduled'] > 0 ? part / counters['messages.scheduled'] : null;
}

function interruption(reason: unknown): Reason {
  const name = reason instanceof Error ? `${reason.name} ${reason.message}` : String(reason);
  if (name.includes('SIGINT')) return { code: 'sigint', message: 'interrupted by SIGINT' };
  if (name.includes('SIGTERM')) return { code: 'sigterm', message: 'interrupted by SIGTERM' };
  return { code: 'aborted', message: 'stopped by the caller' };
}

/** `rtt.p99 31 ms, wanted < 20 ms` */
function describe(threshold: ThresholdRecord, timeoutMs: number): string {
  const { metric, stat, op, limit, unit, actual, reason } = threshold;
  const name = stat === null ? metric : `${metric}.${stat === 'p999' ? 'p99.9' : stat}`;
  const quantity = (value: number): string =>
    `${Number(value.toPrecision(6))}${unit === '/s' || unit === '' ? unit : ` ${unit}`}`;
  const got =
    actual !== null
      ? quantity(actual)
      : reason === 'lost'
        ? `> ${formatDuration(timeoutMs)} (lost)`
        : 'has no samples';
  return `${name} ${got}, wanted ${op} ${quantity(limit)}`;
}

function rounded(phases: Phases): Phases {
  return Object.fromEntries(
    Object.entries(phases).map(([name, ms]) => [name, Math.round(ms * 1000) / 1000]),
  ) as unknown as Phases;
}

function ranked(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([, a], [, b]) => b - a);
}
