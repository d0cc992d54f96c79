// `doctor`: what this machine can drive, and how trustworthy what is measured on it would be.
import { machineFacts } from './doctor/facts.ts';
import { type FloorStep, floorEffort, measureFloor } from './doctor/floor.ts';
import { capacityOf, type Evidence, judge, outcomeOf } from './doctor/judge.ts';
import { watchQuiet } from './doctor/quiet.ts';
import type { DoctorReport } from './doctor/report.ts';
import { messageOf, WsbenchError } from './errors.ts';
import { machineFiles } from './machine/files.ts';
import { hostRecord } from './result/host.ts';
import { version } from './version.ts';

/** How to look. */
export interface DoctorOptions {
  /** False: only what can be said without measuring. */
  measure?: boolean;
  /** Where `PATH` and `WSBENCH_K6_BIN` are looked up; nothing by default. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Idle connections to open, at most; 1000 by default. */
  connections?: number;
}

/** How to watch and to stop it. */
export interface DoctorControl {
  /** Stops the measuring; what was found out by then is still returned. */
  signal?: AbortSignal;
  /** Called with what is measured next. */
  onStep?: (step: 'limits' | 'quiet' | FloorStep) => void;
}

const watchMs = 1000;

/**
 * Looks at this machine: limits and settings, how punctual an idle process is, and what wsbench itself costs, which takes
 * about ten seconds and loads the machine meanwhile.
 *
 * @example
 * const { outcome, capacity } = await doctor();
 * console.log(outcome, capacity.connections, capacity.messagesPerSecond);
 */
export async function doctor(
  { measure = true, env = {}, connections = floorEffort.connections }: DoctorOptions = {},
  { signal = new AbortController().signal, onStep = () => {} }: DoctorControl = {},
): Promise<DoctorReport> {
  const startedAt = new Date();
  const startMs = performance.now();
  onStep('limits');
  const evidence: Evidence = { machine: await machineFacts(machineFiles, env), quiet: null, floor: null };
  if (measure && !signal.aborted) {
    onStep('quiet');
    evidence.quiet = await watchQuiet(machineFiles, watchMs, signal);
  }
  if (measure && !signal.aborted) {
    evidence.floor = await selfTest(Math.min(connections, roomFor(evidence)), signal, onStep);
  }
  const findings = judge(evidence);
  return {
    schemaVersion: 1,
    kind: 'doctor',
    wsbench: version,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - startMs),
    host: hostRecord(),
    outcome: outcomeOf(findings, signal.aborted),
    findings,
    machine: evidence.machine,
    quiet: evidence.quiet,
    floor: typeof evidence.floor === 'string' ? null : evidence.floor,
    capacity: capacityOf(evidence),
  };
}

// The self-test warms up with some connections more, and its server runs under the same limits.
const roomOfSelfTest = 300;

function roomFor(evidence: Evidence): number {
  const most = capacityOf({ ...evidence, floor: null }).connections;
  return most === null ? Number.POSITIVE_INFINITY : Math.max(1, most - roomOfSelfTest);
}

async function selfTest(
  connections: number,
  signal: AbortSignal,
  onStep: (step: FloorStep) => void,
): Promise<Evidence['floor']> {
  try {
    const floor = await measureFloor(machineFiles, { ...floorEffort, connections }, signal, onStep);
    return signal.aborted ? null : (floor ?? null);
  } catch (error) {
    if (error instanceof WsbenchError && error.code === 'SERVER_START') return messageOf(error);
    throw error;
  }
}
