// How much memory there is, and whether it is lent out twice.
import { type MachineFiles, readNumber } from './files.ts';

/** Bytes; undefined: unknown. */
export interface Memory {
  total?: number | undefined;
  available?: number | undefined;
  swapTotal?: number | undefined;
  swapFree?: number | undefined;
  /** Promises no more than there is (`vm.overcommit_memory` 2), so that large reservations fail. */
  strict: boolean;
}

/** Asks Linux; elsewhere nothing is known. */
export function memoryOf(files: MachineFiles): Memory {
  const text = files.read('/proc/meminfo') ?? '';
  const of = (name: string): number | undefined => {
    const kib = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };
  return {
    total: of('MemTotal'),
    available: of('MemAvailable'),
    swapTotal: of('SwapTotal'),
    swapFree: of('SwapFree'),
    strict: readNumber(files, '/proc/sys/vm/overcommit_memory') === 2,
  };
}
