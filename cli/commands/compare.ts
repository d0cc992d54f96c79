// wsbench compare: is it better or worse than before?
import type { Command } from 'commander';
import { compareResults } from '../../lib/index.ts';
import { comparisonMarkdown, comparisonText, fileReport, html } from '../../reports/index.ts';
import { newCommand } from '../command.ts';
import { terminalStyle } from '../finish.ts';
import { type Io, note } from '../io.ts';
import { collect } from '../options.ts';
import { openText, outputPaths } from '../report-files.ts';
import { readResult } from './report.ts';

interface CompareFlags {
  output?: string[];
  json?: boolean;
  color?: boolean;
}

/** The `compare` command. */
export function compareCommand(io: Io): Command {
  return newCommand('compare', io)
    .description('before, after and change of two results')
    .argument('<before>', 'result (.json)')
    .argument('<after>', 'result (.json), or "latest"')
    .option('-o, --output <file>', 'write a report: .md, .html, .json or .txt (repeatable)', collect)
    .option('--json', 'print the comparison as JSON')
    .option('--no-color', 'no colours')
    .action((before: string, after: string, flags: CompareFlags) => run(before, after, flags, io));
}

function run(before: string, after: string, flags: CompareFlags, io: Io): void {
  const style = terminalStyle(io, flags.color);
  const results = [readResult(before, io), readResult(after, io)] as const;
  const comparison = compareResults(...results);
  const files = outputPaths(flags.output ?? [], io.cwd).map((path) =>
    openText(path, io.cwd, ['.md', '.html', '.json', '.txt']),
  );
  const json = `${JSON.stringify(comparison, null, 2)}\n`;
  io.stdout.write(flags.json ? json : comparisonText(comparison, style));
  for (const file of files) {
    const path = file.path.toLowerCase();
    if (path.endsWith('.json')) file.write(json);
    else if (path.endsWith('.md')) file.write(comparisonMarkdown(comparison));
    else if (path.endsWith('.html')) file.write(html(results, { ...fileReport, comparison }));
    else file.write(comparisonText(comparison, fileReport));
  }
  if (comparison.regressions.length > 0) {
    note(io, `exit 1: ${comparison.regressions.join('; ')}`);
    io.exit(1);
  }
}
