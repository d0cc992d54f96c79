// wsbench report: one document out of saved results.
import { type Command, Option } from 'commander';
import { WsbenchError } from '../../lib/errors.ts';
import { parseResult } from '../../lib/index.ts';
import { redactStrings } from '../../lib/result/redact.ts';
import type { Result } from '../../lib/result/result.ts';
import { fileReport, reporters } from '../../reports/index.ts';
import { newCommand } from '../command.ts';
import { terminalStyle } from '../finish.ts';
import type { Io } from '../io.ts';
import { collect, readText } from '../options.ts';
import { openReports, stdoutPath } from '../report-files.ts';
import { latestRun } from '../runs.ts';

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

/**
 * Reads a saved result, masking what an older version or another tool left in it; `latest` is the newest saved run.
 *
 * @throws WsbenchError `USAGE` when it cannot be read or is no result
 */
export function readResult(file: string, io: Io): Result {
  const path = file === 'latest' ? latestRun(io.cwd) : file;
  try {
    return redactStrings(parseResult(readText(path, 'result', io), file));
  } catch (error) {
    if (file !== 'latest' || !(error instanceof WsbenchError)) throw error;
    throw new WsbenchError(
      'USAGE',
      'there is no saved run here yet: run wsbench quick or wsbench stress first',
      {
        cause: error,
      },
    );
  }
}
