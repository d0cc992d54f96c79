// The index that Autobahn|Testsuite writes, for programs that read it.
import type { ConformResult, VerdictRecord } from '../lib/result/result.ts';

interface IndexEntry {
  behavior: VerdictRecord['behavior'];
  behaviorClose: VerdictRecord['behaviorClose'];
  /** Whole ms. */
  duration: number;
  remoteCloseCode: number | null;
  reportfile: string;
}

/** The verdicts of all agents by name and case id. Cases that did not run are not in it. */
export function autobahnIndex({ agents }: ConformResult): string {
  const index = Object.fromEntries(
    agents.map(({ name, verdicts }) => [
      name,
      Object.fromEntries(verdicts.map((verdict) => [verdict.caseId, entry(name, verdict)])),
    ]),
  );
  return `${JSON.stringify(index, null, 3)}\n`;
}

function entry(agent: string, verdict: VerdictRecord): IndexEntry {
  return {
    behavior: verdict.behavior,
    behaviorClose: verdict.behaviorClose,
    duration: Math.round(verdict.durationMs),
    remoteCloseCode: verdict.remoteCloseCode,
    reportfile: autobahnReportFile(agent, verdict.caseId),
  };
}

/** The name of the file with the report of one case: `my_server_case_6_4_1.json`. */
export function autobahnReportFile(agent: string, caseId: string): string {
  return `${agent.toLowerCase().replace(/[^a-z\d]/g, '_')}_case_${caseId.replace(/\W/g, '_')}.json`;
}
