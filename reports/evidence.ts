// What a failed check says, without saying it twice.
import type { CheckRecord } from '../lib/result/result.ts';

/** True when the detail of a failed check says no more than `expected` and `got`, which are shown beside it. */
export function repeatsEvidence({ status, detail, expected, got }: CheckRecord): boolean {
  if (status !== 'failed' || expected === undefined || got === undefined) return false;
  return detail.includes(expected) && detail.includes(got);
}
