// The way back of lost connections: how many were there, and how many tried, every 100 ms.
import type { RecoveryRecord, StressResult } from '../../lib/result/result.ts';
import { count, figure } from '../figures.ts';
import { recoveryFacts, stormVerdict, windowSentence } from '../recovery-words.ts';
import type { Card } from './card.ts';
import { type Markup, markup } from './markup.ts';
import { plotFigure } from './plot.ts';
import type { PlotSpec } from './plot-spec.ts';
import { facts } from './table.ts';

// More points than this a plot does not show: it is not that wide.
const mostPoints = 3600;
const binMs = 100;

/** The section; undefined: connections were not asked to come back. */
export function recoveryCard(result: StressResult, id: string): Card | undefined {
  const { recovery } = result;
  if (!recovery) return undefined;
  const told = facts(recoveryFacts(result).map(({ label, parts }) => [label, parts.join(' · ')]));
  const [verdict] = stormVerdict(result);
  const body = markup`${verdict !== undefined && markup`<p><strong>${verdict}</strong></p>\n`}${told}${plots(recovery, id)}`;
  return { id: `${id}-recovery`, title: 'Recovery', body };
}

function plots(recovery: RecoveryRecord, group: string): Markup | undefined {
  const { connections, connects, series } = recovery;
  const rows = stretched(series);
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return undefined;
  const x = rows.map(({ endMs }) => endMs / 1000);
  const range: [number, number] = [(first.endMs - binMs) / 1000, last.endMs / 1000];
  const base: Pick<PlotSpec, 'axis' | 'x' | 'bands' | 'range' | 'group' | 'log'> = {
    axis: 'seconds',
    x,
    bands: [],
    range,
    group: `${group}-recovery`,
    log: false,
  };
  let away = 0;
  const present = rows.map(({ lost, back }) => {
    away += lost - back;
    return Math.max(0, connections - away);
  });
  const least = Math.min(...present);
  const peak = connects.peakPerSecond / 10;
  return markup`${plotFigure(
    'Connections that are there',
    {
      ...base,
      lines: [{ label: 'there', unit: '', style: 4, shape: 'steps', values: present }],
      title: 'connections',
    },
    `Of ${count(connections)}, ${count(least)} at the least.`,
  )}${plotFigure(
    'Attempts to come back, every 100 ms',
    {
      ...base,
      lines: [
        {
          label: 'attempts',
          unit: '',
          style: 2,
          shape: 'steps',
          values: rows.map(({ attempts }) => attempts),
        },
      ],
      title: 'attempts in 100 ms',
    },
    `At most ${count(peak)} in 100 ms${connects.meanPerSecond === null ? '' : `, ${figure(connects.meanPerSecond / 10)} on average`}. ${windowSentence(recovery)}`,
  )}`;
}

interface Row {
  endMs: number;
  lost: number;
  attempts: number;
  back: number;
}

/** Every 100 ms from the first to the last in which something happened, the quiet ones too; where those are too many, only the others. */
function stretched(series: RecoveryRecord['series']): Row[] {
  const [first, last] = [series[0], series.at(-1)];
  if (!first || !last) return [];
  const known = new Map(series.map((row) => [row.atMs, row]));
  const bins = Math.round((last.atMs - first.atMs) / binMs) + 1;
  const times =
    bins > mostPoints
      ? series.map(({ atMs }) => atMs)
      : Array.from({ length: bins }, (_, bin) => first.atMs + bin * binMs);
  const quiet = { lost: 0, attempts: 0, back: 0 };
  const rows = times
    .slice(0, mostPoints)
    .map((atMs) => ({ ...quiet, ...known.get(atMs), endMs: atMs + binMs }));
  // A calm moment before, so that the fall is seen.
  return [{ ...quiet, endMs: first.atMs }, ...rows];
}
