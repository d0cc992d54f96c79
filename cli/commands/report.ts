// wsbench report: one document out of saved results.
import { type Command, Option } from 'commander';
import { WsbenchError } from '../../lib/errors.ts';
import type { Result } from '../../lib/result/result.ts';
import { autobahnIndex, fileReport, reporters } from '../../reports/index.ts';
import { newCommand } from '../command.ts';
import { terminalStyle } from '../finish.ts';
import type { Io } from '../io.ts';
import { recoverRuns } from '../journals.ts';
import { collect } from '../options.ts';
import { openReports, openText, stdoutPath } from '../report-files.ts';
import { readResult } from '../saved-result.ts';
import { printable } from '../workflow-commands.ts';

interface ReportFlags {
  recover?: boolean;
  output?: string[];
  format?: keyof typeof reporters;
  index?: string;
  verbose?: boolean;
  color?: boolean;
}

/** The `report` command. */
export function reportCommand(io: Io): Command {
  return newCommand('report', io)
    .description('text, markdown, HTML, JUnit, CSV or JSON from saved results; several become one document')
    .argument('[file...]', 'results (.json), or "latest"; with --recover journals, or none for all')
    .option('--recover', 'save what runs that were killed had counted, and report it')
    .option('-o, --output <file>', 'write a report; the extension says which (repeatable)', collect)
    .addOption(
      new Option('--format <name>', 'what to print on stdout (default: text, unless -o is given)').choices(
        Object.keys(reporters),
      ),
    )
    .option('--index <file>', "write Autobahn's index.json, of results of conform")
    .option('-v, --verbose', 'all there is to say: failed cases with their wire logs, each second of a load')
    .option('--no-color', 'no colours')
    .action((files: string[], flags: ReportFlags) => run(files, flags, io));
}

function run(files: string[], flags: ReportFlags, io: Io): void {
  if (files.length === 0 && !flags.recover) {
    throw new WsbenchError('USAGE', 'which results? Give files (.json), or "latest"');
  }
  const results = flags.recover ? recoverRuns(files, io) : files.map((file) => readResult(file, io));
  const reports = openReports(flags.output ?? [], io.cwd);
  const index = flags.index === undefined ? undefined : openIndex(flags.index, results, io);
  // All of them are made before the first is written: one that cannot be made leaves no file behind.
  const texts = reports.map(({ reporter }) => reporter(results, fileReport));
  const style = { ...terminalStyle(io, flags.color), verbose: flags.verbose ?? false };
  const isAsked = flags.format !== undefined || flags.output?.includes(stdoutPath);
  if (isAsked || (reports.length === 0 && !index)) {
    const { format = 'text' } = flags;
    const text = reporters[format].report(results, style);
    io.stdout.write(format === 'text' ? printable(text, io.env) : text);
  }
  for (const [at, report] of reports.entries()) report.write(texts[at] ?? '');
  index?.write();
}

/** Autobahn's index of all servers of the results. @throws WsbenchError `USAGE` when there is none in them */
function openIndex(path: string, results: readonly Result[], io: Io): { write: () => void } {
  const conformance = results.filter((result) => result.kind === 'conform');
  if (conformance.length === 0)
    throw new WsbenchError('USAGE', '--index: none of these is a result of wsbench conform');
  const file = openText(path, io.cwd);
  return { write: () => file.write(autobahnIndex(...conformance)) };
}
