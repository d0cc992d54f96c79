// How connections opened, and how they ended.
import { closeMeaning } from '../../lib/cause/close-code.ts';
import type { CloseRecord, StressResult } from '../../lib/result/result.ts';
import { count } from '../figures.ts';
import { connectHistogram } from './connect-histogram.ts';
import { type Markup, markup, shown } from './markup.ts';
import { longTable } from './table.ts';

// A target may use thousands of codes of its own.
const mostRows = 100;

/** Connect times, failures and closes. */
export function connectionsBody(result: StressResult): Markup {
  const { counters, openAtEnd } = result;
  const abnormal = counters['connections.abnormal'];
  const words = [
    `${count(counters['connections.opened'])} of ${count(counters['connections.attempted'])} opened`,
    `${count(counters['connections.failed'])} failed`,
    ...(abnormal > 0 ? [`${count(abnormal)} ended abnormally`] : []),
    `${count(openAtEnd)} open at the end`,
  ];
  return markup`<p>${words.join(' · ')}</p>
${failures(result)}${connectHistogram(result.metrics.connect)}${closes(result)}`;
}

function failures({ failures: all }: StressResult): Markup | undefined {
  if (all.length === 0) return undefined;
  const rows = all.map(({ kind, detail, count: n, hint }) => ({
    cells: [
      shown(kind, 40),
      count(n),
      markup`${shown(detail, 400)}${hint !== undefined && markup`<br><span class="note">Hint: ${shown(hint, 400)}</span>`}`,
    ],
    tone: 'bad' as const,
  }));
  return longTable(
    'Connections that failed, by cause',
    [{ head: 'Cause' }, { head: 'Count', align: 'right' }, { head: 'What was seen', align: 'wide' }],
    rows,
    mostRows,
  );
}

const closers: Record<CloseRecord['by'], string> = {
  us: 'wsbench',
  peer: 'the target',
  none: 'nobody: TCP ended',
};

function closes({ closes: all }: StressResult): Markup {
  if (all.length === 0) return markup`<p class="note">No connection was closed.</p>\n`;
  const rows = all.map(({ code, by, clean, count: n }) => ({
    cells: [String(code), closeMeaning(code), closers[by], clean ? 'yes' : 'no', count(n)],
    ...(clean ? {} : { tone: 'warn' as const }),
  }));
  return longTable(
    'How connections were closed',
    [
      { head: 'Code' },
      { head: 'Meaning' },
      { head: 'Closed by' },
      { head: 'Clean' },
      { head: 'Count', align: 'right' },
    ],
    rows,
    mostRows,
  );
}
