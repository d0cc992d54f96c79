// Before and after.
import type { Comparison, Direction, VerdictChange } from '../../lib/compare/compare.ts';
import type { Result, StressResult } from '../../lib/result/result.ts';
import {
  changeText,
  comparisonTitle,
  inBrief,
  limitText,
  regressionLines,
  sideText,
} from '../comparison-words.ts';
import { hasIntervals, intervalText, rowMark, rowVerdict } from '../interval-words.ts';
import type { Card } from './card.ts';
import { marked } from './marks.ts';
import { type Markup, markup, type Part, shown } from './markup.ts';
import { overlaidFigure } from './percentiles.ts';
import { type Column, facts, type Tone, table } from './table.ts';
import { whisker, whiskerScale } from './whisker.ts';

const tones: Record<Direction, Tone> = { better: 'good', worse: 'bad', same: 'quiet', 'n/a': 'quiet' };

/** The section: what changed by how much, and both distributions where the runs are at hand. */
export function comparisonCard(comparison: Comparison, results: readonly Result[]): Card {
  const { warnings, note, before, after } = comparison;
  const says = [
    ...regressionLines(comparison).map(
      (line) => markup`<li class="bad">${marked('bad', 'regression')} ${shown(line, 500)}</li>\n`,
    ),
    ...(comparison.limits ?? []).map((limit) => {
      const [tone, word] = limit.crossed ? (['bad', 'crossed'] as const) : (['good', 'met'] as const);
      const text = `--fail-on ${limitText(limit, comparison, true)}`;
      return markup`<li class="${tone}">${marked(tone, word)} ${shown(text, 500)}</li>\n`;
    }),
    ...warnings.map(
      ({ message }) => markup`<li class="warn">${marked('warn', 'warning')} ${shown(message, 500)}</li>\n`,
    ),
  ];
  const body = markup`${facts([
    ['Before', side(before)],
    ['After', side(after)],
  ])}${says.length > 0 && markup`<ul class="says">${says}</ul>\n`}${rowTable(comparison)}${overlay(comparison, results)}${checkTable(comparison)}${verdictTable(comparison)}<p class="note">${shown(note, 600)}</p>
`;
  return { id: 'comparison', title: comparisonTitle(comparison), body };
}

const side = ({ id, url, outcome }: Comparison['before']): Markup =>
  markup`<code>${shown(id, 100)}</code> · <code>${shown(url, 200)}</code> · ${outcome}`;

function overlay({ before, after }: Comparison, results: readonly Result[]): Markup | undefined {
  const stress = results.filter((result): result is StressResult => result.kind === 'stress');
  const was = stress.find(({ run }) => run.id === before.id);
  const is = stress.findLast(({ run }) => run.id === after.id);
  return was && is && was !== is ? overlaidFigure(was, is) : undefined;
}

function rowTable(comparison: Comparison): Markup {
  const has = hasIntervals(comparison);
  const scale = whiskerScale(comparison.rows);
  const rows = comparison.rows.map((row) => ({
    cells: [
      shown(row.title, 60),
      sideText(row, 'before', comparison),
      sideText(row, 'after', comparison),
      changeText(row, true),
      ...(has ? [intervalText(row, true) || '–'] : []),
      marked(tones[rowMark(row, has)], rowVerdict(row, has)),
      whisker(row, rowMark(row, has), scale),
    ] satisfies Part[],
  }));
  const right = (head: string): Column => ({ head, align: 'right' });
  const figures = ['Before', 'After', 'Change', ...(has ? ['95 % interval'] : [])].map(right);
  const heads = [{ head: 'Metric' }, ...figures, { head: has ? 'Verdict' : 'Direction' }];
  return table('Figures before and after', [...heads, { head: 'Change, drawn' }], rows);
}

function checkTable({ checks }: Comparison): Markup | undefined {
  if (checks.length === 0) return undefined;
  const rows = checks.map(({ id, title, before, after }) => ({
    cells: [
      markup`${shown(title, 120)}<br><code>${shown(id, 120)}</code>`,
      before ?? 'not run',
      after ?? 'not run',
    ],
  }));
  return table(
    'Checks that ended differently',
    [{ head: 'Check' }, { head: 'Before' }, { head: 'After' }],
    rows,
  );
}

const changes: Record<VerdictChange['change'], [Tone, string]> = {
  worse: ['bad', 'worse'],
  better: ['good', 'better'],
  new: ['quiet', 'new'],
  gone: ['quiet', 'gone'],
  racy: ['quiet', 'a race'],
  same: ['quiet', 'same'],
};

function verdictTable({ verdicts }: Comparison): Markup | undefined {
  if (verdicts.length === 0) return undefined;
  const several = new Set(verdicts.map(({ agent }) => agent)).size > 1;
  const onBoth = verdicts.filter(({ change }) => change !== 'new' && change !== 'gone');
  const rows = onBoth.map(({ agent, caseId, title, before, after, change }) => ({
    cells: [
      shown(caseId, 20),
      ...(several ? [shown(agent, 60)] : []),
      shown(title, 120),
      before ?? 'not run',
      after ?? 'not run',
      marked(...changes[change]),
    ],
  }));
  const columns = ['Case', ...(several ? ['Server'] : []), 'Title', 'Before', 'After', 'Change'];
  const brief = [...inBrief(verdicts, 'new', '–'), ...inBrief(verdicts, 'gone', '–')];
  return markup`${
    rows.length > 0 &&
    table(
      'Cases that are judged otherwise',
      columns.map((head): Column => ({ head })),
      rows,
    )
  }${brief.map((line) => markup`<p class="note">${shown(line, 2000)}</p>\n`)}`;
}
