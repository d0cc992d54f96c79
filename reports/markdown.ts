// The report for a pull request or an issue, in GitHub-flavoured Markdown.
import { type Comparison, compareResults } from '../lib/compare/compare.ts';
import type { QuickResult, Result, StressResult } from '../lib/result/result.ts';
import { comparisonLines } from './comparison-markdown.ts';
import { count, figure } from './figures.ts';
import { latencyCell } from './latency.ts';
import { markdownCode, markdownText } from './markdown-escape.ts';
import { measuredLines } from './markdown-measured.ts';
import { quickLines } from './markdown-quick.ts';
import { remainingLines } from './markdown-remaining.ts';
import { stressLines } from './markdown-stress.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { outcomeWords, score, tally } from './verdict.ts';

const marks: Record<Result['outcome'], string> = {
  passed: '✅',
  failed: '❌',
  inconclusive: '⚠️',
  interrupted: '⚠️',
};

/** Renders results as one Markdown document with always the same sections. */
export const markdown: Reporter = (results, options) =>
  [...body(results, options), ...measuredLines(results), ''].join('\n');

/** The document without the block on how it was measured, for where space is short. */
export const shortMarkdown: Reporter = (results, options) => [...body(results, options), ''].join('\n');

function body(results: readonly Result[], options: ReportOptions): string[] {
  const quick = results.filter((result): result is QuickResult => result.kind === 'quick');
  const stress = results.filter((result): result is StressResult => result.kind === 'stress');
  const tallies = quick.map(tally);
  const sum = (key: 'passed' | 'total'): number => tallies.reduce((total, one) => total + one[key], 0);
  const comparison = options.comparison ?? composedComparison(quick, stress);
  return [
    '# wsbench report',
    '',
    ...results.flatMap((result) => [verdictLine(result), '']),
    `## Quick test results (${sum('passed')} of ${sum('total')})`,
    '',
    ...(quick.length === 0
      ? ['No quick run in this report.', '']
      : quick.flatMap((result) => quickLines(result, quick.length > 1))),
    '## Stress test results',
    '',
    ...(stress.length === 0
      ? ['No stress run in this report.', '']
      : stress.flatMap((result) => stressLines(result, stress.length > 1))),
    '## Performance improvements',
    '',
    ...(comparison
      ? comparisonLines(comparison)
      : ['Nothing to compare with: `wsbench compare before.json after.json` fills this section.', '']),
    '## Remaining items',
    '',
    ...remainingLines(results, comparison),
  ];
}

/** Two results of one kind in one report are before and after, in the order given; stress runs first. */
function composedComparison(quick: QuickResult[], stress: StressResult[]): Comparison | undefined {
  const pair = stress.length === 2 ? stress : stress.length === 0 && quick.length === 2 ? quick : [];
  const [before, after] = pair;
  return before && after ? compareResults(before, after) : undefined;
}

function verdictLine(result: Result): string {
  const parts = [
    `${marks[result.outcome]} **${outcomeWords[result.outcome]}**`,
    result.kind,
    markdownCode(result.target.url, 200),
  ];
  if (result.target.embedded) parts.push('embedded server, same machine');
  parts.push(markdownText(score(result)));
  if (result.kind === 'stress' && result.derived.throughput !== null) {
    const p99 = latencyCell(result, result.metrics.rtt, 'p99', 'n/a').replace('>', '&gt;');
    const unit = result.metrics.rtt.p99 === null ? '' : ' ms';
    const opened = count(result.counters['connections.opened']);
    parts.push(
      `p99 round trip **${p99}${unit}** at **${figure(result.derived.throughput)} replies/s** on ${opened} connections`,
    );
  }
  return parts.join(' · ');
}
