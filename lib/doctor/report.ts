// What `wsbench doctor` found out: the JSON document, and all that its text is made of. Fields are only ever added.
import type { Host } from '../result/result.ts';
import type { MachineFacts } from './facts.ts';
import type { Floor } from './floor.ts';
import type { Quiet } from './quiet.ts';

/** How one finding is to be taken. `fail`: a run on this machine would be inconclusive. `unknown`: the machine does not say. */
export type FindingStatus = 'ok' | 'warn' | 'fail' | 'unknown';

/** One line of the doctor. */
export interface Finding {
  /** Stable: `files`, `ports`, … */
  id: string;
  title: string;
  status: FindingStatus;
  /** What is the case, in one line. */
  detail: string;
  /** What to do about it. */
  advice?: string;
}

/** What the machine can drive with one worker, as far as is known. */
export interface Capacity {
  /** Connections to one address and port; null: unknown. */
  connections: number | null;
  /** What ends it there. */
  limitedBy: 'files' | 'ports' | 'memory' | null;
  /** Messages a second, sent when due and answered; null: not measured. */
  messagesPerSecond: number | null;
}

/** The document of `doctor --json`. */
export interface DoctorReport {
  schemaVersion: 1;
  kind: 'doctor';
  wsbench: string;
  /** When it began, ISO 8601. */
  startedAt: string;
  durationMs: number;
  host: Host;
  /** `inconclusive`: a finding failed; `interrupted`: a signal came before all was measured. */
  outcome: 'ready' | 'warned' | 'inconclusive' | 'interrupted';
  findings: Finding[];
  machine: MachineFacts;
  /** How punctual and undisturbed an idle process is here; null: not measured. */
  quiet: Quiet | null;
  /** What wsbench itself costs here; null: not measured. */
  floor: Floor | null;
  capacity: Capacity;
}
