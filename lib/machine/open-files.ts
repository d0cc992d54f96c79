// Open files: each connection takes one, and a process may have only so many.
import type { MachineFiles } from './files.ts';

// Reports, the saved run, name lookups, and whatever else a process opens in passing.
export const reserveFiles = 16;

/** How many files this process may have open, and has. Undefined: unknown, or without limit. */
export interface OpenFiles {
  /** The limit in force. Node raises it to {@link hard} when it starts. */
  soft?: number | undefined;
  /** What the limit can be raised to without asking anybody. */
  hard?: number | undefined;
  open?: number | undefined;
}

/** Asks Linux; elsewhere nothing is known. */
export function openFiles(files: MachineFiles): OpenFiles {
  return { ...fileLimits(files.read('/proc/self/limits')), open: files.list('/proc/self/fd')?.length };
}

/** The limits in `/proc/self/limits`. */
export function fileLimits(limits: string | undefined): Pick<OpenFiles, 'soft' | 'hard'> {
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits ?? '') ?? [];
  return { soft: limit(soft), hard: limit(hard) };
}

function limit(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
