// Several jobs at once, never more than so many.

/** Does each of a list, `jobs` at once, in order; stops taking new ones when told to. @returns what was not begun */
export async function pool<T>(
  list: readonly T[],
  jobs: number,
  run: (item: T) => Promise<void>,
  isStopped: () => boolean,
): Promise<T[]> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < list.length && !isStopped()) {
      const item = list[next++];
      if (item !== undefined) await run(item);
    }
  };
  const workers = Array.from({ length: Math.min(jobs, list.length) }, work);
  const ends = await Promise.allSettled(workers);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return list.slice(next);
}
