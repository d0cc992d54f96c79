// The tables that the round-trip benchmark prints, in Markdown.
import type { Case } from './cases.ts';
import type { Sample } from './measure.ts';
import { median, withRange } from './median.ts';

/** All runs of one tool under one load. */
export interface Row {
  load: Case;
  tool: string;
  samples: readonly Sample[];
}

const columns: readonly [string, (samples: readonly Sample[], row: Row) => string][] = [
  ['round trips/s', (samples) => thousands(median(samples.map(({ perSecond }) => perSecond)))],
  ['µs CPU each', (samples) => withRange(of(samples, 'cpuUs'), 2)],
  ['of it kernel', (samples) => median(of(samples, 'kernelUs')).toFixed(2)],
  ['per core and s', (samples) => thousands(1e6 / median(of(samples, 'cpuUs')))],
  ['cores', (samples) => median(of(samples, 'generatorCpu')).toFixed(2)],
  ['server’s cores', (samples) => median(of(samples, 'serverCpu')).toFixed(2)],
  ['send lag p99', (samples) => ms(samples, (sample) => sample.summary?.sendLagP99Ms)],
  ['rtt p99', (samples) => ms(samples, (sample) => sample.summary?.rttP99Ms)],
  ['RSS', (samples) => `${(median(of(samples, 'rssBytes')) / 2 ** 20).toFixed(0)} MiB`],
  [
    'connects/s',
    (samples, { load }) => (load.connections > 1 ? thousands(median(of(samples, 'connectsPerSecond'))) : '–'),
  ],
  ['held up', (samples) => heldUp(samples)],
];

/** One table a load. */
export function tables(rows: readonly Row[]): string {
  const lines: string[] = [];
  for (const load of new Set(rows.map((row) => row.load))) {
    lines.push('', `### ${load.title}`, '');
    lines.push(`| | ${columns.map(([title]) => title).join(' | ')} |`);
    lines.push(`|---|${columns.map(() => '---:').join('|')}|`);
    for (const row of rows) {
      if (row.load !== load) continue;
      lines.push(`| ${row.tool} | ${columns.map(([, cell]) => cell(row.samples, row)).join(' | ')} |`);
    }
  }
  return lines.join('\n');
}

/** In how many of the runs wsbench found itself to be the bottleneck. */
function heldUp(samples: readonly Sample[]): string {
  const told = samples.filter(({ summary }) => summary !== undefined);
  if (told.length === 0) return '–';
  return `${told.filter(({ summary }) => summary?.limited).length} of ${told.length}`;
}

type Figure = 'cpuUs' | 'kernelUs' | 'rssBytes' | 'generatorCpu' | 'serverCpu' | 'connectsPerSecond';

function of(samples: readonly Sample[], figure: Figure): number[] {
  return samples.map((sample) => sample[figure]);
}

function ms(samples: readonly Sample[], figure: (sample: Sample) => number | null | undefined): string {
  const values = samples.map(figure).filter((value) => typeof value === 'number');
  return values.length === 0 ? '–' : `${withRange(values, 2)} ms`;
}

function thousands(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';
}
