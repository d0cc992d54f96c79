// How punctual an idle process is on this machine: what no load tool can be better than.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineFiles } from '../machine/files.ts';
import { processorShares, processorTime } from '../machine/processors.ts';
import { Histogram, percentileUs } from '../metrics/histogram.ts';
import type { DelayStats } from '../result/result.ts';

/** Delays in ms, and how many were looked at. */
export interface Delays extends DelayStats {
  count: number;
}

/** What an idle process saw of the machine. */
export interface Quiet {
  /** How late timers of 1 ms were, in ms. */
  timers: Delays;
  /** How late an idle event loop came round, in ms. */
  loop: Delays;
  clock: {
    /** The smallest step of the monotonic clock that was seen, in ns. */
    stepNs: number;
    /** What it costs to ask it, in ns. */
    readNs: number;
    /** How often it went backwards. */
    backwards: number;
  };
  /** Shares of the processors' time, 0–1: used by whatever else runs, and taken by the host. Null: unknown. */
  processors: { busy: number; stolen: number } | null;
}

const loopResolutionMs = 10;

/** Watches for `watchMs`, doing nothing else. */
export async function watchQuiet(files: MachineFiles, watchMs: number, signal: AbortSignal): Promise<Quiet> {
  const clock = tryClock();
  const before = processorTime(files);
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  const late = new Histogram();
  loop.enable();
  const endMs = performance.now() + watchMs;
  while (performance.now() < endMs && !signal.aborted) {
    const startMs = performance.now();
    await sleep(1);
    late.record(Math.max(0, performance.now() - startMs - 1) * 1000);
  }
  loop.disable();
  const own = (ns: number): number => roundMs(Math.max(0, ns / 1e6 - loopResolutionMs));
  const timer = (percentile: number): number => roundMs((percentileUs(late, percentile) ?? 0) / 1000);
  return {
    timers: {
      count: late.count,
      mean: roundMs(late.meanUs / 1000),
      p50: timer(50),
      p99: timer(99),
      max: roundMs(late.maxUs / 1000),
    },
    loop:
      loop.count === 0
        ? { count: 0, mean: 0, p50: 0, p99: 0, max: 0 }
        : {
            count: loop.count,
            mean: own(loop.mean),
            p50: own(loop.percentile(50)),
            p99: own(loop.percentile(99)),
            max: own(loop.max),
          },
    clock,
    processors: processorShares(before, processorTime(files)) ?? null,
  };
}

const clockReads = 20_000;

function tryClock(): Quiet['clock'] {
  let stepNs = Number.POSITIVE_INFINITY;
  let backwards = 0;
  const first = process.hrtime.bigint();
  let last = first;
  for (let read = 0; read < clockReads; read++) {
    const now = process.hrtime.bigint();
    const passed = Number(now - last);
    if (passed < 0) backwards++;
    else if (passed > 0 && passed < stepNs) stepNs = passed;
    last = now;
  }
  const readNs = Math.round(Number(last - first) / clockReads);
  return { stepNs: Number.isFinite(stepNs) ? stepNs : 0, readNs, backwards };
}

function roundMs(value: number): number {
  return Math.round(value * 1000) / 1000;
}
