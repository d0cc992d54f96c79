// The checks of a quick result.
import { formatDuration } from '../../lib/duration.ts';
import type { CheckRecord, QuickResult } from '../../lib/result/result.ts';
import { repeatsEvidence } from '../evidence.ts';
import type { Card } from './card.ts';
import { commandMarkup } from './card.ts';
import { checkTones, marked } from './marks.ts';
import { type Markup, markup, type Part, shown } from './markup.ts';
import { facts, table } from './table.ts';

/** One section: the checks, those that failed with what was expected, what came and how to see it again. */
export function quickCards(result: QuickResult, id: string): Card[] {
  return [{ id: `${id}-checks`, title: 'Checks', body: checks(result) }];
}

function checks({ checks: all }: QuickResult): Markup {
  if (all.length === 0) return markup`<p class="note">No check was run.</p>\n`;
  const rows = all.map((check) => ({
    cells: [
      markup`${shown(check.title, 120)}<br><code>${shown(check.id, 120)}</code>`,
      marked(checkTones[check.status], check.status),
      detail(check),
      check.status === 'skipped' ? '' : formatDuration(rounded(check.durationMs)),
    ],
    ...(check.status === 'failed' ? { tone: 'bad' as const } : {}),
  }));
  return table(
    'Every check, in the order in which they ran',
    [
      { head: 'Check' },
      { head: 'Result' },
      { head: 'Detail', align: 'wide' },
      { head: 'Time', align: 'right' },
    ],
    rows,
  );
}

function detail(check: CheckRecord): Markup {
  const { expected, got, reproduce } = check;
  const rows: [string, Part][] = [
    ...(expected === undefined ? [] : [['Expected', shown(expected, 500)] as [string, Part]]),
    ...(got === undefined ? [] : [['Got', shown(got, 500)] as [string, Part]]),
    ...(reproduce === undefined
      ? []
      : [['Reproduce', commandMarkup(shown(reproduce, 1000))] as [string, Part]]),
  ];
  return markup`${!repeatsEvidence(check) && shown(check.detail, 500)}${rows.length > 0 && facts(rows)}`;
}

const rounded = (value: number): number => (value < 100 ? Math.round(value * 10) / 10 : Math.round(value));
