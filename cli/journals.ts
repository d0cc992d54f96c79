// Journals of runs: `.wsbench/runs/ID.PID.journal` while one goes on, and for good when it is killed.
import { createWriteStream, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { messageOf, WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import { recoverRun } from '../lib/index.ts';
import { redactStrings } from '../lib/result/redact.ts';
import type { StressResult } from '../lib/result/result.ts';
import { fileReport, json } from '../reports/index.ts';
import { type Io, note } from './io.ts';
import { saveRun } from './runs.ts';
import { makeSavedFolder, savedFolder } from './saved-folder.ts';

const folder = savedFolder('runs');
/** So many that nobody asked for are kept. */
const keep = 10;

/** The journal of the run of this process. */
export class JournalFile {
  readonly #io: Io;
  #path: string | undefined;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Begins it; a folder that cannot be written to costs the journal, not the run. */
  readonly open = (runId: string): Writable | undefined => {
    try {
      const runs = makeSavedFolder('runs', this.#io.cwd);
      for (const old of leftJournals(this.#io.cwd).slice(0, -keep))
        rmSync(join(this.#io.cwd, old), { force: true });
      this.#path = join(runs, `${runId}.${process.pid}.journal`);
      return createWriteStream(this.#path);
    } catch (error) {
      note(this.#io, `warning: no journal in ${folder}: ${fileTrouble(error)}`);
      return undefined;
    }
  };

  /** The run has said all there is. */
  remove(): void {
    try {
      if (this.#path !== undefined) rmSync(this.#path, { force: true });
    } catch {
      // It is still open, on a system that minds: the run is saved, and the journal one of those that are forgotten some day.
    }
  }
}

/** Whether this process would leave a journal if it ended now. */
export function hasJournal(cwd: string): boolean {
  const runs = join(cwd, folder);
  return existsSync(runs) && readdirSync(runs).some((file) => file.endsWith(`.${process.pid}.journal`));
}

/** Journals of runs whose process is gone, relative to `cwd`, the oldest first. */
export function leftJournals(cwd: string): string[] {
  const runs = join(cwd, folder);
  if (!existsSync(runs)) return [];
  return readdirSync(runs)
    .filter((file) => pidOf(file) !== undefined && !goesOn(file))
    .sort()
    .map((file) => join(folder, file));
}

/**
 * Makes results of journals and saves them as runs; the journals are removed then.
 *
 * @param files journals; all that are left here when there are none
 * @throws WsbenchError `USAGE` when there is nothing to recover, a file is no journal, or its run goes on
 */
export function recoverRuns(files: readonly string[], io: Io): StressResult[] {
  const results = files.length > 0 ? files.map((file) => readJournal(file, io.cwd)) : readLeft(io);
  return results.map(({ file, result }) => {
    note(io, `Saved ${saveRun(result, json([result], fileReport), io.cwd)}`);
    rmSync(resolve(io.cwd, file), { force: true });
    return result;
  });
}

interface Recovered {
  file: string;
  result: StressResult;
}

/** What is left, without what cannot be read: that is told, and hides nothing else. */
function readLeft(io: Io): Recovered[] {
  const failures: unknown[] = [];
  const found = leftJournals(io.cwd).flatMap((file): Recovered[] => {
    try {
      return [readJournal(file, io.cwd)];
    } catch (error) {
      failures.push(error);
      return [];
    }
  });
  if (found.length === 0) {
    const nothing = `--recover: no run was cut off here: there is no journal in ${folder} whose run is over`;
    throw failures[0] ?? new WsbenchError('USAGE', nothing);
  }
  for (const failure of failures) note(io, `warning: ${messageOf(failure)}`);
  return found;
}

function readJournal(file: string, cwd: string): Recovered {
  if (goesOn(basename(file))) {
    throw new WsbenchError('USAGE', `${file}: its run goes on, in process ${pidOf(basename(file))}`);
  }
  return { file, result: redactStrings(recoverRun(read(file, cwd), file)) };
}

function read(file: string, cwd: string): Uint8Array {
  try {
    return readFileSync(resolve(cwd, file));
  } catch (error) {
    throw new WsbenchError('USAGE', `cannot read ${file}: ${fileTrouble(error)}`, { cause: error });
  }
}

/** The process that writes a journal, by its name; undefined: the name says none. */
function pidOf(name: string): number | undefined {
  const [, pid] = /^\d{4}-.*\.(\d+)\.journal$/.exec(name) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

function goesOn(name: string): boolean {
  const pid = pidOf(name);
  return pid !== undefined && pid !== process.pid && isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
