// Shards of one load, each from a generator of its own, as one result. Everything that is counted adds up exactly; what cannot
// is refused, never guessed.
import { addCounters, zeroCounters } from '../metrics/counters.ts';
import { errorRateOf, errorsOf } from '../metrics/derived.ts';
import { type Counters, timeMetrics } from '../metrics/names.ts';
import { mergeCloses } from './closes.ts';
import { conclude } from './conclude.ts';
import { failureKey, failureRecords, mergeFailures } from './failure-groups.ts';
import { grouped } from './grouped.ts';
import { checkShards, type Shard, type StressShard } from './merge-check.ts';
import { mergeGenerators } from './merge-generator.ts';
import { spanOf } from './merge-overlap.ts';
import { mergeRecoveryRecords } from './merge-recovery.ts';
import { mergeSeries, mergeTimes } from './merge-times.ts';
import { mergeReasons, mergeWarnings, ownWarnings } from './merge-words.ts';
import type { FailureRecord, Phases, Run, StressResult } from './result.ts';
import { type Figures, judgeThreshold, parseThreshold } from './thresholds.ts';

export type { Shard } from './merge-check.ts';

/**
 * Adds the shards of one load. Histograms are added place by place, from their payloads; thresholds are judged again on the sums; the
 * outcome is concluded as that of a run is. The order of the shards only matters for names.
 *
 * @throws WsbenchError `USAGE` that names the shard and what differs: another plan, another kind, another configuration of
 *   histograms, histograms that are missing, books that do not balance, the same result twice
 */
export function mergeResults(given: readonly Shard[]): StressResult {
  const shards = checkShards(given);
  const [first] = shards;
  const results = shards.map(({ result }) => result);
  const base = first.result;
  const of = <T>(pick: (result: StressResult) => T) =>
    shards.map(({ name, result }) => ({ name, one: pick(result) }));

  const counters = zeroCounters();
  for (const result of results) addCounters(counters, result.counters);
  const metrics = Object.fromEntries(
    timeMetrics.map((metric) => [
      metric,
      mergeTimes(
        metric,
        of(({ metrics: times }) => times[metric]),
      ),
    ]),
  ) as Figures['metrics'];
  const derived = deriveFrom(results, counters);
  const generator = mergeGenerators(results);
  const recovery = mergeRecoveryRecords(shards);
  const failures = mergeRecords(results.flatMap((result) => result.failures));
  const openAtEnd = sum(results, (result) => result.openAtEnd);
  const thresholds = thresholdsOf(shards).map((threshold) =>
    judgeThreshold(threshold, { metrics, counters, derived, ...(recovery ? { recovery } : {}) }),
  );
  const { outcome, reasons } = conclude({
    reasons: mergeReasons(shards, thresholds),
    books: [{ of: '', counters, open: openAtEnd }],
    measured: results.some((result) => result.phases.measureMs > 0),
    generator,
    failures,
    thresholds,
    timeoutMs: Number(base.plan.options.timeoutMs ?? 0),
  });
  const violations = results.flatMap((result) => result.violations ?? []);
  const warmup = sumsOf(results.map((result) => result.warmup));
  const slow = sumsOf(results.map((result) => result.slowConsumers));
  return {
    schemaVersion: base.schemaVersion,
    kind: 'stress',
    run: mergeRuns(results),
    plan: base.plan,
    target: base.target,
    host: base.host,
    outcome,
    reasons,
    warnings: [...ownWarnings(shards, derived), ...mergeWarnings(shards)],
    model: base.model,
    metrics,
    counters,
    derived,
    openAtEnd,
    phases: longest(results),
    closes: mergeCloses(results.flatMap((result) => result.closes)).sort((a, b) => b.count - a.count),
    failures,
    ...(results.every((result) => result.violations === undefined)
      ? {}
      : {
          violations: mergeRecords(violations.map(asFailure)).map(({ detail, count }) => ({ detail, count })),
        }),
    unsent: counted(
      results.flatMap((result) => result.unsent),
      ({ reason }) => reason,
    ),
    rejections: counted(
      results.flatMap((result) => result.rejections),
      ({ code }) => code,
    ),
    series: mergeSeries(of((result) => result.series)),
    thresholds,
    generator,
    ...(warmup ? { warmup } : {}),
    ...(slow ? { slowConsumers: slow } : {}),
    ...(recovery ? { recovery } : {}),
  };
}

const sum = (results: readonly StressResult[], of: (result: StressResult) => number): number =>
  results.reduce((total, result) => total + of(result), 0);

