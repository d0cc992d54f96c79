// Closes of several counters as one list.
import { grouped } from './grouped.ts';
import type { CloseRecord } from './result.ts';

/** The sum of closes, one record for each code, side and way. */
export function mergeCloses(all: readonly CloseRecord[]): CloseRecord[] {
  const join = (one: CloseRecord, other: CloseRecord) => ({ ...one, count: one.count + other.count });
  return grouped(all, ({ code, by, clean }) => `${code} ${by} ${clean}`, join);
}
