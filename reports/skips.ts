// Skips that share their reason, so that they do not drown what was checked.
import type { CheckRecord } from '../lib/result/result.ts';

/** Fewer than this are listed one by one. */
const atLeast = 3;

/** The skipped checks by reason, where there are enough of them to drown the rest. */
export function skipsOfOneKind(checks: readonly CheckRecord[]): Map<string, CheckRecord[]> {
  const byReason = new Map<string, CheckRecord[]>();
  for (const check of checks) {
    if (check.status !== 'skipped') continue;
    byReason.set(check.detail, [...(byReason.get(check.detail) ?? []), check]);
  }
  return new Map([...byReason].filter(([, skipped]) => skipped.length >= atLeast));
}
