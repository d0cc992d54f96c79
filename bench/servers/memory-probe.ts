// Loaded into a server by `--import`: tells over IPC what memory it has, before and after a garbage collection.
import { getHeapSpaceStatistics, type HeapSpaceInfo, writeHeapSnapshot } from 'node:v8';

/** What a server tells of its memory. All bytes. */
export interface MemoryReport {
  /** As it was found. */
  rssBytes: number;
  /** This and the following after a collection, if one was asked for and node was started with `--expose-gc`. */
  collectedRssBytes: number;
  heapBytes: number;
  externalBytes: number;
  /** What V8 keeps for new objects: it grows with the rate of allocation, not with what lives. */
  youngBytes: number;
  /** CPU of the process so far, in µs. */
  cpuUs: number;
}

/** What a server is asked. */
export interface MemoryQuestion {
  collect: boolean;
  /** Where to write a heap snapshot. */
  snapshot?: string;
}

function report(collect: boolean): MemoryReport {
  const { user, system } = process.cpuUsage();
  const rssBytes = process.memoryUsage.rss();
  const young = getHeapSpaceStatistics().find(({ space_name }: HeapSpaceInfo) => space_name === 'new_space');
  if (collect) globalThis.gc?.();
  const after = process.memoryUsage();
  return {
    rssBytes,
    collectedRssBytes: after.rss,
    heapBytes: after.heapUsed,
    externalBytes: after.external,
    youngBytes: young?.physical_space_size ?? 0,
    cpuUs: user + system,
  };
}

process.on('message', ({ snapshot, collect }: MemoryQuestion) => {
  const told = report(collect);
  // Afterwards: it takes much memory itself.
  if (snapshot !== undefined) writeHeapSnapshot(snapshot);
  process.send?.(told);
});
// A question may come at any time, but is no reason to stay.
process.channel?.unref();
