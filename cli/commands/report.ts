// wsbench report: one document out of saved results.
import { type Command, Option } from 'commander';
import { fileReport, reporters } from '../../reports/index.ts';
import { newCommand } from '../command.ts';
import { terminalStyle } from '../finish.ts';
import type { Io } from '../io.ts';
import { collect } from '../options.ts';
import { openReports, stdoutPath } from '../report-files.ts';
import { readResult } from '../saved-result.ts';

interface ReportFlags {
  output?: string[];
  format?: keyof typeof reporters;
  verbose?: boolean;
  color?: boolean;
}

/** The `report` command. */
export function reportCommand(io: Io): Command {
  return newCommand('report', io)
    .description('text, markdown, HTML, JUnit or JSON from saved results; several become one document')
    .argument('<file...>', 'results (.json), or "latest"')
    .option('-o, --output <file>', 'write a report; the extension says which (repeatable)', collect)
    .addOption(
      new Option('--format <name>', 'what to print on stdout (default: text, unless -o is given)').choices(
        Object.keys(reporters),
      ),
    )
    .option('-v, --verbose', 'all there is to say: failed cases with their wire logs, each second of a load')
    .option('--no-color', 'no colours')
    .action((files: string[], flags: ReportFlags) => run(files, flags, io));
}

function run(files: string[], flags: ReportFlags, io: Io): void {
  const results = files.map((file) => readResult(file, io));
  const reports = openReports(flags.output ?? [], io.cwd);
  const style = { ...terminalStyle(io, flags.color), verbose: flags.verbose ?? false };
  if (reports.length === 0 || flags.format !== undefined || flags.output?.includes(stdoutPath)) {
    io.stdout.write(reporters[flags.format ?? 'text'].report(results, style));
  }
  for (const report of reports) report.write(report.reporter(results, fileReport));
}
