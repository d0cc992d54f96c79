// A comparison as Markdown.
import type { Comparison, Direction, VerdictChange } from '../lib/compare/compare.ts';
import {
  changeText,
  comparisonTitle,
  inBrief,
  limitText,
  regressionLines,
  sideText,
} from './comparison-words.ts';
import { hasIntervals, intervalText, rowMark, rowVerdict } from './interval-words.ts';
import { markdownCode, markdownTable, markdownText } from './markdown-escape.ts';

const marks: Record<Direction, string> = { better: '🟢 ', worse: '🔴 ', same: '⚪ ', 'n/a': '' };

/** Renders a comparison as a document of its own. */
export function comparisonMarkdown(comparison: Comparison): string {
  return [`## ${comparisonTitle(comparison)}`, '', ...comparisonLines(comparison)].join('\n');
}

/** The lines below the heading. */
export function comparisonLines(comparison: Comparison): string[] {
  const { before, after, rows, checks, verdicts, warnings, note } = comparison;
  const regressions = regressionLines(comparison);
  const cell = (text: string): string => text.replace('>', '&gt;').replace('<', '&lt;');
  const run = ({ id, url, outcome }: Comparison['before']): string =>
    `${markdownCode(id, 100)} (${markdownCode(url, 200)}, ${outcome})`;
  const has = hasIntervals(comparison);
  const table = rows.map((row) => [
    markdownText(row.title, 40),
    cell(sideText(row, 'before', comparison)),
    cell(sideText(row, 'after', comparison)),
    cell(
      row.interval && rowMark(row, has) !== 'same' ? `**${changeText(row, true)}**` : changeText(row, true),
    ),
    ...(has ? [intervalText(row, true) || '–'] : []),
    `${marks[rowMark(row, has)]}${rowVerdict(row, has)}`,
  ]);
  const head = ['Metric', 'Before', 'After', 'Change'];
  const changed = checks.map(({ title, before: was, after: is }) => [
    markdownText(title, 120),
    was ?? 'not run',
    is ?? 'not run',
  ]);
  return [
    `${run(before)} → ${run(after)}`,
    '',
    ...(has
      ? markdownTable([...head, '95 % interval', 'Verdict'], 'lrrrcl', table)
      : markdownTable([...head, 'Direction'], 'lrrrl', table)),
    '',
    ...(changed.length > 0
      ? [...markdownTable(['Check that changed', 'Before', 'After'], 'lll', changed), '']
      : []),
    ...verdictLines(verdicts),
    ...(regressions.length > 0
      ? [...regressions.map((line) => `- ❌ Regression: ${markdownText(line)}`), '']
      : []),
    ...limitLines(comparison),
    ...(warnings.length > 0
      ? [...warnings.map(({ message }) => `- ⚠️ ${markdownText(message, 500)}`), '']
      : []),
    note,
    '',
  ];
}

function limitLines(comparison: Comparison): string[] {
  const { limits = [] } = comparison;
  if (limits.length === 0) return [];
  const lines = limits.map((limit) => {
    const { expression, crossed } = limit;
    const rest = limitText(limit, comparison, true).slice(expression.length);
    return `- ${crossed ? '❌' : '✅'} ${markdownCode(`--fail-on ${expression}`, 120)}${markdownText(rest)}`;
  });
  return [...lines, ''];
}

const changeMarks: Record<VerdictChange['change'], string> = {
  worse: '🔴 worse',
  better: '🟢 better',
  new: 'new',
  gone: 'gone',
  racy: '⚪ a race',
  same: '⚪ same',
};

function verdictLines(changes: readonly VerdictChange[]): string[] {
  const onBoth = changes.filter(({ change }) => change !== 'new' && change !== 'gone');
  const isSeveral = new Set(changes.map(({ agent }) => agent)).size > 1;
  const rows = onBoth.map(({ agent, caseId, title, before, after, change }) => [
    `${markdownCode(caseId, 20)}${isSeveral ? ` on ${markdownText(agent, 60)}` : ''}`,
    markdownText(title, 120),
    before ?? 'not run',
    after ?? 'not run',
    changeMarks[change],
  ]);
  const brief = [...inBrief(changes, 'new', '–'), ...inBrief(changes, 'gone', '–')];
  return [
    ...(rows.length === 0
      ? []
      : [...markdownTable(['Case', 'Title', 'Before', 'After', 'Change'], 'lllll', rows), '']),
    ...(brief.length === 0 ? [] : [...brief.map((line) => `- ${markdownText(line, 2000)}`), '']),
  ];
}
