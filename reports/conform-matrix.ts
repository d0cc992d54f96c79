// Several agents side by side: the cases in which they are not all fine, neighbours that are alike in one row.
import type { AgentRecord } from '../lib/result/result.ts';
import { compareCaseIds, isSpotless, verdictWords } from '../lib/result/verdicts.ts';
import { caseRanges } from './case-ranges.ts';

/** A row: one case or a range, and the verdict of each agent in words; undefined: it did not run there. */
export interface MatrixRow {
  cases: string;
  verdicts: (string | undefined)[];
}

/** The rows, in the order of the ids. */
export function conformMatrix(agents: readonly AgentRecord[], dash: string): MatrixRow[] {
  const spotted = agents.flatMap(({ verdicts }) => verdicts.filter((verdict) => !isSpotless(verdict)));
  const ids = [...new Set(spotted.map(({ caseId }) => caseId))].sort(compareCaseIds);
  const maps = agents.map(({ verdicts }) => new Map(verdicts.map((verdict) => [verdict.caseId, verdict])));
  const rows: { ids: string[]; verdicts: (string | undefined)[] }[] = [];
  for (const id of ids) {
    const verdicts = maps.map((map) => {
      const verdict = map.get(id);
      return verdict && verdictWords(verdict);
    });
    const last = rows.at(-1);
    if (last?.verdicts.every((words, index) => words === verdicts[index])) last.ids.push(id);
    else rows.push({ ids: [id], verdicts });
  }
  // A range holds neighbours only, so a row may still be several.
  return rows.flatMap((row) => caseRanges(row.ids, dash).map((cases) => ({ cases, verdicts: row.verdicts })));
}
