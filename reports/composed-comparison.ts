// Two results of one kind in one report are before and after.
import { type Comparison, compareResults } from '../lib/compare/compare.ts';
import type { Result } from '../lib/result/result.ts';

/** The comparison of two results of one kind, in the order given; of stress runs before others. Undefined: there are no two. */
export function composedComparison(results: readonly Result[]): Comparison | undefined {
  const of = (kind: Result['kind']): Result[] => results.filter((result) => result.kind === kind);
  const stress = of('stress');
  const pair =
    stress.length > 0 ? stress : ([of('quick'), of('conform')].find(({ length }) => length === 2) ?? []);
  if (pair.length !== 2) return undefined;
  const [before, after] = pair;
  return before && after ? compareResults(before, after) : undefined;
}
