// The report for a pull request or an issue, in GitHub-flavoured Markdown.
import type { ConformResult, QuickResult, Result, StressResult } from '../lib/result/result.ts';
import { comparisonLines } from './comparison-markdown.ts';
import { composedComparison } from './composed-comparison.ts';
import { count, figure } from './figures.ts';
import { latencyCell } from './latency.ts';
import { conformLines } from './markdown-conform.ts';
import { markdownCode, markdownText } from './markdown-escape.ts';
import { measuredLines } from './markdown-measured.ts';
import { quickLines } from './markdown-quick.ts';
import { remainingLines } from './markdown-remaining.ts';
import { stressLines } from './markdown-stress.ts';
import { isStorm } from './recovery-words.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { outcomeWords, score, tally, tallyCases } from './verdict.ts';

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
  const conform = results.filter((result): result is ConformResult => result.kind === 'conform');
  const tallies = quick.map(tally);
  const sum = (key: 'passed' | 'total'): number => tallies.reduce((total, one) => total + one[key], 0);
  const comparison = options.comparison ?? composedComparison(results);
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
    ...conformSection(conform),
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

/** Only where there is such a run: most reports are about a service, not about its server. */
function conformSection(conform: readonly ConformResult[]): string[] {
  if (conform.length === 0) return [];
  const tallies = conform.map(tallyCases);
  const sum = (key: 'passed' | 'total'): number => tallies.reduce((all, one) => all + one[key], 0);
  return [
    `## Conformance results (${count(sum('passed'))} of ${count(sum('total'))})`,
    '',
    ...conform.flatMap((result) => conformLines(result, conform.length > 1)),
  ];
}

function verdictLine(result: Result): string {
  const parts = [
    `${marks[result.outcome]} **${outcomeWords[result.outcome]}**`,
    isStorm(result) ? 'storm' : result.kind,
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
