// wsbench merge: the shards of one load, from several generators, as one result.
import type { Command } from 'commander';
import { mergeResults } from '../../lib/index.ts';
import { type BaselineFlags, baselineFlags, openBaseline } from '../baseline-flags.ts';
import { newCommand } from '../command.ts';
import { finish } from '../finish.ts';
import type { Io } from '../io.ts';
import { collect } from '../options.ts';
import { openReports } from '../report-files.ts';
import { readResult } from '../saved-result.ts';

interface MergeFlags extends BaselineFlags {
  output?: string[];
  json?: boolean;
  color?: boolean;
}

/** The `merge` command. */
export function mergeCommand(io: Io): Command {
  const command = newCommand('merge', io)
    .description('the shards of one load as one result: counts and histograms added exactly')
    .argument('<file...>', 'stress results (.json) of equal plans, two or more');
  return baselineFlags(command)
    .optionsGroup('Output:')
    .option('-o, --output <file>', 'write a report; the extension says which (repeatable)', collect)
    .option('--json', 'print the result as JSON')
    .option('--no-color', 'no colours')
    .action((files: string[], flags: MergeFlags) => run(files, flags, io));
}

function run(files: string[], flags: MergeFlags, io: Io): void {
  const baseline = openBaseline(flags, 'stress', io);
  const result = mergeResults(files.map((name) => ({ name, result: readResult(name, io) })));
  const reports = openReports(flags.output ?? [], io.cwd);
  io.exit(finish(result, reports, { ...flags, save: false }, io, { baseline }));
}
