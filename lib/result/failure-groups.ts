// Failures in groups by what they have in common, so that a list of them is bounded: details come from the peer.
import { grouped } from './grouped.ts';
import type { FailureRecord } from './result.ts';

/** So many groups a list has, and one more for all others. */
export const maxFailureGroups = 20;

/** A group of failures as plain data. */
export interface FailureGroup extends FailureRecord {
  /** What they have in common; '' for all that no group was left for. */
  key: string;
  /** When the first of them was; where that is not known, their order. */
  firstUs: number;
}

/** What failures of one group have in common. */
export function failureKey(kind: string, detail: string): string {
  if (kind === othersKind) return '';
  return kind === 'http' ? detail.slice(0, 'HTTP 401'.length) : `${kind} ${detail.replace(/\d+/g, '#')}`;
}

const othersKind = 'others';

/** The group of all that no group was left for, empty yet. */
export function otherFailures(firstUs: number): FailureGroup {
  return { kind: othersKind, detail: 'other causes', count: 0, key: '', firstUs };
}

/** Groups of several lists as one. What is told of a group is what its first failure said. */
export function mergeFailures(all: readonly FailureGroup[]): FailureGroup[] {
  return grouped(
    all,
    ({ key }) => key,
    (one, other) => {
      const isFirst =
        one.firstUs < other.firstUs || (one.firstUs === other.firstUs && one.detail <= other.detail);
      return { ...(isFirst ? one : other), count: one.count + other.count };
    },
  );
}

/** Groups as a result has them, the most frequent first; the rarest are put together where several lists had too many. */
export function failureRecords(data: readonly FailureGroup[]): FailureRecord[] {
  const ranked = [...data].sort((a, b) => b.count - a.count || a.firstUs - b.firstUs);
  const named = ranked.filter(({ key }) => key !== '');
  const rest = [...named.slice(maxFailureGroups), ...ranked.filter(({ key }) => key === '')];
  const shown = named.slice(0, maxFailureGroups);
  if (rest.length > 0)
    shown.push({ ...otherFailures(0), count: rest.reduce((sum, { count }) => sum + count, 0) });
  return shown.sort((a, b) => b.count - a.count).map(({ key: _key, firstUs: _firstUs, ...record }) => record);
}
