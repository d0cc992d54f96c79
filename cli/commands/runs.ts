// wsbench runs: what was run here, and which of it is kept as a baseline.
import type { Command } from 'commander';
import { messageOf, WsbenchError } from '../../lib/errors.ts';
import type { Result } from '../../lib/result/result.ts';
import { fileReport, json, type ListedRun, type RunList, runList, runListJson } from '../../reports/index.ts';
import { baselineName, baselineNames, baselinePath, saveBaseline } from '../baselines.ts';
import { newCommand } from '../command.ts';
import { terminalStyle } from '../finish.ts';
import { type Io, note } from '../io.ts';
import { leftJournals } from '../journals.ts';
import { savedRuns } from '../runs.ts';
import { readResult } from '../saved-result.ts';

interface RunsFlags {
  saveBaseline?: string;
  json?: boolean;
  color?: boolean;
}

/** The `runs` command. */
export function runsCommand(io: Io): Command {
  return newCommand('runs', io)
    .description('saved runs, the newest first, and baselines')
    .argument('[file]', 'with --save-baseline: the result to keep (default latest)')
    .option(
      '--save-baseline <name>',
      'keep a saved run as a baseline, .wsbench/baselines/NAME.json, and stop',
    )
    .option('--json', 'print the list as JSON')
    .option('--no-color', 'no colours')
    .action((file: string | undefined, flags: RunsFlags) => run(file, flags, io));
}

function run(file: string | undefined, flags: RunsFlags, io: Io): void {
  if (flags.saveBaseline !== undefined) {
    const name = baselineName(flags.saveBaseline);
    const path = saveBaseline(name, json([readResult(file ?? 'latest', io)], fileReport), io.cwd);
    note(io, `Saved ${path}`);
    return;
  }
  if (file !== undefined) {
    throw new WsbenchError('USAGE', 'a file goes with --save-baseline; wsbench report FILE shows one');
  }
  const list = listRuns(io);
  const left = leftJournals(io.cwd).length;
  if (left > 0) {
    const what = left === 1 ? '1 run was killed' : `${left} runs were killed`;
    note(io, `${what}, and left a journal: wsbench report --recover`);
  }
  io.stdout.write(flags.json ? runListJson(list) : runList(list, terminalStyle(io, flags.color)));
}

function listRuns(io: Io): RunList {
  const unreadable: { file: string; message: string }[] = [];
  const read = (file: string): { file: string; result: Result }[] => {
    try {
      return [{ file, result: readResult(file, io) }];
    } catch (error) {
      unreadable.push({ file, message: messageOf(error).replace(`${file}: `, '') });
      return [];
    }
  };
  const kept = baselineNames(io.cwd).flatMap((name) =>
    read(baselinePath(name)).map((one) => ({ ...one, baselines: [name] })),
  );
  const isSame = (one: Result, other: Result): boolean =>
    one.run.id === other.run.id && one.run.startedAt === other.run.startedAt;
  const runs = savedRuns(io.cwd)
    .flatMap(read)
    .map((one): ListedRun => {
      const same = kept.filter(({ result }) => isSame(result, one.result));
      return { ...one, baselines: same.flatMap(({ baselines }) => baselines) };
    })
    .sort((a, b) => (a.result.run.startedAt < b.result.run.startedAt ? 1 : -1));
  const baselines = kept.filter(({ result }) => !runs.some((one) => isSame(one.result, result)));
  return { runs, baselines, unreadable };
}
