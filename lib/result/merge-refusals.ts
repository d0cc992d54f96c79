// Why results cannot be merged.
import { WsbenchError } from '../errors.ts';

/** A result that does not belong to the others, or lacks what merging needs. */
export function refused(name: string, why: string): WsbenchError {
  return new WsbenchError('USAGE', `${name}: cannot be merged: ${why}`);
}

/** A result that contradicts itself. */
export function damaged(name: string, why: string, cause?: unknown): WsbenchError {
  return new WsbenchError('USAGE', `${name}: damaged, it cannot be merged: ${why}`, { cause });
}
