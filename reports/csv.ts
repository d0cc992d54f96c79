// CSV (RFC 4180), for spreadsheets and other tools: the seconds of a load, or checks, or verdicts.
import { WsbenchError } from '../lib/errors.ts';
import type { ConformResult, QuickResult, RecoveryRecord, StressResult } from '../lib/result/result.ts';
import { failsRun } from '../lib/result/verdicts.ts';
import { type CsvCell, csvTable } from './csv-table.ts';
import type { Reporter } from './reporter.ts';

/**
 * Renders results of one kind as one table with a head: of `stress` a row a second, of `quick` a row a check, of `conform`
 * a row a case and server. Every row begins with the id of its run.
 *
 * @throws WsbenchError `USAGE` for results of several kinds: they have no columns in common
 */
export const csv: Reporter = (results) => {
  const kinds = [...new Set(results.map(({ kind }) => kind))];
  if (kinds.length > 1) {
    throw new WsbenchError(
      'USAGE',
      `CSV is one table, and ${kinds.join(' and ')} have different columns: give results of one kind`,
    );
  }
  switch (kinds[0]) {
    case 'quick':
      return csvTable(
        checkColumns,
        results.flatMap((result) => (result.kind === 'quick' ? checks(result) : [])),
      );
    case 'conform':
      return csvTable(
        caseColumns,
        results.flatMap((result) => (result.kind === 'conform' ? cases(result) : [])),
      );
    default:
      return csvTable(
        secondColumns,
        results.flatMap((result) => (result.kind === 'stress' ? seconds(result) : [])),
      );
  }
};

// Names of columns are for programs: they stay, and new columns come at the end.
const secondColumns = [
  'run',
  'phase',
  'start_s',
  'length_s',
  'due_matched',
  'due_rejected',
  'due_lost',
  'due_unsent',
  'due_rtt_p50_ms',
  'due_rtt_p99_ms',
  'due_rtt_max_ms',
  'wall_sent',
  'wall_received',
  'wall_open_connections',
  'wall_lost_connections',
  'wall_reconnect_attempts',
  'wall_connections_back',
];

/** A row for each second that is in either series; what the other one does not have stays empty. */
function seconds(result: StressResult): CsvCell[][] {
  const { run, series, phases } = result;
  const { due, wall, secondsPerRow = 1 } = series;
  const recovery = recoveryRows(result, secondsPerRow);
  const dueAt = new Map(due.map((row) => [row.second, row]));
  const wallAt = new Map(wall.map((row) => [row.second, row]));
  const all = [...new Set([...dueAt.keys(), ...wallAt.keys()])].sort((one, other) => one - other);
  return all.map((second) => {
    const d = dueAt.get(second);
    const w = wallAt.get(second);
    return [
      run.id,
      second * 1000 < phases.measureMs ? 'measure' : 'drain',
      second,
      secondsPerRow,
      ...[d?.matched, d?.rejected, d?.lost, d?.unsent, d?.p50, d?.p99, d?.max],
      ...[w?.sent, w?.received, w?.open],
      ...recoveryCells(recovery?.get(Math.floor(second / secondsPerRow))),
    ];
  });
}

type Returns = Pick<RecoveryRecord['series'][number], 'lost' | 'attempts' | 'back'>;

/** Losses and returns by row; undefined: connections were not asked to come back. */
function recoveryRows({ recovery }: StressResult, secondsPerRow: number): Map<number, Returns> | undefined {
  if (!recovery) return undefined;
  const rows = new Map<number, Returns>();
  for (const { atMs, lost, attempts, back } of recovery.series) {
    const row = Math.floor(atMs / 1000 / secondsPerRow);
    const known = rows.get(row) ?? { lost: 0, attempts: 0, back: 0 };
    rows.set(row, {
      lost: known.lost + lost,
      attempts: known.attempts + attempts,
      back: known.back + back,
    });
  }
  return rows.size > 0 ? rows : undefined;
}

const recoveryCells = (row: Returns | undefined): CsvCell[] => [row?.lost, row?.attempts, row?.back];

const checkColumns = [
  'run',
  'check',
  'title',
  'status',
  'duration_ms',
  'detail',
  'expected',
  'got',
  'reproduce',
];

function checks({ run, checks: all }: QuickResult): CsvCell[][] {
  return all.map(({ id, title, status, durationMs, detail, expected, got, reproduce }) => [
    ...[run.id, id, title, status, status === 'skipped' ? null : durationMs],
    ...[detail, expected, got, reproduce],
  ]);
}

const caseColumns = [
  'run',
  'server',
  'case',
  'title',
  'result',
  'behavior',
  'behavior_close',
  'remote_close_code',
  'duration_ms',
  'spec',
  'expected',
  'got',
  'reproduce',
];

/** Cases that did not run are rows as well: a table that lacks them would look complete. */
function cases({ run, agents, failOn }: ConformResult): CsvCell[][] {
  return agents.flatMap(({ name, verdicts, notRun }) => [
    ...verdicts.map((verdict) => [
      ...[run.id, name, verdict.caseId, verdict.title],
      ...[failsRun(verdict, failOn) ? 'failed' : 'passed', verdict.behavior, verdict.behaviorClose],
      ...[verdict.remoteCloseCode, verdict.durationMs, verdict.spec],
      ...[verdict.expected, verdict.got, verdict.reproduce],
    ]),
    ...(notRun?.caseIds ?? []).map((id) => [
      ...[run.id, name, id, null, 'not run', null, null, null, null, null, null, notRun?.reason, null],
    ]),
  ]);
}
