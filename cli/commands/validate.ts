// wsbench validate: are these files as they should be?
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { issueLine, type ValidatedFile, validateFile } from '../../lib/index.ts';
import { redactText } from '../../lib/result/redact.ts';
import { newCommand } from '../command.ts';
import { type Io, note } from '../io.ts';

interface ValidateFlags {
  json?: boolean;
}

/** The `validate` command. */
export function validateCommand(io: Io): Command {
  return newCommand('validate', io)
    .description('check target files and scenario files; nothing is sent')
    .argument('<file...>', 'target files, and scenario files (those with a kind)')
    .option('--json', 'print what was found as JSON')
    .action((files: string[], flags: ValidateFlags) => run(files, flags, io));
}

function run(files: string[], flags: ValidateFlags, io: Io): void {
  const checked = files.map((file) => validateFile(resolve(io.cwd, file), file));
  const text = flags.json ? `${JSON.stringify(checked, null, 2)}\n` : checked.map(report).join('');
  io.stdout.write(redactText(text));
  const wrong = checked.filter(({ issues }) => issues.length > 0);
  if (wrong.length === 0) return;
  const mistakes = wrong.reduce((sum, { issues }) => sum + issues.length, 0);
  note(
    io,
    `exit 2: ${mistakes} mistake${mistakes === 1 ? '' : 's'} in ${wrong.length} of ${files.length} files`,
  );
  io.exit(2);
}

function report({ file, kind, name, issues }: ValidatedFile): string {
  if (issues.length === 0) return `${file}: valid ${kind}${name === null ? '' : ` "${name}"`}\n`;
  return issues.map((issue) => `${issueLine(issue, file)}\n${issue.excerpt}\n`).join('');
}
