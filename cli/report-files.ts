// Report files: tried before the run, so that a wrong path costs no run, and never left half-written.
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { devNull } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import { type Reporter, reporterForFile } from '../reports/index.ts';

/** `-o -`: standard output, which gets the result of a command anyway. */
export const stdoutPath = '-';

/** A file that can be written, and has not been yet. */
export interface OutputFile {
  path: string;
  /** Writes the text and moves it into place. @throws WsbenchError `REPORT_WRITE` */
  write: (text: string) => void;
}

/** An output file that gets a report of a known format. */
export interface ReportFile extends OutputFile {
  reporter: Reporter;
}

/**
 * Prepares report files. The format follows the extension; files as in {@link openText}. A file that is named twice is
 * written once, and `-` needs no file.
 *
 * @throws WsbenchError `USAGE` for an unknown extension, `REPORT_WRITE` when a file cannot be written
 */
export function openReports(paths: readonly string[], cwd: string): ReportFile[] {
  const wanted = outputPaths(paths, cwd).map((path) => ({ path, reporter: reporterForFile(path) }));
  return wanted.map(({ path, reporter }) => ({ ...openText(path, cwd), reporter }));
}

/** The files among the values of `--output`, each once. */
export function outputPaths(paths: readonly string[], cwd: string): string[] {
  const byPlace = new Map(paths.map((path) => [resolve(cwd, path), path]));
  return [...byPlace.values()].filter((path) => path !== stdoutPath);
}

/**
 * Prepares a file to be written once. A regular file is written beside its place and renamed, so that a full disk leaves
 * the old report; a device or pipe is written directly. Until then nothing is left in the folder, however the run ends.
 *
 * @param extensions allowed extensions; any when left out
 * @param mode permissions of a file that is new, before the umask; 0o600 for secrets
 * @throws WsbenchError `USAGE` for another extension, `REPORT_WRITE` when the file cannot be written
 */
export function openText(
  path: string,
  cwd: string,
  extensions?: readonly string[],
  mode = 0o666,
): OutputFile {
  if (extensions && !extensions.includes(extname(path).toLowerCase())) {
    throw new WsbenchError('USAGE', `--output: ${path}: the extension must be ${extensions.join(', ')}`);
  }
  const orFail = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw new WsbenchError('REPORT_WRITE', `cannot write ${path}: ${fileTrouble(cause)}`, { cause });
    }
  };
  const place = orFail(() => behindLinks(resolve(cwd, path)));
  const temporary = join(dirname(place), `.${basename(place)}.${process.pid}.tmp`);
  // Devices and pipes cannot be renamed over, and opening a pipe twice would end its reader.
  const direct = orFail(() => openDirect(place));
  if (direct === undefined) {
    orFail(() => closeSync(openSync(temporary, 'w', mode)));
    rmSync(temporary, { force: true });
  }
  // Held for the report: a run may use up every other descriptor.
  const reserve = orFail(() => openSync(devNull, 'r'));
  return {
    path,
    write: (text) =>
      orFail(() => {
        closeSync(reserve);
        if (direct !== undefined) return writeAll(direct, text);
        try {
          writeAll(openSync(temporary, 'w', mode), text, true);
          renameSync(temporary, place);
        } catch (error) {
          rmSync(temporary, { force: true });
          throw error;
        }
      }),
  };
}

/** A descriptor of what is there and no regular file; undefined for a file or nothing. */
function openDirect(place: string): number | undefined {
  const there = statSync(place, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new Error('it is a folder');
  if (there) accessSync(place, constants.W_OK);
  return there === undefined || there.isFile() ? undefined : openSync(place, 'w');
}

function writeAll(fd: number, text: string, toDisk = false): void {
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (toDisk) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The place that a path stands for: a symbolic link stays, and what it points at is written. */
function behindLinks(path: string): string {
  let place = path;
  for (let hops = 0; lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink(); hops++) {
    if (hops === 40) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
    place = resolve(dirname(place), readlinkSync(place));
  }
  return place;
}
