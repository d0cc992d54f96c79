// Lists of counts as one: what has the same key is put together.

/**
 * Groups by key, in the order of the keys. Pure.
 *
 * @param join puts two of a group together
 */
export function grouped<T>(all: readonly T[], keyOf: (one: T) => string, join: (one: T, other: T) => T): T[] {
  const groups = new Map<string, T>();
  for (const one of all) {
    const known = groups.get(keyOf(one));
    groups.set(keyOf(one), known === undefined ? one : join(known, one));
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
