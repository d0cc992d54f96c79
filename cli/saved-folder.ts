// The folder `.wsbench` below the working directory, and what git sees of it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const name = '.wsbench';
// Runs are many and large; a baseline is one file that a team may want to share.
const ignored = '*\n!/baselines/\n!/baselines/*.json\n';
/** What earlier versions wrote, which hides baselines, too. */
const formerlyIgnored = '*\n';

/** A folder in `.wsbench`, relative to the working directory. */
export function savedFolder(folder: 'runs' | 'baselines'): string {
  return join(name, folder);
}

/**
 * Makes that folder, and the `.gitignore` beside it.
 *
 * @returns its whole path
 * @throws the file system's error
 */
export function makeSavedFolder(folder: 'runs' | 'baselines', cwd: string): string {
  const path = join(cwd, savedFolder(folder));
  mkdirSync(path, { recursive: true });
  const ignore = join(cwd, name, '.gitignore');
  if (!existsSync(ignore) || readFileSync(ignore, 'utf8') === formerlyIgnored) writeFileSync(ignore, ignored);
  return path;
}
