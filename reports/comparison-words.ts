// The figures of a comparison in words, shared by text and markdown.
import type { Comparison, ComparisonRow, JudgedLimit, VerdictChange } from '../lib/compare/compare.ts';
import { caseRanges } from './case-ranges.ts';
import { lostText, withUnit } from './figures.ts';
import { percentDigits, signOf } from './interval-words.ts';

/** A figure before or after: with its unit, `> 5 s (lost)`, or `n/a`. */
export function sideText(row: ComparisonRow, side: 'before' | 'after', comparison: Comparison): string {
  const value = row[side];
  if (value !== null) return withUnit(value, row.unit);
  const reason = side === 'before' ? row.beforeReason : row.afterReason;
  if (reason !== 'lost') return 'n/a';
  if (row.metric.startsWith('recovery')) return 'never';
  return row.metric.endsWith('.mean') ? 'lost' : lostText(comparison.timeoutMs[side]);
}

/** `-38.7 %`, `+16.0 %`, `0 %`; `n/a` when there is nothing to divide by. */
export function changeText(row: ComparisonRow, unicode: boolean): string {
  if (row.change === null) return 'n/a';
  if (row.change === 0) return '0 %';
  const value = Math.abs(row.change * 100);
  const shown = value < 0.1 ? '< 0.1' : percentDigits(value);
  return `${signOf(row.change, unicode)}${shown} %`;
}

/** A limit and what became of it: `rtt.p99>+10%: +23.1 % (8.71 ms → 10.72 ms)`. */
export function limitText(
  { expression, row, isJudged }: JudgedLimit,
  comparison: Comparison,
  unicode: boolean,
): string {
  const [before, after] = (['before', 'after'] as const).map((side) => sideText(row, side, comparison));
  if (!isJudged) {
    const missing = row.before === null && row.beforeReason !== 'lost' ? 'before' : 'after';
    return `${expression}: cannot be judged, the run ${missing} has no such figure`;
  }
  const change = row.change === null ? '' : `${changeText(row, unicode)} `;
  const sides = `${before} ${unicode ? '→' : '->'} ${after}`;
  return `${expression}: ${change === '' ? sides : `${change}(${sides})`}`;
}

/** Everything that makes a comparison fail, a line each. */
export function comparisonFailures(comparison: Comparison): string[] {
  const crossed = (comparison.limits ?? []).filter((limit) => limit.crossed);
  return [
    ...comparison.regressions,
    ...crossed.map((limit) => `--fail-on ${limitText(limit, comparison, true)}`),
  ];
}

/** What a comparison is headed. */
export function comparisonTitle({ kind }: Comparison): string {
  return kind === 'conform' ? 'Conformance before and after' : 'Performance improvements';
}

/** The regressions that are to be told one by one; worse verdicts stand in the list of verdicts already. */
export function regressionLines({ kind, regressions }: Comparison): readonly string[] {
  if (kind !== 'conform' || regressions.length === 0) return regressions;
  return [regressions.length === 1 ? '1 verdict got worse' : `${regressions.length} verdicts got worse`];
}

/** Cases that only one of two runs has: `new: 12.1.1–18 (FAILED: 12.1.3)`, a line an agent. */
export function inBrief(changes: readonly VerdictChange[], kind: 'new' | 'gone', dash: string): string[] {
  const agents = [...new Set(changes.map(({ agent }) => agent))];
  return agents.flatMap((agent) => {
    const own = changes.filter((change) => change.agent === agent && change.change === kind);
    if (own.length === 0) return [];
    const failed = own.filter(({ before, after }) => (after ?? before)?.startsWith('FAILED'));
    const ids = (some: readonly VerdictChange[]): string =>
      caseRanges(
        some.map(({ caseId }) => caseId),
        dash,
      ).join(', ');
    const where = agents.length > 1 ? ` on ${agent}` : '';
    const bad = failed.length === 0 ? '' : `; FAILED: ${ids(failed)}`;
    return [`${kind}${where}: ${ids(own)}${bad}`];
  });
}
