// The saved runs, as a list.
import type { Outcome, Result, StressResult } from '../lib/result/result.ts';
import { figure, lostText, ms, timeoutMs } from './figures.ts';
import { type Ink, inkFor } from './ink.ts';
import { jsonText } from './json.ts';
import type { ReportOptions } from './reporter.ts';
import { score } from './verdict.ts';
import { displayWidth, fit } from './width.ts';

/** One saved run or baseline. */
export interface ListedRun {
  /** Where it is. */
  file: string;
  result: Result;
  /** The baselines that are this run; of a baseline, its own name. */
  baselines: readonly string[];
}

/** What is saved in a folder. */
export interface RunList {
  /** The newest first. */
  runs: readonly ListedRun[];
  /** Baselines whose run is not among the runs. */
  baselines: readonly ListedRun[];
  /** What is no result, and why. */
  unreadable: readonly { file: string; message: string }[];
}

/** The one figure by which runs are told apart: `p99 8.71 ms at 100/s`, `28 of 28 checks passed in 9.9 s`. */
export function keyFigure(result: Result): string {
  if (result.kind !== 'stress') return score(result);
  const { p99, count, censored } = result.metrics.rtt;
  if (count + censored === 0) return score(result);
  const time = p99 === null ? lostText(timeoutMs(result)) : `${ms(p99)} ms`;
  const rate = result.derived.throughput;
  return `p99 ${time}${rate === null ? '' : ` at ${figure(rate)}/s`}`;
}

/** Renders the list for a terminal. */
export function runList(list: RunList, options: ReportOptions): string {
  const ink = inkFor(options);
  const lines: string[] = [];
  if (list.runs.length > 0) lines.push(...entries(list.runs, ink));
  else
    lines.push(
      ...ink.labelled('', 'No saved runs in .wsbench/runs: wsbench quick or wsbench stress makes one.', 0),
    );
  if (list.baselines.length > 0) {
    lines.push('', ...ink.labelled('', 'Baselines of other runs:', 0), ...entries(list.baselines, ink));
  }
  for (const { file, message } of list.unreadable) {
    lines.push(...ink.labelled(ink.mark('warned'), ink.safe(`${file}: ${message}`, 500), ink.markWidth));
  }
  return `${lines.join('\n')}\n`;
}

/** An entry a run: a table would have to cut addresses. */
function entries(runs: readonly ListedRun[], ink: Ink): string[] {
  const ids = runs.map(({ result }) => fit(ink.safe(result.run.id, 60), mostIdColumns, ink.unicode));
  const columns = Math.max(...ids.map(displayWidth)) + 2;
  return runs.flatMap(({ result, baselines }, at) => {
    const shards = result.run.mergedFrom?.length ?? 0;
    const parts = [
      ink.outcome(result.outcome, result.outcome),
      ink.safe(keyFigure(result), 100),
      result.target.embedded ? 'embedded server' : ink.safe(result.target.url, 200),
      ...(shards > 0 ? [`${shards} shards`] : []),
      ...(baselines.length > 0 ? [ink.paint('bold', `baseline ${baselines.join(', ')}`)] : []),
    ];
    return ink.listed(ids[at] ?? '', parts, columns);
  });
}

// Those of wsbench have at most 35 characters.
const mostIdColumns = 36;

/** The list as data. */
export function runListJson(list: RunList): string {
  const entry = ({ file, result, baselines }: ListedRun) => {
    const { run, kind, outcome } = result;
    const of: { outcome: Outcome; target: string } = { outcome, target: result.target.url };
    const derived = result.kind === 'stress' ? figures(result) : {};
    return {
      id: run.id,
      kind,
      ...of,
      startedAt: run.startedAt,
      figure: keyFigure(result),
      ...derived,
      file,
      baselines,
    };
  };
  const data = {
    runs: list.runs.map(entry),
    baselines: list.baselines.map(entry),
    unreadable: list.unreadable,
  };
  return jsonText(data);
}

function figures({ metrics, derived }: StressResult) {
  return { rttP99Ms: metrics.rtt.p99, throughput: derived.throughput };
}
