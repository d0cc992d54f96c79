// How a run went, second by second: plots of one clock, and the same as a table.
import type { StressResult } from '../../lib/result/result.ts';
import { count, figure, ms } from '../figures.ts';
import { type Markup, markup, type Part } from './markup.ts';
import { phaseBands } from './phases.ts';
import { plotFigure, rounded, spansDecades } from './plot.ts';
import type { PlotLine, PlotSpec } from './plot-spec.ts';
import { type TimeRow, timeRows } from './time-rows.ts';
import { timeTable } from './time-table.ts';

/** More points than this a plot does not show: it is not that wide. */
const mostPoints = 3600;

/** The plots and the table; undefined: nothing was measured. */
export function timeLineBody(result: StressResult, group: string): Markup | undefined {
  const rows = timeRows(result.series, mostPoints);
  if (rows.length === 0) return undefined;
  const measureSeconds = result.phases.measureMs / 1000;
  const drained = measureSeconds + result.phases.drainMs / 1000;
  const last = rows.at(-1);
  // The second that the drain ends in is not over with it.
  const end = last && last.second >= drained ? last.second + last.seconds : drained;
  const range: [number, number] = [0, Math.max(1, end)];
  const base = { axis: 'seconds' as const, bands: phaseBands(result, range[1]), range, group };
  // What is not a whole second of the measure phase has fewer messages, and says nothing of the rate.
  const whole = rows.filter(({ second, seconds }) => second + seconds <= measureSeconds + 1e-6);
  return markup`${throughput(rateRows(result, rows), whole, base)}${latency(rows, base)}${openConnections(rows, base)}${errors(result, rows, base)}${timeTable(result)}`;
}

/** The rows that say something of a rate: a second that the measure phase or the drain covers in part does not. */
function rateRows({ phases }: StressResult, rows: readonly TimeRow[]): readonly TimeRow[] {
  const [measured, drained] = [phases.measureMs / 1000, (phases.measureMs + phases.drainMs) / 1000];
  const whole = rows.filter(({ second, seconds }) => {
    const end = second + seconds - 1e-6;
    return end <= measured || (second >= measured && end <= drained);
  });
  return whole.length > 0 ? whole : rows;
}

type Base = Pick<PlotSpec, 'axis' | 'bands' | 'range' | 'group'>;

/** A line with a value for every row: in the middle of its seconds. */
function lineOf(
  rows: readonly TimeRow[],
  line: Omit<PlotLine, 'values'>,
  value: (row: TimeRow) => number | null,
): PlotLine {
  return { ...line, values: rows.map((row) => rounded(value(row))) };
}

const middles = (rows: readonly TimeRow[]): number[] =>
  rows.map(({ second, seconds }) => second + seconds / 2);
const perSecond = (value: number | null, { seconds }: TimeRow): number | null =>
  value === null ? null : value / seconds;

function throughput(rows: readonly TimeRow[], whole: readonly TimeRow[], base: Base): Markup {
  const lines = [
    lineOf(rows, { label: 'sent', unit: '/s', style: 2 }, (row) => perSecond(row.sent, row)),
    lineOf(rows, { label: 'received', unit: '/s', style: 1 }, (row) => perSecond(row.received, row)),
  ];
  const words = (name: string, value: (row: TimeRow) => number | null): Part => {
    const rates = whole.map((row) => perSecond(value(row), row) ?? 0);
    if (rates.length === 0) return `${name}: no whole second.`;
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const [least, most] = bounds(rates);
    return `${name} ${figure(mean)}/s on average, ${figure(least)} to ${figure(most)}/s.`;
  };
  return plotFigure(
    'Messages per second',
    { ...base, x: middles(rows), lines, title: 'messages/s', log: false },
    markup`${words('Sent', ({ sent }) => sent)} ${words('Received', ({ received }) => received)}`,
  );
}

function latency(rows: readonly TimeRow[], base: Base): Markup | undefined {
  const lines = [
    lineOf(rows, { label: 'p50', unit: 'ms', style: 1 }, ({ p50 }) => p50),
    lineOf(rows, { label: 'p99', unit: 'ms', style: 2 }, ({ p99 }) => p99),
    lineOf(rows, { label: 'max', unit: 'ms', style: 3 }, ({ max }) => max),
  ];
  const values = lines.flatMap((line) => line.values);
  if (values.every((value) => value === null)) return undefined;
  const log = spansDecades(values);
  const unknown = rows.filter(({ censored, p99 }) => censored && p99 === null).length;
  const worst = rows.reduce((found, row) => ((row.p99 ?? -1) > (found.p99 ?? -1) ? row : found));
  const highest =
    worst.p99 === null ? '' : `${ms(worst.p99)} ms, in the second that begins at ${figure(worst.second)} s`;
  const lost = `In ${count(unknown)} of ${count(rows.length)} rows the p99 is a message that was lost or never sent: the line has gaps there. `;
  const words = markup`${unknown > 0 && lost}${highest !== '' && `The highest p99${unknown > 0 ? ' of the others' : ''} is ${highest}.`}${log && ' The axis of times is logarithmic.'}`;
  return plotFigure(
    'Round trips of the messages due in each second',
    { ...base, x: middles(rows), lines, title: log ? 'ms, logarithmic' : 'ms', log },
    words,
  );
}

function openConnections(rows: readonly TimeRow[], base: Base): Markup | undefined {
  const told = rows.filter(({ open }) => open !== null);
  if (told.length === 0) return undefined;
  const opens = told.map(({ open }) => open ?? 0);
  const [least, most] = bounds(opens);
  // The figure of a row is that of its end, and stands for all of it.
  const x = [told[0]?.second ?? 0, ...told.map(({ second, seconds }) => second + seconds)];
  const values = [opens[0] ?? 0, ...opens];
  const line: PlotLine = { label: 'open', unit: '', style: 4, shape: 'steps', values };
  const words =
    least === most ? `${count(most)} open all the time.` : `Between ${count(least)} and ${count(most)} open.`;
  return plotFigure(
    'Open connections',
    { ...base, x, lines: [line], title: 'connections', log: false },
    words,
  );
}

function errors({ counters }: StressResult, rows: readonly TimeRow[], base: Base): Markup {
  const kinds = [
    { label: 'lost', style: 5, value: ({ lost }: TimeRow) => lost },
    { label: 'rejected', style: 2, value: ({ rejected }: TimeRow) => rejected },
    { label: 'unsent', style: 3, value: ({ unsent }: TimeRow) => unsent },
  ];
  const sums = kinds.map(({ label, value }) => ({
    label,
    sum: rows.reduce((all, row) => all + (value(row) ?? 0), 0),
  }));
  if (sums.every(({ sum }) => sum === 0)) {
    const all = counters['messages.lost'] + counters['messages.rejected'] + counters['messages.unsent'];
    return all > 0
      ? markup`<p class="note">The seconds of the messages that were lost, rejected or unsent are not known.</p>\n`
      : markup`<p class="note">No message was lost, rejected or left unsent.</p>\n`;
  }
  const lines = kinds.map(({ label, style, value }) =>
    lineOf(rows, { label, style, unit: '/s' }, (row) => perSecond(value(row), row)),
  );
  return plotFigure(
    'Messages without a good answer, by the second they were due in',
    { ...base, x: middles(rows), lines, title: 'messages/s', log: false },
    `In all ${sums.map(({ label, sum }) => `${count(sum)} ${label}`).join(', ')}.`,
  );
}

function bounds(values: readonly number[]): [least: number, most: number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}
