// What a stress report leaves out unless all is asked for: phases, each worker, each second.
import type { StressResult } from '../lib/result/result.ts';
import { count, figure, ms, percent } from './figures.ts';
import { fittingTable } from './fitting-table.ts';
import type { Ink } from './ink.ts';
import { plainTable } from './plain-table.ts';
import { phaseWords } from './stress-facts.ts';

/** More are told together, so that an hour is still read. */
const mostRows = 60;

/** Lines behind the facts of a stress result. */
export function stressDetail(result: StressResult, labelWidth: number, ink: Ink): string[] {
  return [
    ...ink.listed('Phases', phaseWords(result).split(', '), labelWidth),
    ...workers(result, ink),
    ...seconds(result, ink),
  ];
}

function workers({ generator: { perWorker = [] } }: StressResult, ink: Ink): string[] {
  if (perWorker.length === 0) return [];
  const head = ['worker', 'CPU', 'loop p99', 'send lag p99', 'GC', 'GC max', 'heap MB'];
  const rows = perWorker.map(({ worker, cpu, loopDelay, sendLagP99, gc, heapBytes }) => [
    String(worker),
    percent(Math.round(cpu * 100) / 100),
    ms(loopDelay.p99),
    sendLagP99 === null ? ink.none : ms(sendLagP99),
    count(gc.count),
    ms(gc.maxMs),
    figure(heapBytes / 1e6),
  ]);
  return ['', ...table([head, ...rows], ink)];
}

/** One line of the table: some neighbouring seconds. */
interface Span {
  second: number;
  seconds: number;
  sent: number;
  received: number;
  open: number;
  errors: number;
  /** Of the worst of them. */
  p99: number | null | 'lost';
  max: number | null | 'lost';
}

function seconds(result: StressResult, ink: Ink): string[] {
  const spans = spansOf(result);
  if (spans.length === 0) return [];
  const [first] = spans;
  const isOne = first?.seconds === 1;
  const head = ['second', 'sent/s', 'replies/s', 'open', 'errors', isOne ? 'p99' : 'worst p99', 'max'];
  const rows = spans.map(({ second, seconds: n, sent, received, open, errors, p99, max }) => [
    String(second),
    figure(sent / n),
    figure(received / n),
    count(open),
    count(errors),
    timeCell(p99, ink),
    timeCell(max, ink),
  ]);
  return ['', ...table([head, ...rows], ink)];
}

const timeCell = (value: Span['p99'], ink: Ink): string =>
  value === null ? ink.none : value === 'lost' ? value : ms(value);

function spansOf({ series }: StressResult): Span[] {
  const { due, wall, secondsPerRow = 1 } = series;
  const perSpan = Math.max(1, Math.ceil(wall.length / mostRows));
  const bySecond = new Map(due.map((row) => [row.second, row]));
  const spans: Span[] = [];
  for (let from = 0; from < wall.length; from += perSpan) {
    const rows = wall.slice(from, from + perSpan);
    const dues = rows.flatMap(({ second }) => bySecond.get(second) ?? []);
    const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
    const worst = (key: 'p99' | 'max'): Span['p99'] => {
      if (dues.some((row) => row[key] === null && row.lost + row.unsent > 0)) return 'lost';
      const known = dues.map((row) => row[key]).filter((value) => value !== null);
      return known.length === 0 ? null : Math.max(...known);
    };
    spans.push({
      second: rows[0]?.second ?? 0,
      seconds: rows.length * secondsPerRow,
      sent: sum(rows.map(({ sent }) => sent)),
      received: sum(rows.map(({ received }) => received)),
      open: rows.at(-1)?.open ?? 0,
      errors: sum(dues.map(({ rejected, lost, unsent }) => rejected + lost + unsent)),
      p99: worst('p99'),
      max: worst('max'),
    });
  }
  return spans;
}

function table(rows: readonly (readonly string[])[], ink: Ink): string[] {
  const aligns = (rows[0] ?? []).map(() => 'right' as const);
  const form = (gap: number) => () => plainTable(rows, aligns, ink.unicode, gap);
  return fittingTable([form(2), form(1)], ink);
}
