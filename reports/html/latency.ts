// Round trips: the plot by percentile, and the table of all times.
import type { StressResult } from '../../lib/result/result.ts';
import { count, lostText, timeoutMs } from '../figures.ts';
import {
  anyLost,
  connectRows,
  type LatencyStat,
  latencyCell,
  latencyRows,
  modelNote,
  statTitles,
} from '../latency.ts';
import { type Markup, markup } from './markup.ts';
import { percentileFigure } from './percentiles.ts';
import { type Column, table } from './table.ts';

const stats: readonly LatencyStat[] = ['min', 'p50', 'p90', 'p95', 'p99', 'p999', 'max', 'mean'];

/** All times of a run. */
export function latencyBody(result: StressResult): Markup {
  const note = modelNote(result);
  const lost = lostText(timeoutMs(result));
  return markup`${percentileFigure(result)}${latencyTable(result)}${anyLost(result) && markup`<p class="note">${lost}: that rank is a message that was lost or never sent, not a time.</p>\n`}${note !== undefined && markup`<p class="note">${note}</p>\n`}`;
}

function latencyTable(result: StressResult): Markup {
  const parts = connectRows.filter(({ metric }) => result.metrics[metric].count > 0);
  const columns: Column[] = [
    { head: 'Time in ms' },
    ...stats.map((stat): Column => ({ head: statTitles[stat], align: 'right' })),
    { head: 'Count', align: 'right' },
    { head: 'No reply', align: 'right' },
  ];
  const rows = [...latencyRows, ...parts].map(({ metric, title }) => {
    const figures = result.metrics[metric];
    const cells = stats.map((stat) => latencyCell(result, figures, stat, '–'));
    return { cells: [title, ...cells, count(figures.count), count(figures.censored)] };
  });
  return table('Times, in milliseconds', columns, rows);
}
