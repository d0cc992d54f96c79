// How many files this process may open; a connection is one.
import { readFileSync } from 'node:fs';

/** The limit of the process, or Infinity where nobody says. */
export function maxOpenFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    // Only Linux has it.
    return Number.POSITIVE_INFINITY;
  }
}
