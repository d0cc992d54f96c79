// What the load engine is meant to reach, held against a run of the benchmark. Told, never enforced: machines differ.
import { median } from './median.ts';
import type { Row } from './table.ts';

const title100 = 'closed, 100 × 32 B';

/** A line for each goal that the rows say something of. */
export function goals(rows: readonly Row[]): string[] {
  const cpu = (title: string, tool: RegExp): number =>
    median(
      rows
        .filter((row) => row.load.title === title && tool.test(row.tool))
        .flatMap(({ samples }) => samples.map(({ cpuUs }) => cpuUs)),
    );
  const native = rows.filter((row) => row.tool === 'wsbench native');
  const ratio = (name: string, tool: RegExp, most: number): string[] => {
    const value = cpu(title100, /^wsbench native$/) / cpu(title100, tool);
    if (Number.isNaN(value)) return [];
    return [line(`CPU per round trip, ${title100}, native ÷ ${name}`, value, most, value <= most)];
  };
  const open = (connections: number, figures: (row: Row) => [string, number, number, boolean][]): string[] =>
    native
      .filter(({ load }) => load.ratePerSecond !== undefined && load.connections === connections)
      .flatMap((row) =>
        figures(row).map(([what, value, wanted, met]) =>
          line(`${row.load.title}, native: ${what}`, value, wanted, met),
        ),
      );
  const lagOf = (row: Row): number =>
    median(row.samples.map(({ summary }) => summary?.sendLagP99Ms ?? Number.NaN));
  return [
    ...ratio('bare ws', /^bare ws$/, 0.7),
    ...ratio('bare ws with Buffers', /^bare ws, Buffer$/, 0.7),
    ...ratio('k6', /^k6 /, 0.25),
    ...ratio('uWebSockets load_test', /^uWebSockets/, 1.15),
    ...ratio('epoll loop in C', /^epoll/, 1.15),
    ...open(10, (row) => {
      const us = median(row.samples.map(({ cpuUs }) => cpuUs));
      const lag = lagOf(row);
      return [
        ['µs CPU each', us, 4, us <= 4],
        ['send lag p99, ms', lag, 2, lag <= 2],
      ];
    }),
    ...open(100, (row) => {
      const perSecond = median(row.samples.map((sample) => sample.perSecond));
      const lag = lagOf(row);
      return [
        ['thousands of round trips/s', perSecond / 1000, 300, perSecond >= 299_000],
        ['send lag p99, ms', lag, 5, lag <= 5],
      ];
    }),
  ];
}

function line(what: string, value: number, wanted: number, met: boolean): string {
  return `- ${met ? 'met' : 'NOT met'}: ${what}: ${value.toFixed(2)} (goal ${wanted})`;
}
