// What a machine's figures mean for load tests on it. Pure.
import type { MachineFacts } from './facts.ts';
import type { Floor } from './floor.ts';
import { judgeFloor } from './judge-floor.ts';
import { connectionsOfFiles, judgeLimits, portsEach } from './judge-limits.ts';
import { judgeQuiet } from './judge-quiet.ts';
import type { Quiet } from './quiet.ts';
import type { Capacity, DoctorReport, Finding } from './report.ts';

/** All that was found out. */
export interface Evidence {
  machine: MachineFacts;
  quiet: Quiet | null;
  /** Words: why there is none. */
  floor: Floor | string | null;
}

/** One finding a line, in the order in which they are shown. */
export function judge({ machine, quiet, floor }: Evidence): Finding[] {
  const findings = [
    ...judgeLimits(machine),
    ...(quiet === null ? [] : judgeQuiet(quiet, machine)),
    ...(floor === null ? [] : judgeFloor(floor, machine)),
  ];
  // In one order, for whoever reads the JSON.
  return findings.map(({ id, title, status, detail, advice }) => ({
    id,
    title,
    status,
    detail,
    ...(advice === undefined ? {} : { advice }),
  }));
}

/** The word for all of it. */
export function outcomeOf(findings: readonly Finding[], interrupted: boolean): DoctorReport['outcome'] {
  if (findings.some(({ status }) => status === 'fail')) return 'inconclusive';
  if (interrupted) return 'interrupted';
  return findings.some(({ status }) => status === 'warn') ? 'warned' : 'ready';
}

// A quarter stays free: for messages, and for whatever else runs.
const shareOfMemory = 0.75;

/** What one worker can drive here. */
export function capacityOf({ machine, floor }: Evidence): Capacity {
  const measured = floor === null || typeof floor === 'string' ? undefined : floor;
  const { availableBytes, limitBytes } = machine.memory;
  const room = shareOfMemory * Math.min(availableBytes, limitBytes ?? Number.POSITIVE_INFINITY);
  const each = measured?.memory.rssBytes ?? 0;
  const bounds: [Capacity['limitedBy'], number | null][] = [
    ['files', connectionsOfFiles(machine)],
    ['ports', portsEach(machine)],
    ['memory', each > 0 ? Math.floor(room / each) : null],
  ];
  let capacity: Pick<Capacity, 'connections' | 'limitedBy'> = { connections: null, limitedBy: null };
  for (const [limitedBy, connections] of bounds) {
    if (connections !== null && connections < (capacity.connections ?? Number.POSITIVE_INFINITY)) {
      capacity = { connections, limitedBy };
    }
  }
  return { ...capacity, messagesPerSecond: measured === undefined ? null : measured.rate.perSecond };
}
