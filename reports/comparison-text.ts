// A comparison for a terminal.
import type { CheckChange, Comparison, Direction, VerdictChange } from '../lib/compare/compare.ts';
import { changeText, comparisonTitle, inBrief, regressionLines, sideText } from './comparison-words.ts';
import { fittingTable } from './fitting-table.ts';
import { type Ink, inkFor } from './ink.ts';
import { plainTable } from './plain-table.ts';
import type { ReportOptions } from './reporter.ts';

const aligns: ('left' | 'right')[] = ['left', 'right', 'right', 'right', 'left'];
const colours: Record<Direction, 'green' | 'red' | 'dim'> = {
  better: 'green',
  worse: 'red',
  same: 'dim',
  'n/a': 'dim',
};

/** Renders a comparison for a terminal. */
export function comparisonText(comparison: Comparison, options: ReportOptions): string {
  const ink = inkFor(options);
  const run = (side: 'before' | 'after'): string[] => {
    const { id, url, outcome } = comparison[side];
    return ink.labelled(side, [ink.safe(id, 100), ink.safe(url, 200), outcome].join(ink.dot), 8);
  };
  const head = `${comparisonTitle(comparison)}${ink.dot}${comparison.kind}`;
  return [
    `  ${ink.paint('bold', head)}`,
    ...run('before'),
    ...run('after'),
    '',
    ...table(comparison, ink),
    ...checkLines(comparison.checks, ink),
    ...verdictLines(comparison.verdicts, ink),
    ...regressionLines(comparison).flatMap((line) =>
      ink.labelled(ink.mark('failed'), `regression: ${ink.safe(line)}`, ink.markWidth),
    ),
    '',
    ...comparison.warnings.flatMap(({ message }) =>
      ink.labelled(ink.mark('warned'), ink.safe(message, 500), ink.markWidth),
    ),
    ...ink.labelled('', ink.safe(comparison.note, 500), 0),
    '',
  ].join('\n');
}

function table(comparison: Comparison, ink: Ink): string[] {
  const rows = comparison.rows.map((row) => [
    ink.safe(row.title, 40),
    sideText(row, 'before', comparison),
    sideText(row, 'after', comparison),
    changeText(row, ink.unicode),
    ink.paint(colours[row.direction], row.direction),
  ]);
  const all = [['', 'before', 'after', 'change', ''], ...rows];
  const short = all.map((row) => row.map((cell) => cell.replace(' (lost)', '')));
  return fittingTable(
    [
      () => plainTable(all, aligns, ink.unicode),
      () => plainTable(all, aligns, ink.unicode, 1),
      () => plainTable(short, aligns, ink.unicode, 1),
    ],
    ink,
  );
}

function checkLines(checks: readonly CheckChange[], ink: Ink): string[] {
  if (checks.length === 0) return [];
  return [
    '',
    ...checks.flatMap((change) => {
      const from = change.before ?? 'not run';
      const to = change.after ?? 'not run';
      const label = ink.mark(change.after ?? 'skipped');
      return ink.labelled(label, `${ink.safe(change.title, 80)}: ${from} ${ink.arrow} ${to}`, ink.markWidth);
    }),
  ];
}

const changeMarks: Record<VerdictChange['change'], 'failed' | 'passed' | 'skipped'> = {
  worse: 'failed',
  better: 'passed',
  new: 'skipped',
  gone: 'skipped',
  racy: 'skipped',
  same: 'skipped',
};

/** Worse and better ones each with what it was and is; cases that only one run has, in brief. */
function verdictLines(changes: readonly VerdictChange[], ink: Ink): string[] {
  if (changes.length === 0) return [];
  const isSeveral = new Set(changes.map(({ agent }) => agent)).size > 1;
  const onBoth = changes.filter(({ change }) => change !== 'new' && change !== 'gone');
  const dash = ink.unicode ? '–' : '-';
  return [
    '',
    ...onBoth.flatMap(({ agent, caseId, title, before, after, change }) => {
      const where = isSeveral ? ` on ${ink.safe(agent, 40)}` : '';
      const text = `${ink.safe(caseId, 20)}${where}: ${before} ${ink.arrow} ${after}, ${change} (${ink.safe(title, 60)})`;
      return ink.labelled(ink.mark(changeMarks[change]), text, ink.markWidth);
    }),
    ...(['new', 'gone'] as const).flatMap((kind) =>
      inBrief(changes, kind, dash).flatMap((text) =>
        ink.labelled(ink.mark('skipped'), ink.safe(text, 2000), ink.markWidth),
      ),
    ),
  ];
}
