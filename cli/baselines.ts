// Baselines: results that are kept under a name, in `.wsbench/baselines/`, to compare later ones with.
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import { meant } from '../lib/nearest.ts';
import type { Result } from '../lib/result/result.ts';
import type { Io } from './io.ts';
import { makeSavedFolder, savedFolder } from './saved-folder.ts';
import { readResult } from './saved-result.ts';

const suffix = '.json';
// Also what Windows takes for devices.
const reserved = /^(latest|con|prn|aux|nul|(com|lpt)\d)$/i;

/**
 * A name for a baseline, as it may be a file's on any system.
 *
 * @throws WsbenchError `USAGE` when it is none
 */
export function baselineName(text: string): string {
  if (isName(text)) return text;
  const why = reserved.test(text) ? 'has a meaning of its own' : 'is no name for a baseline';
  throw new WsbenchError(
    'USAGE',
    `--save-baseline: "${text}" ${why}; take up to 64 letters, digits, dots, dashes and underscores, such as main or v1.2`,
  );
}

const isName = (text: string): boolean =>
  /^[a-z\d][\w.-]{0,63}$/i.test(text) &&
  !/\.$/.test(text) &&
  !text.toLowerCase().endsWith(suffix) &&
  !reserved.test(text);

/** The names of all baselines, in order. */
export function baselineNames(cwd: string): string[] {
  const folder = join(cwd, savedFolder('baselines'));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(suffix) && isName(file.slice(0, -suffix.length)))
    .map((file) => file.slice(0, -suffix.length))
    .sort();
}

/** Path of a baseline, relative to the working directory. */
export function baselinePath(name: string): string {
  return join(savedFolder('baselines'), `${name}${suffix}`);
}

/**
 * Keeps a result under a name, in place of what had it.
 *
 * @param text the result as JSON
 * @returns the path, relative to `cwd`
 * @throws WsbenchError `REPORT_WRITE`
 */
export function saveBaseline(name: string, text: string, cwd: string): string {
  const path = baselinePath(name);
  try {
    const temporary = join(makeSavedFolder('baselines', cwd), `.${name}.${process.pid}.tmp`);
    try {
      writeFileSync(temporary, text, { flush: true });
      renameSync(temporary, join(cwd, path));
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (cause) {
    throw new WsbenchError('REPORT_WRITE', `cannot write ${path}: ${fileTrouble(cause)}`, { cause });
  }
  return path;
}

/**
 * What `--baseline` names: a baseline, else a file; `latest` is the newest saved run.
 *
 * @throws WsbenchError `USAGE` when there is neither, or it cannot be read
 */
export function readBaseline(text: string, io: Io): Result {
  if (text === 'latest') return readResult(text, io);
  if (isName(text) && existsSync(join(io.cwd, baselinePath(text)))) return readResult(baselinePath(text), io);
  if (existsSync(resolve(io.cwd, text))) return readResult(text, io);
  const names = baselineNames(io.cwd);
  const hint = names.length === 0 ? '; --save-baseline makes one' : meant(text, names);
  throw new WsbenchError('USAGE', `--baseline: there is no baseline and no file "${text}"${hint}`);
}
