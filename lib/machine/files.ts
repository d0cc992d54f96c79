// How the machine's own accounts of itself are read: the text files under /proc and /sys.
import { readdirSync, readFileSync } from 'node:fs';

/** Reads text files; undefined: there is none, or it is hidden (a container may hide /proc). */
export interface MachineFiles {
  read(path: string): string | undefined;
  /** Names in a folder. */
  list(path: string): readonly string[] | undefined;
}

/** Those of this machine. Where there is no /proc, there is nothing in them. */
export const machineFiles: MachineFiles = {
  read: (path) => tried(() => readFileSync(path, 'utf8')),
  list: (path) => tried(() => readdirSync(path)),
};

/** A file that holds one number. */
export function readNumber(files: MachineFiles, path: string): number | undefined {
  const text = files.read(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
