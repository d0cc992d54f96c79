// What became of the processors' time: how much of it another machine on the same host took.
import type { MachineFiles } from './files.ts';

/** Time of all processors since the machine started, in ticks of whatever length. */
export interface ProcessorTime {
  total: number;
  idle: number;
  /** Time in which there was work, and the host ran another machine. */
  stolen: number;
}

/** Undefined: unknown. */
export function processorTime(files: MachineFiles): ProcessorTime | undefined {
  const line = /^cpu +(.*)$/m.exec(files.read('/proc/stat') ?? '')?.[1];
  if (line === undefined) return undefined;
  // user nice system idle iowait irq softirq steal; guest time, which follows, is within user.
  const ticks = line.trim().split(/ +/).slice(0, 8).map(Number);
  return {
    total: ticks.reduce((sum, each) => sum + each, 0),
    idle: (ticks[3] ?? 0) + (ticks[4] ?? 0),
    stolen: ticks[7] ?? 0,
  };
}

/** Shares of the time between two readings, 0–1; undefined: unknown, or none passed. */
export function processorShares(
  before: ProcessorTime | undefined,
  after: ProcessorTime | undefined,
): { busy: number; stolen: number } | undefined {
  if (!before || !after || after.total <= before.total) return undefined;
  const total = after.total - before.total;
  const stolen = (after.stolen - before.stolen) / total;
  return { busy: Math.max(0, 1 - (after.idle - before.idle) / total - stolen), stolen };
}
