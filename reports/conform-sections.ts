// The sections of the conformance cases, and how many cases of each ended how.
import type { AgentRecord, Behavior, FailOn, VerdictRecord } from '../lib/result/result.ts';
import { compareCaseIds, failsRun, rankClose, sectionOf } from '../lib/result/verdicts.ts';

const titles: Record<string, string> = {
  '1': 'Framing',
  '2': 'Pings and pongs',
  '3': 'Reserved bits',
  '4': 'Reserved opcodes',
  '5': 'Fragmentation',
  '6': 'UTF-8',
  '7': 'Closing',
  '9': 'Limits, performance',
  '10': 'Miscellaneous',
  '12': 'Compression',
  '13': 'Deflate parameters',
};

/** What a section is about; empty for one that this version does not know. */
export function sectionTitle(section: string): string {
  return titles[section] ?? '';
}

/** The verdicts of one section. */
export interface SectionTally {
  section: string;
  total: number;
  /** Verdicts that do not fail the run. */
  passed: number;
  behaviors: Record<Behavior, number>;
  /** Verdicts whose close is neither OK nor INFORMATIONAL. */
  badCloses: number;
}

/** The sections that an agent has verdicts in, in order. */
export function tallySections({ verdicts }: AgentRecord, failOn: FailOn): SectionTally[] {
  return sectionsOf(verdicts).map((section) => tally(section, inSection(verdicts, section), failOn));
}

/** The verdicts of one section, in the order of their ids. */
export function inSection(verdicts: readonly VerdictRecord[], section: string): VerdictRecord[] {
  return verdicts
    .filter(({ caseId }) => sectionOf(caseId) === section)
    .sort((one, other) => compareCaseIds(one.caseId, other.caseId));
}

/** The sections of some verdicts, each once, in order. */
export function sectionsOf(verdicts: readonly VerdictRecord[]): string[] {
  return [...new Set(verdicts.map(({ caseId }) => sectionOf(caseId)))].sort(compareCaseIds);
}

/** All verdicts of an agent together. */
export function tallyAll({ verdicts }: AgentRecord, failOn: FailOn): SectionTally {
  return tally('', verdicts, failOn);
}

function tally(section: string, verdicts: readonly VerdictRecord[], failOn: FailOn): SectionTally {
  const of = (behavior: Behavior): number => verdicts.filter((one) => one.behavior === behavior).length;
  return {
    section,
    total: verdicts.length,
    passed: verdicts.filter((verdict) => !failsRun(verdict, failOn)).length,
    behaviors: {
      OK: of('OK'),
      'NON-STRICT': of('NON-STRICT'),
      INFORMATIONAL: of('INFORMATIONAL'),
      UNIMPLEMENTED: of('UNIMPLEMENTED'),
      FAILED: of('FAILED'),
    },
    badCloses: verdicts.filter(({ behaviorClose }) => rankClose(behaviorClose, 'OK') > 0).length,
  };
}
