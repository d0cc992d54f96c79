// How a stress run went from second to second: a line of bars each for replies, p99, errors and open connections.
import { formatDuration } from '../lib/duration.ts';
import type { DueSecond } from '../lib/metrics/series.ts';
import type { StressResult } from '../lib/result/result.ts';
import { count, figure, ms, timeoutMs } from './figures.ts';
import type { Ink } from './ink.ts';
import { sparkline } from './sparkline.ts';
import { displayWidth } from './width.ts';

// Fewer are a figure, not a course.
const leastRows = 5;
const mostCells = 40;
const leastCells = 10;

/** A figure a second. */
interface Course {
  label: string;
  /** A row's figure; undefined: there is none. */
  values: readonly (number | undefined)[];
  /** What several rows in one cell come to. */
  merge: 'mean' | 'most' | 'sum';
  words: string;
}

/** Lines for the seconds of a run; none where it was too short, or nothing of it is known by the second. */
export function runCourse(result: StressResult, labelWidth: number, ink: Ink): string[] {
  const courses = coursesOf(result);
  if (courses.length === 0) return [];
  const widest = Math.max(...courses.map(({ words }) => displayWidth(words)));
  const room = ink.width - 2 - labelWidth - 2 - widest;
  const rows = Math.max(...courses.map(({ values }) => values.length));
  const isBeside = room >= Math.min(leastCells, rows);
  const cells = Math.min(mostCells, rows, isBeside ? room : ink.width - 2 - labelWidth);
  const lines = courses.flatMap(({ label, values, merge, words }) => {
    const bars = sparkline(inCells(values, cells, merge), cells, ink.unicode);
    return isBeside
      ? ink.labelled(label, `${bars}  ${words}`, labelWidth)
      : [...ink.labelled(label, bars, labelWidth), ...ink.labelled('', words, labelWidth)];
  });
  return ['', ...lines];
}

function coursesOf(result: StressResult): Course[] {
  const { due, wall, secondsPerRow = 1 } = result.series;
  // What arrives while the run drains, or in a last second that is cut short, is no rate.
  const inTime = <T extends { second: number }>(rows: readonly T[]): T[] =>
    rows.filter(({ second }) => (second + secondsPerRow) * 1000 <= result.phases.measureMs + 1);
  const [dueRows, wallRows] = [inTime(due), inTime(wall)];
  if (wallRows.length < leastRows || dueRows.length < leastRows) return [];
  const at = (row: number, rows: readonly { second: number }[]): string =>
    `at ${clock(rows[row]?.second ?? 0)}`;
  const replies = wallRows.map(({ received }) => received / secondsPerRow);
  const open = wallRows.map((row) => row.open);
  const failed = dueRows.map(({ rejected, lost, unsent }) => rejected + lost + unsent);
  const errors = failed.reduce((sum, n) => sum + n, 0);
  return [
    {
      label: 'Replies/s',
      values: replies,
      merge: 'mean',
      words: extremes(replies, figure, (row) => at(row, wallRows)),
    },
    ...p99Course(dueRows, result, (row) => at(row, dueRows)),
    ...(errors === 0
      ? []
      : [
          {
            label: 'Errors/s',
            values: failed,
            merge: 'sum' as const,
            words: `${count(errors)} in all, ${count(Math.max(...failed))} at most (${at(most(failed), dueRows)})`,
          },
        ]),
    ...(Math.min(...open) === Math.max(...open)
      ? []
      : [
          {
            label: 'Open',
            values: open,
            merge: 'mean' as const,
            words: extremes(open, count, (row) => at(row, wallRows)),
          },
        ]),
  ];
}

/** A second whose p99 is a lost message stands as high as the timeout: it was at least that. */
function p99Course(rows: readonly DueSecond[], result: StressResult, at: (row: number) => string): Course[] {
  const timeout = timeoutMs(result);
  const isLost = rows.map(({ p99, lost, unsent }) => p99 === null && lost + unsent > 0);
  const values = rows.map(({ p99 }, row) => p99 ?? (isLost[row] ? (timeout ?? undefined) : undefined));
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return [];
  const lost = isLost.filter(Boolean).length;
  const words =
    lost === 0
      ? extremes(values, (value) => `${ms(value)} ms`, at)
      : `lost in ${count(lost)} of ${count(rows.length)} seconds, first ${at(isLost.indexOf(true))}`;
  return [{ label: 'p99', values, merge: 'most', words }];
}

const clock = (second: number): string => (second === 0 ? '0 s' : formatDuration(second * 1000));

const most = (values: readonly (number | undefined)[]): number =>
  values.indexOf(Math.max(...values.filter((value) => value !== undefined)));

/** `92.0 (at 3 s) to 101 (at 12 s)`, or the one figure that it always is. */
function extremes(
  values: readonly (number | undefined)[],
  words: (value: number) => string,
  at: (row: number) => string,
): string {
  const known = values.filter((value) => value !== undefined);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (words(low) === words(high)) return `${words(high)} all the time`;
  return `${words(low)} (${at(values.indexOf(low))}) to ${words(high)} (${at(values.indexOf(high))})`;
}

/** As many figures as there are cells: rows that share one are merged. */
function inCells(values: readonly (number | undefined)[], cells: number, merge: Course['merge']): number[] {
  const count = Math.min(cells, values.length);
  return Array.from({ length: count }, (_, cell) => {
    const from = Math.floor((cell * values.length) / count);
    const until = Math.floor(((cell + 1) * values.length) / count);
    const known = values.slice(from, until).map((value) => value ?? 0);
    const sum = known.reduce((total, value) => total + value, 0);
    return merge === 'most' ? Math.max(...known) : merge === 'sum' ? sum : sum / known.length;
  });
}
