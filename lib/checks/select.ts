// Which checks run, and in which order.
import { WsbenchError } from '../errors.ts';
import type { Check } from './check.ts';

/**
 * Picks checks by id, then by `--only` patterns (ids, or globs with `*` and `?`), in the order given; bursts come last, so that
 * no other check meets limits that they have used up.
 *
 * @throws WsbenchError `CONFIG` for an id that does not exist, `USAGE` for a pattern that matches nothing
 */
export function selectChecks(
  all: readonly Check[],
  ids: readonly string[],
  only: readonly string[] = [],
): Check[] {
  const known = new Map(all.map((check) => [check.id, check]));
  const listed = ids.map((id) => {
    const check = known.get(id);
    if (!check)
      throw new WsbenchError('CONFIG', `no check is called "${id}"; nearest: ${nearest(id, known)}`);
    return check;
  });
  for (const pattern of only) {
    if (![...known.keys()].some((id) => matches(pattern, id))) {
      throw new WsbenchError(
        'USAGE',
        `--only ${pattern}: no such check; nearest: ${nearest(pattern, known)}`,
      );
    }
  }
  // A check that is asked for by name need not be listed in the scenario.
  const candidates = only.length === 0 ? listed : [...new Set([...listed, ...all])];
  const chosen = candidates.filter(
    ({ id }) => only.length === 0 || only.some((pattern) => matches(pattern, id)),
  );
  const isBurst = (check: Check): boolean => check.impact !== 'none';
  return [...new Set([...chosen.filter((check) => !isBurst(check)), ...chosen.filter(isBurst)])];
}

function matches(pattern: string, id: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(id);
}

function nearest(text: string, known: ReadonlyMap<string, Check>): string {
  const byDistance = [...known.keys()].map((id) => [distance(text, id), id] as const);
  return byDistance.reduce((best, next) => (next[0] < best[0] ? next : best))[1];
}

/** Edits (insert, delete, replace) from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replace = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replace));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
