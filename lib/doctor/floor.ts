// The self-test: what wsbench itself costs on this machine, against an echo server that does next to nothing.
import { makeDriver } from '../load/drivers/make.ts';
import { runStress } from '../load/index.ts';
import type { StressPlan } from '../load/plan.ts';
import { throttling } from '../machine/cgroup.ts';
import type { MachineFiles } from '../machine/files.ts';
import type { StressResult } from '../result/result.ts';
import { loadPreset } from '../target/presets.ts';
import { startEcho } from './echo.ts';
import { type IdleCosts, idleCosts } from './idle-connections.ts';
import { neutralPlan } from './neutral-plan.ts';
import { cpuUsPerMessage, type RateFloor, searchRate } from './rate-search.ts';

/** What wsbench costs here, with one worker. */
export interface Floor {
  driver: string;
  connect: IdleCosts['connect'];
  /** Bytes per idle connection. */
  memory: IdleCosts['memory'];
  /** One message in flight over one connection. */
  roundTrip: { count: number; p50Ms: number; p99Ms: number; perSecond: number; cpuUs: number };
  rate: RateFloor;
  /** How long a quota of the control group stopped this process meanwhile; null: it has none. */
  throttledMs: number | null;
}

/** What is being measured, for whoever waits. */
export type FloorStep = 'connections' | 'round trip' | 'rate';

/** How much is measured. */
export interface FloorEffort {
  /** Idle connections to open, at most. */
  connections: number;
  roundTripMs: number;
  /** Length of each step of the search for the rate, and of all of it. */
  stepMs: number;
  searchMs: number;
}

/** About ten seconds. */
export const floorEffort: FloorEffort = {
  connections: 1000,
  roundTripMs: 1000,
  stepMs: 400,
  searchMs: 6500,
};

/**
 * Measures it.
 *
 * @returns undefined when `signal` came first; words when there is nothing to measure with
 * @throws WsbenchError `SERVER_START` when the echo server does not come up
 */
export async function measureFloor(
  files: MachineFiles,
  effort: FloorEffort,
  signal: AbortSignal,
  onStep: (step: FloorStep) => void,
): Promise<Floor | string | undefined> {
  const before = throttling(files);
  const server = await startEcho();
  const run = (changes: Partial<StressPlan>): Promise<StressResult> =>
    toEnd(floorPlan(server.url, changes), signal);
  try {
    const plan = floorPlan(server.url, {});
    const driver = makeDriver(plan);
    onStep('connections');
    const idle = await idleCosts(plan, driver, effort.connections, signal);
    if (typeof idle === 'string') return idle;
    onStep('round trip');
    const closed = await run({ connections: 1, model: 'closed', durationMs: effort.roundTripMs });
    if (signal.aborted) return undefined;
    const { p50, p99, count } = closed.metrics.rtt;
    if (p50 === null || p99 === null) return 'not one message was answered';
    onStep('rate');
    const rate = await searchRate(
      async (ratePerSecond) => run({ ratePerSecond, durationMs: effort.stepMs }),
      effort.searchMs,
      signal,
    );
    if (signal.aborted) return undefined;
    const after = throttling(files);
    return {
      driver: driver.name,
      ...idle,
      roundTrip: {
        count,
        p50Ms: p50,
        p99Ms: p99,
        perSecond: Math.round(closed.derived.throughput ?? 0),
        cpuUs: cpuUsPerMessage(closed),
      },
      rate,
      throttledMs: before && after ? after.ms - before.ms : null,
    };
  } finally {
    await server.stop();
  }
}

async function toEnd(plan: StressPlan, signal: AbortSignal): Promise<StressResult> {
  const events = runStress(plan, signal);
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}

/** 32 bytes over ten connections, as `stress` sends by default. */
const floorPlan = (url: string, changes: Partial<StressPlan>): StressPlan => ({
  ...neutralPlan('doctor', url, loadPreset('echo')),
  targetKnown: true,
  connections: 10,
  ratePerSecond: 1000,
  settleMs: 20,
  connectTimeoutMs: 5000,
  ...changes,
});
