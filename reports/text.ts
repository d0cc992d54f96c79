// The terminal summary.
import type { CheckStatus, Result } from '../lib/result/result.ts';
import { comparisonText } from './comparison-text.ts';
import { composedComparison } from './composed-comparison.ts';
import { type Ink, inkFor } from './ink.ts';
import { isStorm } from './recovery-words.ts';
import type { Reporter } from './reporter.ts';
import { conformText } from './text-conform.ts';
import { quickText } from './text-quick.ts';
import { stressText } from './text-stress.ts';
import { isJudgement, score } from './verdict.ts';
import { displayWidth } from './width.ts';

/** Renders results for a terminal, one after another; of several, first how each of them ended. */
export const renderText: Reporter = (results, options) => {
  const ink = inkFor(options);
  const parts = results.map((result) =>
    [
      ...heading(result, ink),
      '',
      ...body(result, ink, options.verbose ?? false),
      ...closing(result, ink),
      '',
    ].join('\n'),
  );
  const comparison = options.comparison ?? composedComparison(results);
  if (comparison) parts.push(comparisonText(comparison, options));
  const rule = `  ${ink.paint('dim', (ink.unicode ? '─' : '-').repeat(ink.width - 4))}\n\n`;
  return results.length > 1 ? [overview(results, ink), ...parts].join(`\n${rule}`) : parts.join('\n');
};

const marks: Record<Result['outcome'], CheckStatus | 'warned'> = {
  passed: 'passed',
  failed: 'failed',
  inconclusive: 'warned',
  interrupted: 'warned',
};

/** A line a result. */
function overview(results: readonly Result[], ink: Ink): string {
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  const kindWidth = Math.max(...results.map(({ kind }) => kind.length));
  const lines = results.flatMap((result) => {
    const label = `${ink.mark(marks[result.outcome])} ${result.kind}`;
    const words = [outcomeWord(result, ink), ink.safe(score(result)), ink.safe(result.target.url, 200)];
    return ink.labelled(
      label,
      `${words[0]}  ${words[1]}${ink.dot}${words[2]}`,
      ink.markWidth + kindWidth + 2,
    );
  });
  const title = `${passed} of ${results.length} runs passed`;
  return [`  ${ink.paint('bold', title)}`, '', ...lines, ''].join('\n');
}

/** The word keeps its outcome without colour; the glyphs of other scripts never stand in for it. */
const outcomeWord = ({ outcome }: Result, ink: Ink): string => ink.outcome(outcome, outcome.toUpperCase());

const titles: Record<Result['kind'], string> = {
  quick: 'Quick test results',
  stress: 'Stress test results',
  conform: 'Conformance results',
};

function body(result: Result, ink: Ink, verbose: boolean): string[] {
  if (result.kind === 'quick') return quickText(result, ink, verbose);
  return result.kind === 'stress' ? stressText(result, ink, verbose) : conformText(result, ink, verbose);
}

function heading(result: Result, ink: Ink): string[] {
  const left = `${isStorm(result) ? 'Storm test results' : titles[result.kind]}${ink.dot}${ink.safe(result.target.url, 200)}`;
  const verdict = `${outcomeWord(result, ink)}  ${ink.safe(score(result))}`;
  const gap = ink.width - 2 - displayWidth(left) - displayWidth(verdict);
  if (gap >= 2) return [`  ${ink.paint('bold', left)}${' '.repeat(gap)}${verdict}`];
  return [
    ...ink.labelled('', left, 0).map((line) => ink.paint('bold', line)),
    ...ink.labelled('', verdict, 0),
  ];
}

function closing(result: Result, ink: Ink): string[] {
  const { run, host } = result;
  const lines: string[] = [];
  for (const warning of result.warnings) {
    lines.push(...ink.labelled(ink.mark('warned'), ink.safe(warning.message, 500), ink.markWidth));
  }
  // Checks, thresholds and cases speak for themselves above.
  const reasons = result.reasons.filter(({ code }) => !isJudgement(code));
  for (const reason of reasons) lines.push(...ink.labelled('Because', ink.safe(reason.message, 500), 13));
  if (!run.complete) lines.push(...ink.labelled('Incomplete', 'the schedule did not run to its end', 13));
  const facts = [
    `wsbench ${ink.safe(run.wsbench, 40)}`,
    `Node ${ink.safe(host.node, 40)}`,
    `${ink.safe(host.platform, 60)} ${ink.safe(host.arch, 20)}`,
    `seed ${run.seed}`,
    ink.safe(run.id, 100),
    ...(run.mergedFrom ? [`${run.mergedFrom.length} shards merged`] : []),
  ];
  lines.push(...ink.listed('Run', facts, 13));
  if (run.reproduce !== undefined)
    lines.push(...ink.labelled('Reproduce', ink.safe(run.reproduce, 1000), 13));
  return ['', ...lines];
}
