// How many worker threads `-w auto` means.
import { availableParallelism, networkInterfaces } from 'node:os';

/** What a run asks for, as far as the number of workers goes by it. */
export interface WorkerNeed {
  model: 'open' | 'closed';
  /** The most messages per second (open model). */
  ratePerSecond: number;
  /** The most connections. */
  connections: number;
}

// Half of what one core carries without batches, so that the generator is not what is measured.
const ratePerWorker = 50_000;
const connectionsPerWorker = 5_000;

/**
 * As many as there are cores, less the one that a target on this machine needs; at least one; and no more than the load
 * needs: one for every 50,000 messages/s or 5,000 connections in the open model, whatever is the more. The closed model goes as
 * fast as it can, and needs all. Never more than connections. Pure.
 *
 * @param cores that this process may use
 * @param isLocal the target is on this machine
 */
export function autoWorkers(need: WorkerNeed, cores: number, isLocal: boolean): number {
  const { model, ratePerSecond, connections } = need;
  const useful = Math.max(1, isLocal ? cores - 1 : cores);
  const wanted =
    model === 'closed'
      ? useful
      : Math.ceil(Math.max(ratePerSecond / ratePerWorker, connections / connectionsPerWorker));
  return Math.max(1, Math.min(useful, wanted, connections));
}

/** {@link autoWorkers} for this machine. */
export function autoWorkersHere(need: WorkerNeed, url: string | undefined): number {
  return autoWorkers(need, availableParallelism(), url === undefined || isOnThisMachine(url));
}

/** True when the URL names this machine: loopback, or an address of one of its interfaces. Names are not looked up. */
export function isOnThisMachine(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host))
    return true;
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host));
}
