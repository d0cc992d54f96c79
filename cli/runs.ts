// Saved runs: `.wsbench/runs/` below the working directory, the newest 50.
import { existsSync, linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../lib/result/result.ts';
import { makeSavedFolder, savedFolder } from './saved-folder.ts';

const folder = savedFolder('runs');
const keep = 50;

/** Path of the run that was saved last. */
export function latestRun(cwd: string): string {
  return join(cwd, folder, 'latest.json');
}

/**
 * Saves a result and forgets all but the newest 50.
 *
 * @returns the path it was saved under, relative to `cwd`
 * @throws the file system's error
 */
export function saveRun(result: Result, text: string, cwd: string): string {
  const runs = makeSavedFolder('runs', cwd);
  // Written apart and then named: a reader never sees half a file, whatever happens to the disk or to us.
  const temporary = join(runs, `.${result.run.id}.${process.pid}.tmp`);
  let name: string;
  try {
    writeFileSync(temporary, text, { flush: true });
    name = nameOnce(runs, result.run.id, temporary);
    writeFileSync(temporary, text, { flush: true });
    renameSync(temporary, join(runs, 'latest.json'));
  } finally {
    rmSync(temporary, { force: true });
  }
  for (const file of runFiles(runs).slice(0, -keep)) rmSync(join(runs, file), { force: true });
  return join(folder, name);
}

/** Paths of all saved runs, relative to `cwd`, the oldest first. */
export function savedRuns(cwd: string): string[] {
  const runs = join(cwd, folder);
  return existsSync(runs) ? runFiles(runs).map((file) => join(folder, file)) : [];
}

function runFiles(runs: string): string[] {
  return readdirSync(runs)
    .filter((file) => /^\d{4}-.*\.json$/.test(file))
    .sort();
}

/** Names a file after a run, with a number when another run of the same second, perhaps of another process, has the name. */
function nameOnce(runs: string, id: string, file: string): string {
  for (let n = 1; ; n++) {
    // `_` sorts behind `.`: names still sort by age.
    const name = n === 1 ? `${id}.json` : `${id}_${n}.json`;
    const place = join(runs, name);
    if (existsSync(place)) continue;
    try {
      // Unlike a rename, a link never replaces what is there.
      linkSync(file, place);
      rmSync(file);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
      // A file system without links.
      renameSync(file, place);
    }
    return name;
  }
}
