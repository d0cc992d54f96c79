// What connections cost that are only open: time to open them, and memory.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connectSpec } from '../load/connect-spec.ts';
import type { Connection, Driver, Sink } from '../load/drivers/driver.ts';
import type { StressPlan } from '../load/plan.ts';

/** What idle connections cost. */
export interface IdleCosts {
  connect: { connections: number; perSecond: number };
  memory: { connections: number; rssBytes: number; heapBytes: number };
}

// Enough to be fast, few enough not to fill anybody's backlog.
const atOnce = 100;
// The first ones make Node compile what all need.
const warmUp = 200;

/**
 * Opens connections, looks at the memory, and closes them.
 *
 * @returns words when they cannot be opened
 */
export async function idleCosts(
  plan: StressPlan,
  driver: Driver,
  count: number,
  signal: AbortSignal,
): Promise<IdleCosts | string> {
  const open: Connection[] = [];
  try {
    const failed = await openMany(plan, driver, Math.min(warmUp, count), open, signal);
    if (failed !== undefined) return failed;
    collectGarbage();
    const before = process.memoryUsage();
    const already = open.length;
    const startMs = performance.now();
    const failedThen = await openMany(plan, driver, count, open, signal);
    const tookS = (performance.now() - startMs) / 1000;
    if (failedThen !== undefined) return failedThen;
    collectGarbage();
    const after = process.memoryUsage();
    const opened = Math.max(1, open.length - already);
    const each = (bytes: number): number => Math.max(0, Math.round(bytes / opened));
    return {
      connect: { connections: opened, perSecond: Math.round(opened / tookS) },
      memory: {
        connections: opened,
        rssBytes: each(after.rss - before.rss),
        heapBytes: each(after.heapUsed - before.heapUsed),
      },
    };
  } finally {
    for (const connection of open) connection.abort();
  }
}

/** Opens `count` more; words at the first that fails. */
function openMany(
  plan: StressPlan,
  driver: Driver,
  count: number,
  open: Connection[],
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const spec = connectSpec(plan, 0);
    let begun = 0;
    let ended = 0;
    let over = false;
    const finish = (words?: string): void => {
      over = true;
      signal.removeEventListener('abort', stop);
      resolve(words);
    };
    const stop = (): void => finish('it was stopped');
    const next = (): void => {
      if (over || begun === count) return;
      begun++;
      const sink: Sink = {
        opened: () => {
          open.push(connection);
          if (++ended === count) finish();
          else next();
        },
        failed: (_kind, detail) => finish(`a connection to this machine itself failed: ${detail}`),
        message: () => {},
        pong: () => {},
        closed: () => {},
      };
      const connection = driver.open(spec, sink);
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    for (let index = 0; index < Math.min(atOnce, count); index++) next();
  });
}

/** What is left afterwards is what connections need, not what opening them left lying about. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}
