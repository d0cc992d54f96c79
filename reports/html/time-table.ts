// The time line as a table: a row a second, or a row for several where that would be too many.
import type { StressResult } from '../../lib/result/result.ts';
import { count, figure, ms } from '../figures.ts';
import { type Markup, markup } from './markup.ts';
import { type Column, table } from './table.ts';
import { type TimeRow, timeRows } from './time-rows.ts';

const mostRows = 120;

/** The table, folded away. */
export function timeTable({ series }: StressResult): Markup {
  const rows = timeRows(series, mostRows);
  const step = rows[0]?.seconds ?? 1;
  const joined = step > 1;
  const right = (head: string): Column => ({ head, align: 'right' });
  const highest = joined ? 'highest ' : '';
  const columns: Column[] = [
    right('From'),
    ...['Sent', 'Received', 'Open at the end'].map(right),
    ...[`${highest}p50`, `${highest}p99`, `${joined ? 'highest ' : ''}max`].map((name) =>
      right(`${name}, ms`),
    ),
    ...['Lost', 'Rejected', 'Unsent'].map(right),
  ];
  const caption = joined
    ? `${count(step)} seconds a row; times are the highest of any of its seconds`
    : 'A row a second';
  const body = rows.map((row) => ({ cells: cellsOf(row), ...(isBad(row) ? { tone: 'warn' as const } : {}) }));
  return markup`<details><summary>The time line as a table</summary>
${table(caption, columns, body)}</details>
`;
}

const isBad = ({ lost, rejected, unsent }: TimeRow): boolean =>
  (lost ?? 0) + (rejected ?? 0) + (unsent ?? 0) > 0;

function cellsOf(row: TimeRow): string[] {
  const amount = (value: number | null): string => (value === null ? '–' : count(value));
  const time = (value: number | null): string => (value === null ? (row.censored ? 'lost' : '–') : ms(value));
  const { second, sent, received, open, p50, p99, max, lost, rejected, unsent } = row;
  return [
    `${figure(second)} s`,
    ...[sent, received, open].map(amount),
    ...[p50, p99, max].map(time),
    ...[lost, rejected, unsent].map(amount),
  ];
}
