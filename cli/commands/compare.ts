// wsbench compare: is it better or worse than before?
import type { Command } from 'commander';
import { WsbenchError } from '../../lib/errors.ts';
import { compareResults } from '../../lib/index.ts';
import type { Result } from '../../lib/result/result.ts';
import {
  comparisonFailures,
  comparisonJunit,
  comparisonMarkdown,
  comparisonText,
  fileReport,
  html,
  jsonText,
} from '../../reports/index.ts';
import { readBaseline } from '../baselines.ts';
import { newCommand } from '../command.ts';
import { terminalStyle } from '../finish.ts';
import { type Io, note } from '../io.ts';
import { collect } from '../options.ts';
import { openText, outputPaths } from '../report-files.ts';
import { readResult } from '../saved-result.ts';
import { printable } from '../workflow-commands.ts';

interface CompareFlags {
  baseline?: string;
  failOn?: string[];
  output?: string[];
  json?: boolean;
  color?: boolean;
}

/** The `compare` command. */
export function compareCommand(io: Io): Command {
  return newCommand('compare', io)
    .description('before, after, change and its interval of two results')
    .argument('[before]', 'result (.json), or "latest"; left out with --baseline')
    .argument('[after]', 'result (.json), or "latest"')
    .option(
      '--baseline <name>',
      'compare with a baseline, a result file, or "latest"; then "after" may be left out',
    )
    .option('--fail-on <change>', "a change that fails, such as 'rtt.p99>+10%' (repeatable)", collect)
    .option('-o, --output <file>', 'write a report: .md, .html, .json, .xml or .txt (repeatable)', collect)
    .option('--json', 'print the comparison as JSON')
    .option('--no-color', 'no colours')
    .action((first: string | undefined, second: string | undefined, flags: CompareFlags) =>
      run(first, second, flags, io),
    );
}

function run(first: string | undefined, second: string | undefined, flags: CompareFlags, io: Io): void {
  const style = terminalStyle(io, flags.color);
  const [before, after] = sides(first, second, flags, io);
  const comparison = compareResults(before, after, { failOn: flags.failOn ?? [] });
  const files = outputPaths(flags.output ?? [], io.cwd).map((path) =>
    openText(path, io.cwd, ['.md', '.html', '.json', '.xml', '.txt']),
  );
  const json = jsonText(comparison);
  io.stdout.write(flags.json ? json : printable(comparisonText(comparison, style), io.env));
  for (const file of files) {
    const path = file.path.toLowerCase();
    if (path.endsWith('.json')) file.write(json);
    else if (path.endsWith('.md')) file.write(comparisonMarkdown(comparison));
    else if (path.endsWith('.xml')) file.write(comparisonJunit(comparison));
    else if (path.endsWith('.html')) file.write(html([before, after], { ...fileReport, comparison }));
    else file.write(comparisonText(comparison, fileReport));
  }
  const failures = comparisonFailures(comparison);
  if (failures.length > 0) {
    note(io, `exit 1: ${failures.join('; ')}`);
    io.exit(1);
  }
}

function sides(
  first: string | undefined,
  second: string | undefined,
  { baseline }: CompareFlags,
  io: Io,
): [before: Result, after: Result] {
  if (baseline === undefined) {
    if (first !== undefined && second !== undefined) return [readResult(first, io), readResult(second, io)];
    throw new WsbenchError('USAGE', 'give two results, or one and --baseline; see wsbench compare --help');
  }
  if (second !== undefined) {
    throw new WsbenchError('USAGE', 'with --baseline, give one result or none; see wsbench compare --help');
  }
  const after = first ?? 'latest';
  if (baseline === after) {
    throw new WsbenchError('USAGE', `--baseline: ${after} would be compared with itself; name another`);
  }
  return [readBaseline(baseline, io), readResult(after, io)];
}
