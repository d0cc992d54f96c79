// A comparison for a terminal.
import type { CheckChange, Comparison, Direction, VerdictChange } from '../lib/compare/compare.ts';
import {
  changeText,
  comparisonTitle,
  inBrief,
  limitText,
  regressionLines,
  sideText,
} from './comparison-words.ts';
import { fittingTable } from './fitting-table.ts';
import { type Ink, inkFor } from './ink.ts';
import { hasIntervals, intervalText, rowMark, rowVerdict } from './interval-words.ts';
import { plainTable } from './plain-table.ts';
import type { ReportOptions } from './reporter.ts';

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
    ...limitLines(comparison, ink),
    '',
    ...comparison.warnings.flatMap(({ message }) =>
      ink.labelled(ink.mark('warned'), ink.safe(message, 500), ink.markWidth),
    ),
    ...ink.labelled('', ink.safe(comparison.note, 500), 0),
    '',
  ].join('\n');
}

/** One table, or where that is too wide one for the figures and one for the intervals. */
function table(comparison: Comparison, ink: Ink): string[] {
  const has = hasIntervals(comparison);
  const { unicode } = ink;
  const rows = comparison.rows.map((row) => ({
    title: ink.safe(row.title, 40),
    sides: [sideText(row, 'before', comparison), sideText(row, 'after', comparison)],
    change: changeText(row, unicode),
    interval: intervalText(row, unicode),
    verdict: ink.paint(colours[rowMark(row, has)], rowVerdict(row, has)),
  }));
  const figures = [
    ['', 'before', 'after', 'change', ''],
    ...rows.map(({ title, sides, change, verdict }) => [title, ...sides, change, verdict]),
  ];
  const short = figures.map((row) => row.map((cell) => cell.replace(' (lost)', '')));
  const whole = [
    ['', 'before', 'after', 'change', '95 % interval', ''],
    ...rows.map(({ title, sides, change, interval, verdict }) => [
      title,
      ...sides,
      change,
      interval,
      verdict,
    ]),
  ];
  const intervals = [
    ['', '95 % interval'],
    ...rows.filter(({ interval }) => interval !== '').map(({ title, interval }) => [title, interval]),
  ];
  const draw = (cells: readonly string[][], gap = 2): string[] => {
    const [head = []] = cells;
    const aligns = head.map((name, at) => (at > 0 && name !== '' ? 'right' : 'left'));
    return plainTable(cells, aligns, unicode, gap);
  };
  const below = (): string[] => (has ? ['', ...draw(intervals)] : []);
  return fittingTable(
    [
      ...(has ? [() => draw(whole)] : []),
      () => [...draw(figures), ...below()],
      () => [...draw(figures, 1), ...below()],
      () => [...draw(short, 1), ...below()],
    ],
    ink,
  );
}

function limitLines(comparison: Comparison, ink: Ink): string[] {
  const { limits = [] } = comparison;
  if (limits.length === 0) return [];
  return [
    '',
    ...limits.flatMap((limit) => {
      const mark = ink.mark(limit.crossed ? 'failed' : 'passed');
      const text = `--fail-on ${ink.safe(limitText(limit, comparison, ink.unicode))}`;
      return ink.labelled(mark, text, ink.markWidth);
    }),
  ];
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
