// A stress result for a terminal: table, counts, thresholds.
import type { StressResult } from '../lib/result/result.ts';
import { count, figure, lostText, timeoutMs } from './figures.ts';
import { fittingTable } from './fitting-table.ts';
import type { Ink } from './ink.ts';
import {
  anyLost,
  connectRows,
  type LatencyStat,
  latencyCell,
  latencyRows,
  modelNote,
  statTitles,
} from './latency.ts';
import { plainTable } from './plain-table.ts';
import { stormVerdict } from './recovery-words.ts';
import { runCourse } from './run-course.ts';
import { stressDetail } from './stress-detail.ts';
import { failureLines, stressFacts } from './stress-facts.ts';
import { talkWords } from './talk-words.ts';
import { limitText, thresholdFigure, thresholdName } from './threshold-words.ts';
import { loadWords } from './verdict.ts';
import { displayWidth } from './width.ts';

const columns: readonly LatencyStat[] = ['p50', 'p90', 'p99', 'p999', 'max', 'mean'];
const labelWidth = 13;

/** Lines for a stress result. `verbose`: the parts of connecting, the phases, each worker and each second too. */
export function stressText(result: StressResult, ink: Ink, verbose: boolean): string[] {
  return [
    ...glance(result, ink),
    ...ink.listed('', planParts(result, ink), 0),
    ...troubles(result, ink),
    // Without a connection there is nothing to measure, and tables of dashes would hide why.
    ...(result.counters['connections.opened'] === 0 ? [] : figures(result, ink, verbose)),
    ...thresholdLines(result, ink),
  ];
}

/** What most readers came for, in one sentence. */
function glance(result: StressResult, ink: Ink): string[] {
  const { derived, metrics, counters } = result;
  if (derived.throughput === null || counters['connections.opened'] === 0) return [];
  const [verdict, ...more] = stormVerdict(result);
  if (verdict !== undefined) {
    const lines = ink.labelled('', ink.safe(verdict, 400), 0).map((line) => ink.paint('bold', line));
    return [...lines, ...more.flatMap((text) => ink.labelled('', text, 0)), ''];
  }
  const p99 = latencyCell(result, metrics.rtt, 'p99', ink.none);
  const time = metrics.rtt.p99 === null ? p99 : `${p99} ms`;
  const opened = counters['connections.opened'];
  const parts = [
    `p99 ${time} at ${figure(derived.throughput)} replies/s`,
    `${count(opened)} connection${opened === 1 ? '' : 's'}`,
    ...(derived.errors === null ? [] : [`${count(derived.errors)} error${derived.errors === 1 ? '' : 's'}`]),
  ];
  return [...ink.listed('', parts, 0).map((line) => ink.paint('bold', line)), ''];
}

function figures(result: StressResult, ink: Ink, verbose: boolean): string[] {
  return [
    '',
    ...latencyTable(result, ink, verbose),
    ...notes(result, ink),
    ...runCourse(result, labelWidth, ink),
    '',
    ...stressFacts(result, ink).flatMap(({ label, parts }) => ink.listed(label, parts, labelWidth)),
    ...(verbose ? stressDetail(result, labelWidth, ink) : []),
  ];
}

function planParts(result: StressResult, ink: Ink): string[] {
  const where = result.target.embedded ? ['embedded server, same machine'] : [];
  const how = ink.safe(result.target.description, 60);
  const talk = talkWords(result).map((words) => ink.safe(words, 60));
  return [...loadWords(result).map((words) => ink.safe(words)), `target: ${how}`, ...talk, ...where];
}

/** Connections that failed, and a generator that was too slow: said before any figure. */
function troubles(result: StressResult, ink: Ink): string[] {
  const { generator, counters } = result;
  const lines: string[] = [];
  if (generator.limited) {
    const why = generator.reasons.map((reason) => ink.safe(reason)).join('; ');
    const advice = generator.advice.map((text) => ink.safe(text)).join(', ');
    lines.push(
      '',
      ...ink.labelled('', `The load generator fell behind${why === '' ? '' : `: ${why}`}.`, 0),
      ...ink.labelled('', 'The latencies below include its own delay; they say little about the target.', 0),
      ...(generator.advice.length === 0 ? [] : ink.labelled('', `Try: ${advice}`, 0)),
    );
  }
  if (counters['connections.failed'] > 0) {
    const share = `${count(counters['connections.failed'])} of ${count(counters['connections.attempted'])}`;
    lines.push('', ...ink.labelled(ink.mark('failed'), `${share} connections failed`, ink.markWidth));
    for (const { cause, hint } of failureLines(result, ink)) {
      lines.push(...ink.labelled('', cause, 0, '    '));
      if (hint !== undefined) lines.push(...ink.labelled('hint:', hint, 6, '      '));
    }
  }
  return lines;
}

function latencyTable(result: StressResult, ink: Ink, verbose: boolean): string[] {
  const parts = connectRows.filter(({ metric }) => result.metrics[metric].count > 0);
  const metrics = verbose ? [...latencyRows, ...parts] : latencyRows;
  const without = (...left: LatencyStat[]): LatencyStat[] => columns.filter((stat) => !left.includes(stat));
  const form =
    (shown: readonly LatencyStat[], gap: number, isShort = true) =>
    () => {
      const cells = metrics.map(({ metric, title }) => {
        const stats = result.metrics[metric];
        return [
          ink.safe(title),
          ...shown.map((stat) => {
            const cell = latencyCell(result, stats, stat, ink.none);
            // What it stands for is said under the table.
            return isShort ? cell.replace(' (lost)', '') : cell;
          }),
          count(stats.count),
        ];
      });
      const rows = [['ms', ...shown.map((stat) => statTitles[stat]), 'count'], ...cells];
      return plainTable(rows, ['left', ...shown.map(() => 'right' as const), 'right'], ink.unicode, gap);
    };
  const forms = [
    form(columns, 2, false),
    form(columns, 2),
    form(columns, 1),
    form(without('mean'), 2),
    form(without('mean'), 1),
    form(without('mean', 'p90'), 1),
    form(without('mean', 'p90', 'p999'), 1),
  ];
  return fittingTable(forms, ink);
}

/** What one has to know to read the table. */
function notes(result: StressResult, ink: Ink): string[] {
  const bound = lostText(timeoutMs(result));
  const lost = `${bound}: that rank is a message that was lost or never sent, not a time.`;
  return [...(anyLost(result) ? [lost] : []), modelNote(result)].flatMap((note) =>
    note === undefined ? [] : ink.labelled('', note, 0),
  );
}

function thresholdLines(result: StressResult, ink: Ink): string[] {
  if (result.thresholds.length === 0) return [];
  const names = result.thresholds.map((threshold) => {
    const origin = threshold.source === 'default' ? ' (default)' : '';
    return `${ink.safe(thresholdName(threshold), 80)} ${threshold.op} ${limitText(threshold)}${origin}`;
  });
  const widest = Math.max(...names.map(displayWidth));
  return [
    '',
    ...result.thresholds.flatMap((threshold, index) => {
      const mark = ink.mark(threshold.ok ? 'passed' : 'failed');
      const label = `${mark} ${names[index]}`;
      const missed = threshold.ok ? '' : '  missed';
      const text = `${thresholdFigure(threshold, timeoutMs(result), ink.none)}${missed}`;
      return ink.labelled(label, text, widest + displayWidth(mark) + 3);
    }),
  ];
}
