// What shards say of themselves, and what there is to say of several together.
import { formatDuration } from '../duration.ts';
import type { StressShard } from './merge-check.ts';
import { type Gap, gapBetween } from './merge-overlap.ts';
import type { Host, Reason, ReasonCode, StressResult, ThresholdRecord, Warning } from './result.ts';

// These are concluded from the sums.
const concludedAgain: readonly ReasonCode[] = ['generator-limited', 'generator-resources'];

/** What is to be said against a shard and does not follow from the sums: `shard 2: interrupted by SIGINT`. */
export function mergeReasons(
  shards: readonly StressShard[],
  thresholds: readonly ThresholdRecord[],
): Reason[] {
  const isCrossed = thresholds.some(({ ok }) => !ok);
  return shards.flatMap(({ result }, at) =>
    result.reasons
      .filter(({ code }) => !concludedAgain.includes(code))
      // A threshold that ended a shard ended its part of the load, whatever the sums of the rest come to.
      .filter(({ code }) => code !== 'threshold' || !(result.run.complete || isCrossed))
      .map(({ code, message }) => ({ code, message: `shard ${at + 1}: ${message}` })),
  );
}

/** The warnings of the shards, each once, with the numbers of those that gave it unless all did. */
export function mergeWarnings(shards: readonly StressShard[]): Warning[] {
  const given = new Map<string, { warning: Warning; of: number[] }>();
  for (const [at, { result }] of shards.entries()) {
    for (const warning of result.warnings) {
      const key = `${warning.code} ${warning.message}`;
      const known = given.get(key) ?? { warning, of: [] };
      known.of.push(at + 1);
      given.set(key, known);
    }
  }
  return [...given.values()].map(({ warning, of }) => {
    if (of.length === shards.length) return warning;
    const who = of.length === 1 ? `shard ${of[0]}` : `shards ${of.join(', ')}`;
    return { code: warning.code, message: `${who}: ${warning.message}` };
  });
}

/** What only shows where shards stand side by side. */
export function ownWarnings(shards: readonly StressShard[], { uptime }: StressResult['derived']): Warning[] {
  const results = shards.map(({ result }) => result);
  const differing = hostKeys.filter((key) => new Set(results.map(({ host }) => host[key])).size > 1);
  const versions = [...new Set(results.map(({ run }) => run.wsbench))];
  const judgedBy = results.map(({ thresholds }) =>
    thresholds
      .map(({ expression }) => expression)
      .sort()
      .join(' '),
  );
  const ids = new Set(results.filter(({ run }) => !run.mergedFrom).map(({ run }) => run.id));
  const again = results.flatMap(({ run }) => run.mergedFrom ?? []).filter((id) => ids.has(id));
  const gap = gapBetween(results.map(({ run }) => run));
  const says = (isSo: boolean, code: string, message: string): Warning[] => (isSo ? [{ code, message }] : []);
  return [
    ...says(
      results.some(({ target }) => target.embedded),
      'shards-embedded',
      'each shard had an embedded server of its own: this is no load on one server',
    ),
    ...says(
      differing.length > 0,
      'shards-hosts',
      `the shards ran on different machines or runtimes (${differing.join(', ')}); the host named here is that of the first`,
    ),
    ...(gap ? [notTogether(gap)] : []),
    ...says(
      versions.length > 1,
      'shards-versions',
      `the shards were run by different versions: ${versions.join(', ')}`,
    ),
    ...says(
      new Set(judgedBy.filter((one) => one !== '')).size > 1,
      'shards-thresholds',
      'not every shard had the same thresholds: the sums are judged by all of them',
    ),
    ...says(
      again.length > 0,
      'shards-twice',
      `a run of the id of a shard is in another shard, which was merged before: ${[...new Set(again)].join(', ')}; counted twice?`,
    ),
    ...says(
      uptime === null && results.every(({ derived }) => derived.uptime !== null),
      'shards-uptime',
      'the shards were measured for different times while connections changed: there is no uptime of all',
    ),
  ];
}

function notTogether({ earlier, later, ms }: Gap): Warning {
  const message =
    `shard ${later + 1} began ${formatDuration(ms)} after shard ${earlier + 1} had ended: they were no one load, or the clocks of ` +
    'their machines differ. Their seconds are added as if they had begun together; no latency depends on it';
  return { code: 'shards-clocks', message };
}

const hostKeys = [
  'node',
  'platform',
  'arch',
  'cpuModel',
  'cpus',
  'memoryBytes',
] as const satisfies readonly (keyof Host)[];