function deriveFrom(results: readonly StressResult[], counters: Counters): StressResult['derived'] {
  const measured = results.filter((result) => result.derived.throughput !== null);
  const longestMs = Math.max(0, ...measured.map((result) => result.phases.measureMs));
  // A result has replies a second; how many that were is a whole number.
  const replies = sum(measured, ({ derived, phases }) =>
    Math.round(((derived.throughput ?? 0) * phases.measureMs) / 1000),
  );
  const backlogs = results.map(({ derived }) => derived['backlog.end']).filter((end) => end !== null);
  return {
    errors: errorsOf(counters),
    error_rate: errorRateOf(counters),
    throughput: longestMs > 0 ? (1000 * replies) / longestMs : null,
    uptime: uptimeOf(results),
    'backlog.end': backlogs.length > 0 ? backlogs.reduce((one, other) => one + other, 0) : null,
  };
}

/** Equal plans ask for the same connections at the same time, so phases of one length weigh the same. */
function uptimeOf(results: readonly StressResult[]): number | null {
  const [first] = results;
  const uptimes = results.map(({ derived }) => derived.uptime);
  const known = uptimes.filter((uptime) => uptime !== null);
  if (!first || known.length < uptimes.length) return null;
  const isOneLength = results.every(
    ({ phases }) => Math.abs(phases.measureMs - first.phases.measureMs) < sameLengthMs,
  );
  const { stages } = first.plan.options;
  const isSteady = !Array.isArray(stages) || stages.length === 0;
  if (!isOneLength && !isSteady) return null;
  const asked = sum(results, ({ phases }) => phases.measureMs);
  if (isOneLength || asked === 0) return known.reduce((all, one) => all + one, 0) / known.length;
  return sum(results, ({ derived, phases }) => (derived.uptime ?? 0) * phases.measureMs) / asked;
}

// A phase ends at a tick of its generator, not to the microsecond.
const sameLengthMs = 20;

/** All thresholds that any shard was judged by, each once. */
function thresholdsOf(shards: readonly StressShard[]) {
  const records = shards.flatMap(({ result }) => result.thresholds);
  const unique = new Map(records.map((record) => [record.expression, record]));
  return [...unique.values()].map(({ expression, source }) => parseThreshold(expression, source));
}

function mergeRuns(results: readonly StressResult[]): Run {
  const runs = results.map(({ run }) => run);
  const { startedAt, durationMs } = spanOf(runs);
  return {
    id: `${startedAt.slice(0, 19).replaceAll(':', '-')}Z-stress-merged`,
    wsbench: runs[0]?.wsbench ?? 'unknown',
    startedAt,
    durationMs,
    seed: runs[0]?.seed ?? 0,
    complete: runs.every(({ complete }) => complete),
    mergedFrom: runs.flatMap(({ id, mergedFrom }) => mergedFrom ?? [id]),
  };
}

function longest(results: readonly StressResult[]): Phases {
  const most = (phase: keyof Phases): number => Math.max(...results.map(({ phases }) => phases[phase]));
  return {
    connectMs: most('connectMs'),
    settleMs: most('settleMs'),
    warmupMs: most('warmupMs'),
    measureMs: most('measureMs'),
    drainMs: most('drainMs'),
  };
}

function mergeRecords(records: readonly FailureRecord[]): FailureRecord[] {
  const groups = records.map((record, at) => ({
    ...record,
    key: failureKey(record.kind, record.detail),
    firstUs: at,
  }));
  return failureRecords(mergeFailures(groups));
}

/** Violations are grouped as failures are, and have no kind. */
const asFailure = ({ detail, count }: { detail: string; count: number }): FailureRecord => ({
  kind: 'protocol',
  detail,
  count,
});

function counted<T extends { count: number }>(all: readonly T[], keyOf: (one: T) => string): T[] {
  const join = (one: T, other: T): T => ({ ...one, count: one.count + other.count });
  return grouped(all, keyOf, join).sort((a, b) => b.count - a.count);
}

/** Sums name by name; undefined unless every shard has them. */
function sumsOf<T extends Record<string, number>>(all: readonly (T | undefined)[]): T | undefined {
  const known = all.filter((one) => one !== undefined);
  const [first] = known;
  if (!first || known.length < all.length) return undefined;
  const names = Object.keys(first);
  return Object.fromEntries(
    names.map((name) => [name, known.reduce((total, one) => total + (one[name] ?? 0), 0)]),
  ) as T;
}
