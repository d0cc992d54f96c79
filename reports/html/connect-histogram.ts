// How long connecting took: a table of bars, to be read without any script.
import { Histogram, type TimeStats } from '../../lib/metrics/histogram.ts';
import { count, ms, percent } from '../figures.ts';
import { type Markup, markup } from './markup.ts';
import { table } from './table.ts';

const most = 12;

/** Connections by connect time, in steps that grow with it; undefined: none opened. */
export function connectHistogram({ hdr, count: connections }: TimeStats): Markup | undefined {
  if (hdr === undefined || connections === 0) return undefined;
  const bins = binsOf(Histogram.decode(hdr));
  const highest = Math.max(...bins.map(({ connections: n }) => n));
  const rows = bins.map(({ toUs, connections: n }) => {
    const width = ((100 * n) / highest).toFixed(1);
    return {
      cells: [
        `≤ ${ms(toUs / 1000)} ms`,
        markup`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect x="0" y="1" width="${width}" height="8"/></svg>`,
        count(n),
        percent(n / connections),
      ],
    };
  });
  return table(
    'Connect times',
    [
      { head: 'Connected in' },
      { head: '' },
      { head: 'Connections', align: 'right' },
      { head: 'Share', align: 'right' },
    ],
    rows,
  );
}

interface Bin {
  toUs: number;
  connections: number;
}

/** Steps of equal ratio from the fastest to the slowest. */
function binsOf(histogram: Histogram): Bin[] {
  const { minUs, maxUs, count: total } = histogram;
  const steps = Math.max(1, Math.min(most, Math.ceil(4 * Math.sqrt(total)), Math.round(maxUs - minUs)));
  const bins: Bin[] = [];
  let below = 0;
  for (let step = 1; step <= steps; step++) {
    const toUs = step === steps ? maxUs : Math.round(minUs * (maxUs / minUs) ** (step / steps));
    const upTo = atMost(histogram, toUs);
    bins.push({ toUs, connections: upTo - below });
    below = upTo;
  }
  return bins;
}

/** How many times are at most so long: the last rank that is not above it. */
function atMost(histogram: Histogram, us: number): number {
  let [from, to] = [0, histogram.count];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if (histogram.valueAtRank(middle) <= us) from = middle;
    else to = middle - 1;
  }
  return from;
}
