// Losses and returns of shards as those of one run.
import { mergeCloses } from './closes.ts';
import { grouped } from './grouped.ts';
import type { StressShard } from './merge-check.ts';
import { mergeTimes } from './merge-times.ts';
import type { RecoveryRecord } from './result.ts';

const binMs = 100;

/**
 * The sum; undefined unless every shard has its part. Each shard counts its time from a begin of its own, so the plots of
 * several are laid over one another as far as they began together.
 *
 * @throws WsbenchError `USAGE` when times are without their histogram
 */
export function mergeRecoveryRecords(shards: readonly StressShard[]): RecoveryRecord | undefined {
  const known = shards.flatMap(({ name, result }) =>
    result.recovery ? [{ name, recovery: result.recovery }] : [],
  );
  const [first] = known;
  if (!first || known.length < shards.length) return undefined;
  const all = known.map(({ recovery }) => recovery);
  const sum = (of: (one: RecoveryRecord) => number): number => all.reduce((total, one) => total + of(one), 0);
  const numbers = (of: (one: RecoveryRecord) => number | null): number[] =>
    all.map(of).filter((value) => value !== null);
  const times = (key: 'time' | 'gap') =>
    mergeTimes(
      `recovery.${key}`,
      known.map(({ name, recovery }) => ({ name, one: recovery[key] })),
    );
  const series = grouped(
    all.flatMap((one) => one.series),
    ({ atMs }) => String(atMs),
    (one, other) => ({
      atMs: one.atMs,
      lost: one.lost + other.lost,
      attempts: one.attempts + other.attempts,
      back: one.back + other.back,
    }),
  ).sort((a, b) => a.atMs - b.atMs);
  const [lost, total] = [sum((one) => one.lost), sum(({ attempts }) => attempts.total)];
  const begins = numbers(({ storm }) => storm?.atMs ?? null);
  const { storm } = first.recovery;
  return {
    policy: first.recovery.policy,
    ...(storm ? { storm: { ...storm, atMs: least(begins) } } : {}),
    connections: sum(({ connections }) => connections),
    lost,
    returned: sum(({ returned }) => returned),
    missing: sum(({ missing }) => missing),
    attempts: {
      total,
      mean: lost > 0 ? Math.round((total * 1000) / lost) / 1000 : null,
      max: Math.max(...all.map(({ attempts }) => attempts.max)),
    },
    connects: connectsOf(series),
    time: times('time'),
    gap: times('gap'),
    windows: {
      given: sum(({ windows }) => windows.given),
      early: sum(({ windows }) => windows.early),
      late: sum(({ windows }) => windows.late),
      minMs: least(numbers(({ windows }) => windows.minMs)),
      maxMs: most(numbers(({ windows }) => windows.maxMs)),
    },
    messages: {
      inFlight: sum(({ messages }) => messages.inFlight),
      unsent: sum(({ messages }) => messages.unsent),
    },
    closes: mergeCloses(all.flatMap(({ closes }) => closes)).sort((a, b) => b.count - a.count),
    series,
  };
}

const least = (values: readonly number[]): number | null => (values.length > 0 ? Math.min(...values) : null);
const most = (values: readonly number[]): number | null => (values.length > 0 ? Math.max(...values) : null);

function connectsOf(series: RecoveryRecord['series']): RecoveryRecord['connects'] {
  const busy = series.filter(({ attempts }) => attempts > 0);
  const [first, last] = [busy[0], busy.at(-1)];
  if (!first || !last) return { peakPerSecond: 0, meanPerSecond: null };
  const bins = (last.atMs - first.atMs) / binMs + 1;
  const total = busy.reduce((sum, { attempts }) => sum + attempts, 0);
  return {
    peakPerSecond: (Math.max(...busy.map(({ attempts }) => attempts)) * 1000) / binMs,
    meanPerSecond: Math.round((total * 1e6) / (bins * binMs)) / 1000,
  };
}
