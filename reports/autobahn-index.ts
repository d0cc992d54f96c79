// The index that Autobahn|Testsuite writes, for programs that read it.
import type { ConformResult, VerdictRecord } from '../lib/result/result.ts';
import { jsonText } from './json.ts';

interface IndexEntry {
  behavior: VerdictRecord['behavior'];
  behaviorClose: VerdictRecord['behaviorClose'];
  /** Whole ms. */
  duration: number;
  remoteCloseCode: number | null;
  reportfile: string;
}

/** The verdicts of all agents by name and case id; of those with one name together. Cases that did not run are not in it. */
export function autobahnIndex(...results: readonly ConformResult[]): string {
  const index = new Map<string, [caseId: string, IndexEntry][]>();
  for (const { name, verdicts } of results.flatMap(({ agents }) => agents)) {
    const entries = verdicts.map((verdict): [string, IndexEntry] => [verdict.caseId, entry(name, verdict)]);
    index.set(name, [...(index.get(name) ?? []), ...entries]);
  }
  const agents = [...index].map(([name, entries]) => [name, Object.fromEntries(entries)]);
  return jsonText(Object.fromEntries(agents), 3);
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
