// The machine and runtime that a run was made on.
import { arch, cpus, platform, totalmem } from 'node:os';
import type { Host } from './result.ts';

/** Describes this machine for a result. */
export function hostRecord(): Host {
  const all = cpus();
  return {
    node: process.versions.node,
    platform: platform(),
    arch: arch(),
    // Some processors pad their names.
    cpuModel: all[0]?.model.trim() ?? 'unknown',
    cpus: all.length,
    memoryBytes: totalmem(),
  };
}
