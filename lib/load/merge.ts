// Shares of several engines as one: sums, and nothing that depends on the order in which they come.
import { addCounters, zeroCounters } from '../metrics/counters.ts';
import { Histogram, type HistogramData } from '../metrics/histogram.ts';
import { type TimeMetric, timeMetrics } from '../metrics/names.ts';
import { mergeCloses } from '../result/closes.ts';
import { mergeFailures } from '../result/failure-groups.ts';
import { grouped } from '../result/grouped.ts';
import { type BacklogData, noBacklog } from './backlog.ts';
import { type EndsData, maxSamples } from './ends.ts';
import { mergeRecoveries } from './reconnect/recovery-data.ts';
import type { ProbeState, RenewalCounts, Share } from './share.ts';
import { noSilence, type Silence } from './silence.ts';

/** The share of nobody: what merging begins with. */
export function emptyShare(): Share {
  const nothing = new Histogram().data();
  return {
    atUs: 0,
    counters: zeroCounters(),
    times: Object.fromEntries(timeMetrics.map((name) => [name, nothing])) as Share['times'],
    warmup: { sent: 0, unsent: 0, matched: 0, rejected: 0, lost: 0 },
    slow: { sent: 0, unsent: 0, matched: 0, rejected: 0, lost: 0 },
    unsentReasons: new Map(),
    rejectionCodes: new Map(),
    totalSent: 0,
    totalReceived: 0,
    repliesInMeasure: 0,
    waitedLong: 0,
    measured: false,
    startUs: Number.POSITIVE_INFINITY,
    endUs: Number.POSITIVE_INFINITY,
    outstanding: 0,
    connecting: 0,
    open: 0,
    openUs: 0,
    askedUs: 0,
    closes: [],
    failures: [],
    violations: [],
    ends: [],
    backlog: noBacklog(),
    backlogEnd: null,
    probe: 'none',
    crossed: 0,
    renewals: null,
    silence: noSilence,
    unansweredCloses: 0,
    recovery: null,
    health: [],
  };
}

/** The sum of shares. Pure; the order of the shares does not matter, nor does it how they are put together in between. */
export function mergeShares(shares: readonly Share[]): Share {
  const sum = emptyShare();
  for (const share of shares) {
    addCounters(sum.counters, share.counters);
    for (const fate of warmupFates) {
      sum.warmup[fate] += share.warmup[fate];
      sum.slow[fate] += share.slow[fate];
    }
    addNumbers(sum.unsentReasons, share.unsentReasons);
    addNumbers(sum.rejectionCodes, share.rejectionCodes);
    for (const name of added) sum[name] += share[name];
    sum.atUs = Math.max(sum.atUs, share.atUs);
    sum.measured ||= share.measured;
    sum.startUs = Math.min(sum.startUs, share.startUs);
    sum.probe = later(sum.probe, share.probe);
    sum.renewals = addRenewals(sum.renewals, share.renewals);
    sum.silence = addSilence(sum.silence, share.silence);
  }
  sum.endUs = latestEnd(shares);
  for (const name of timeMetrics) sum.times[name] = mergeTimes(shares, name);
  sum.closes = mergeCloses(shares.flatMap(({ closes }) => closes));
  sum.failures = mergeFailures(shares.flatMap(({ failures }) => failures));
  sum.violations = mergeFailures(shares.flatMap(({ violations }) => violations));
  sum.recovery = mergeRecoveries(shares.map(({ recovery }) => recovery));
  sum.ends = mergeEnds(shares.flatMap(({ ends }) => ends));
  sum.backlog = mergeBacklogs(shares.map(({ backlog }) => backlog));
  const backlogs = shares.map(({ backlogEnd }) => backlogEnd).filter((end) => end !== null);
  sum.backlogEnd = backlogs.length > 0 ? backlogs.reduce((one, other) => one + other, 0) : null;
  sum.health = shares.flatMap(({ health }) => health).sort((a, b) => a.worker - b.worker);
  return sum;
}

const warmupFates = ['sent', 'unsent', 'matched', 'rejected', 'lost'] as const;

const added = [
  'totalSent',
  'totalReceived',
  'repliesInMeasure',
  'waitedLong',
  'outstanding',
  'connecting',
  'open',
  'openUs',
  'askedUs',
  'crossed',
  'unansweredCloses',
] as const;

/** The sum of histograms. */
export function mergeHistograms(data: readonly HistogramData[]): HistogramData {
  const [only] = data;
  if (only && data.length === 1) return only;
  const sum = new Histogram();
  for (const one of data) sum.addData(one);
  return sum.data();
}

function mergeTimes(shares: readonly Share[], name: TimeMetric): HistogramData {
  return mergeHistograms(shares.map(({ times }) => times[name]));
}

function addNumbers(into: Map<string, number>, other: ReadonlyMap<string, number>): void {
  for (const [name, value] of other) into.set(name, (into.get(name) ?? 0) + value);
}

/** Those that measured end the measure phase; the others do not know yet when it is. */
function latestEnd(shares: readonly Share[]): number {
  const ends = shares.map(({ endUs }) => endUs).filter(Number.isFinite);
  return ends.length > 0 ? Math.max(...ends) : Number.POSITIVE_INFINITY;
}

const probeStates: readonly ProbeState[] = ['none', 'waiting', 'lost', 'rejected', 'answered'];

/** There is one probe: whoever sent it knows more than the others. */
function later(one: ProbeState, other: ProbeState): ProbeState {
  return probeStates.indexOf(one) >= probeStates.indexOf(other) ? one : other;
}

function addRenewals(one: RenewalCounts | null, other: RenewalCounts | null): RenewalCounts | null {
  if (!one || !other) return one ?? other;
  const failures = [one, other].flatMap(({ firstFailure }) => firstFailure ?? []).sort();
  return {
    renewed: one.renewed + other.renewed,
    failed: one.failed + other.failed,
    ...(failures[0] === undefined ? {} : { firstFailure: failures[0] }),
  };
}

function addSilence(one: Silence, other: Silence): Silence {
  return {
    asked: one.asked + other.asked,
    withoutPong: one.withoutPong + other.withoutPong,
    mute: one.mute + other.mute,
    muteMs: Math.min(one.muteMs, other.muteMs),
  };
}

function mergeEnds(all: readonly EndsData[]): EndsData[] {
  return grouped(
    all,
    ({ code, by }) => `${code} ${by}`,
    (one, other) => {
      const samples = [...one.samples, ...other.samples].sort(
        (a, b) => a.atUs - b.atUs || a.ageUs - b.ageUs || a.idleUs - b.idleUs,
      );
      return { ...one, count: one.count + other.count, samples: samples.slice(0, maxSamples) };
    },
  );
}

/** The most and the least of sums lie between the sums of both: what is told of growth is never too much. */
function mergeBacklogs(all: readonly BacklogData[]): BacklogData {
  const sum = (part: 'first' | 'last') =>
    noBacklog()[part].map((_, slice) =>
      all.reduce<number | null>((total, data) => {
        const value = data[part][slice] ?? null;
        return value === null ? total : (total ?? 0) + value;
      }, null),
    );
  return { first: sum('first'), last: sum('last') };
}
