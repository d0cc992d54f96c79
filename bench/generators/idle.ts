// What generators tell of connections that are only open.

/** Memory is what came with the connections, after a garbage collection; all of it divided by their number. */
export interface IdleReport {
  opened: number;
  /** Over the whole ramp. */
  connectsPerSecond: number;
  rssBytes: number;
  heapBytes: number;
  /** Memory outside of the heap that Node knows of: buffers. */
  externalBytes: number;
  /** Cores that this process used while nothing happened. */
  idleCpu: number;
}

/** What is under way at once while connections open, and what is opened first, so that what all need is compiled. */
export const atOnce = 200;

/** Memory of this process, after a garbage collection where node was started with `--expose-gc`. */
export function memory(): NodeJS.MemoryUsage {
  globalThis.gc?.();
  return process.memoryUsage();
}

/** What came with so many connections. */
export function costs(
  before: NodeJS.MemoryUsage,
  after: NodeJS.MemoryUsage,
  opened: number,
): Pick<IdleReport, 'rssBytes' | 'heapBytes' | 'externalBytes'> {
  return {
    rssBytes: (after.rss - before.rss) / opened,
    heapBytes: (after.heapUsed - before.heapUsed) / opened,
    externalBytes: (after.external - before.external) / opened,
  };
}

/** Opens connections, some at once, and then does nothing for a while; tells what that cost. */
export async function holdOpen(
  open: () => Promise<unknown>,
  connections: number,
  idleMs: number,
): Promise<IdleReport> {
  const held: unknown[] = [];
  const openTo = async (count: number): Promise<void> => {
    const next = async (): Promise<void> => {
      while (begun < count) {
        begun++;
        held.push(await open());
      }
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  };
  let begun = 0;
  await openTo(atOnce);
  const before = memory();
  const startMs = performance.now();
  await openTo(atOnce + connections);
  const connectMs = performance.now() - startMs;
  const after = memory();
  const cpu = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const { user, system } = process.cpuUsage(cpu);
  return {
    opened: connections,
    connectsPerSecond: (connections * 1000) / connectMs,
    ...costs(before, after, connections),
    idleCpu: (user + system) / 1000 / idleMs,
  };
}
