// Why two results may not be comparable.
import type { Result, Warning } from '../result/result.ts';

/** Differences between two runs that are not the target's doing, and runs that prove nothing. */
export function comparabilityWarnings(before: Result, after: Result): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => void warnings.push({ code, message });
  if (before.plan.hash !== after.plan.hash) {
    const differences = changedOptions(before.plan.options, after.plan.options);
    const what =
      differences.length > 0 ? differences.join(', ') : `${before.plan.hash} and ${after.plan.hash}`;
    warn('plan-differs', `not the same plan: ${what}`);
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

/** `rate 100 and 200` for every option that differs; the first few. */
function changedOptions(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const show = (value: unknown): string =>
    value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = keys.filter((key) => show(before[key]) !== show(after[key]));
  const words = changed.slice(0, 6).map((key) => `${key} ${show(before[key])} and ${show(after[key])}`);
  return changed.length > 6 ? [...words, `${changed.length - 6} more`] : words;
}
