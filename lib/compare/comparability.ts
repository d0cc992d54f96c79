// Why two results may not be comparable.
import type { Result, Warning } from '../result/result.ts';

/** Differences between two runs that are not the target's doing, and runs that prove nothing. */
export function comparabilityWarnings(before: Result, after: Result): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => void warnings.push({ code, message });
  if (before.kind === 'conform' && after.kind === 'conform') {
    // Cases that only one run has are told of one by one, and servers may well have other addresses.
    for (const name of ['strictness', 'messages'] as const) {
      if (before[name] === after[name]) continue;
      warn(`${name}-differs`, `not the same ${name}: ${before[name]} and ${after[name]}`);
    }
  } else if (before.plan.hash !== after.plan.hash) {
    const { load, elsewhere } = changedOptions(before.plan.options, after.plan.options);
    const hashes = `${before.plan.hash.slice(0, 12)} and ${after.plan.hash.slice(0, 12)}`;
    if (load.length > 0) warn('plan-differs', `not the same plan: ${load.join(', ')}`);
    else if (!elsewhere) warn('plan-differs', `not the same plan: ${hashes}`);
  }
  const host = hostDifferences(before.host, after.host);
  if (host.length > 0) warn('host-differs', `not the same machine or runtime: ${host.join(', ')}`);
  if (before.target.embedded !== after.target.embedded) {
    warn('target-differs', 'one run was against the embedded server on the same machine, the other was not');
  }
  if (before.run.wsbench !== after.run.wsbench) {
    warn('wsbench-differs', `not the same wsbench: ${before.run.wsbench} and ${after.run.wsbench}`);
  }
  for (const [side, result] of [
    ['before', before],
    ['after', after],
  ] as const) {
    if (result.outcome === 'inconclusive') {
      const why = result.reasons[0]?.message ?? 'the generator was the bottleneck';
      warn('inconclusive', `the run ${side} is inconclusive: ${why}`);
    } else if (result.outcome === 'interrupted' || !result.run.complete) {
      warn('incomplete', `the run ${side} was interrupted: its figures cover a part of the plan`);
    }
  }
  return warnings;
}

function hostDifferences(before: Result['host'], after: Result['host']): string[] {
  const keys = ['node', 'platform', 'arch', 'cpuModel', 'cpus', 'memoryBytes'] as const;
  return keys
    .filter((key) => before[key] !== after[key])
    .map((key) => `${key} ${before[key]} and ${after[key]}`);
}

// Where the load goes and how its arrivals are drawn: two runs may differ there and still be one experiment.
const notTheLoad: readonly string[] = ['url', 'seed'];

/** `rate 100 and 200` for the first few options of the load that differ, and whether others do. */
function changedOptions(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): { load: string[]; elsewhere: boolean } {
  const show = (value: unknown): string =>
    value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = keys.filter((key) => show(before[key]) !== show(after[key]));
  const load = changed.filter((key) => !notTheLoad.includes(key));
  const words = load.slice(0, 6).map((key) => `${key} ${show(before[key])} and ${show(after[key])}`);
  return {
    load: load.length > 6 ? [...words, `${load.length - 6} more`] : words,
    elsewhere: changed.length > load.length,
  };
}
