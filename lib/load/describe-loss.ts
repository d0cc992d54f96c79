// A worker that is gone, in words.
import { formatRate } from '../duration.ts';
import type { Member } from './crew.ts';
import { connectionsOf } from './part.ts';
import type { StressPlan } from './plan.ts';

/** What is missing since a worker was lost: `worker 2 of 4 crashed: …; its 25 connections … are missing …`. */
export function describeLoss(
  { worker, lost, share, sentPerSecond }: Member,
  { plan, workers, startedUs }: { plan: StressPlan; workers: number; startedUs: number },
): string {
  const open = share?.open ?? connectionsOf({ worker, workers }, plan.connections);
  const since = share === undefined ? 0 : Math.max(0, share.atUs - startedUs) / 1e6;
  const missing =
    `its ${open} ${open === 1 ? 'connection' : 'connections'} and about ${formatRate(Math.round(sentPerSecond))} ` +
    `are missing since ${since.toFixed(1)} s after the run began`;
  return `worker ${worker + 1} of ${workers} ${lost}; ${missing}`;
}
