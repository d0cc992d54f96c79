// Saved runs: `.wsbench/runs/` below the working directory, the newest 50.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../lib/result/result.ts';

const folder = join('.wsbench', 'runs');
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
  const runs = join(cwd, folder);
  mkdirSync(runs, { recursive: true });
  const ignore = join(cwd, '.wsbench', '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  const name = freeName(runs, result.run.id);
  for (const file of [name, 'latest.json']) {
    // Renamed into place: a reader never sees half a file, whatever happens to the disk or to us.
    const temporary = join(runs, `.${file}.${process.pid}.tmp`);
    try {
      writeFileSync(temporary, text, { flush: true });
      renameSync(temporary, join(runs, file));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }
  const old = readdirSync(runs)
    .filter((file) => /^\d{4}-.*\.json$/.test(file))
    .sort()
    .slice(0, -keep);
  for (const file of old) rmSync(join(runs, file), { force: true });
  return join(folder, name);
}

function freeName(runs: string, id: string): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? `${id}.json` : `${id}-${n}.json`;
    if (!existsSync(join(runs, name))) return name;
  }
}
