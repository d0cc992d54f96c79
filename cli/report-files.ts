// Report files: opened before the run, so that a wrong path costs no run, and never left half-written.
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { messageOf, WsbenchError } from '../lib/errors.ts';
import { type Reporter, reporterForFile } from '../reports/index.ts';

/** A file that is open and still empty. */
export interface OutputFile {
  path: string;
  /** Writes the report and moves it into place. @throws WsbenchError `REPORT_WRITE` */
  write: (text: string) => void;
  /** Closes it without a report. */
  discard: () => void;
}

/** An output file that gets a report of a known format. */
export interface ReportFile extends OutputFile {
  reporter: Reporter;
}

/**
 * Opens report files. The format follows the extension; files as in {@link openText}.
 *
 * @throws WsbenchError `USAGE` for an unknown extension, `REPORT_WRITE` when a file cannot be opened
 */
export function openReports(paths: readonly string[], cwd: string): ReportFile[] {
  const reporters = paths.map((path) => reporterForFile(path));
  const open: ReportFile[] = [];
  try {
    for (const [index, path] of paths.entries()) {
      const reporter = reporters[index];
      if (reporter) open.push({ ...openText(path, cwd), reporter });
    }
    return open;
  } catch (error) {
    for (const file of open) file.discard();
    throw error;
  }
}

/**
 * Opens a file to be written once. A regular file is written beside its place and renamed, so
 * that a full disk leaves the old report; a device or pipe is written directly.
 *
 * @param extensions allowed extensions; any when left out
 * @throws WsbenchError `USAGE` for another extension, `REPORT_WRITE` when the file cannot be opened
 */
export function openText(path: string, cwd: string, extensions?: readonly string[]): OutputFile {
  if (extensions && !extensions.includes(extname(path))) {
    throw new WsbenchError('USAGE', `--output: ${path}: the extension must be ${extensions.join(', ')}`);
  }
  const absolute = resolve(cwd, path);
  const failed = (cause: unknown): WsbenchError =>
    new WsbenchError('REPORT_WRITE', `cannot write ${path}: ${messageOf(cause)}`, { cause });
  const temporary = join(dirname(absolute), `.${basename(absolute)}.${process.pid}.tmp`);
  let fd: number;
  let direct: boolean;
  try {
    const there = statSync(absolute, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw new Error('it is a directory');
    if (there) accessSync(absolute, constants.W_OK);
    // Devices and pipes cannot be renamed over.
    direct = there !== undefined && !there.isFile();
    fd = openSync(direct ? absolute : temporary, 'w');
  } catch (cause) {
    throw failed(cause);
  }
  const discard = (): void => {
    closeSync(fd);
    if (!direct) rmSync(temporary, { force: true });
  };
  return {
    path,
    discard,
    write: (text) => {
      try {
        const bytes = Buffer.from(text);
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
        if (!direct) fsyncSync(fd);
      } catch (cause) {
        discard();
        throw failed(cause);
      }
      closeSync(fd);
      if (!direct) renameSync(temporary, absolute);
    },
  };
}
