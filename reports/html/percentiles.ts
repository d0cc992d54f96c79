// Times by percentile, on an axis of nines: every tenfold rarer event takes the same room.
import { Histogram, percentileUs, type TimeStats } from '../../lib/metrics/histogram.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { count, ms, percent } from '../figures.ts';
import { latencyCell } from '../latency.ts';
import { type Markup, markup, type Part } from './markup.ts';
import { plotFigure, rounded, spansDecades } from './plot.ts';
import type { PlotBand, PlotLine } from './plot-spec.ts';

/** Points for every nine. */
const perNine = 40;
const mostNines = 9;

/** One distribution in the plot. */
interface Curve {
  label: string;
  stats: TimeStats;
  style: number;
}

/** Round trips counted from when messages were due, and from when they were sent. */
export function percentileFigure(result: StressResult): Markup | undefined {
  const { rtt, service } = result.metrics;
  const curves: Curve[] = [
    { label: 'round trip, intended', stats: rtt, style: 1 },
    { label: 'round trip, service', stats: service, style: 2 },
  ];
  const words = markup`${sentence('Round trip', result)} ${noReply(rtt)}`;
  return figure('Round trips by percentile', curves, lostBand(rtt), words);
}

/** Round trips before and after, one over the other. */
export function overlaidFigure(before: StressResult, after: StressResult): Markup | undefined {
  const curves: Curve[] = [
    { label: 'before', stats: before.metrics.rtt, style: 2 },
    { label: 'after', stats: after.metrics.rtt, style: 1 },
  ];
  const words = markup`${sentence('Before', before)} ${sentence('After', after)}`;
  return figure('Round trips before and after, by percentile', curves, [], words);
}

function figure(title: string, curves: readonly Curve[], bands: PlotBand[], words: Part): Markup | undefined {
  const drawable = curves.filter(({ stats }) => stats.hdr !== undefined && stats.count > 0);
  if (drawable.length === 0) return undefined;
  const to = Math.max(1, ...drawable.map(({ stats }) => endOf(stats)));
  const steps = Math.floor(to * perNine);
  const x = Array.from({ length: steps + 1 }, (_, index) => index / perNine);
  // The slowest of n samples stands for the quantiles from 1 − 1/n on: it is drawn in the middle of them.
  const ends = drawable.map(({ stats }) => lastNine(stats)).filter((end) => end <= to);
  const places = [...new Set([...x, ...ends])]
    .sort((one, other) => one - other)
    .map((at) => Number(at.toFixed(4)));
  const lines = drawable.map(({ label, stats, style }): PlotLine => {
    const histogram = Histogram.decode(stats.hdr ?? '');
    return { label, unit: 'ms', style, values: places.map((nine) => timeAt(histogram, stats, nine)) };
  });
  const log = spansDecades(lines.flatMap(({ values }) => values));
  return plotFigure(
    title,
    {
      axis: 'nines',
      x: places,
      lines,
      title: log ? 'ms, logarithmic' : 'ms',
      log,
      bands: bands.map((band) => ({ ...band, to: Math.min(band.to, to) })),
      range: [0, to],
    },
    markup`${words}${log && ' The axis of times is logarithmic.'}`,
  );
}

/** How far the axis goes for one distribution: to its slowest message, or a little into those without a time. */
function endOf(stats: TimeStats): number {
  const [lost] = lostBand(stats);
  return lost ? Math.min(lastNine(stats), lost.from + 0.6) : lastNine(stats);
}

/** Where the slowest message stands on the axis. */
function lastNine({ count: matched, censored }: TimeStats): number {
  return Math.min(mostNines, Math.log10(2 * (matched + censored)));
}

function timeAt(histogram: Histogram, stats: TimeStats, nine: number): number | null {
  if (nine > lastNine(stats) + 1e-3) return null;
  const us = percentileUs(histogram, 100 * (1 - 10 ** -nine), stats.censored);
  return us === null ? null : rounded(us / 1000);
}

/** The share of messages above which there is no time to show. */
function lostBand(stats: TimeStats): PlotBand[] {
  const { count: matched, censored } = stats;
  if (censored === 0 || matched === 0) return [];
  return [
    { from: Math.log10((matched + censored) / censored), to: mostNines, label: 'no reply', tinted: true },
  ];
}

function noReply({ count: matched, censored }: TimeStats): string {
  if (censored === 0) return `All ${count(matched)} messages that were due were answered.`;
  const share = matched / (matched + censored);
  return `The lines end at ${percent(share)}: ${count(censored)} of ${count(matched + censored)} messages got no reply or were never sent, and rank above every time.`;
}

function sentence(name: string, result: StressResult): string {
  const { rtt } = result.metrics;
  const at = (stat: 'p50' | 'p99' | 'p999' | 'max'): string => {
    const cell = latencyCell(result, rtt, stat, 'no figure');
    return rtt[stat] === null ? cell : `${ms(rtt[stat])} ms`;
  };
  return `${name}: p50 ${at('p50')}, p99 ${at('p99')}, p99.9 ${at('p999')}, max ${at('max')}.`;
}
