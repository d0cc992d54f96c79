// Lists of case ids, short: neighbours become a range.
import { compareCaseIds } from '../lib/result/verdicts.ts';

/** `3.2`, `6.4.1–4`: runs of three and more become ranges. */
export function caseRanges(ids: readonly string[], dash: string): string[] {
  const runs: { prefix: string; from: number; to: number }[] = [];
  for (const id of [...ids].sort(compareCaseIds)) {
    const dot = id.lastIndexOf('.');
    const prefix = id.slice(0, dot + 1);
    const number = Number(id.slice(dot + 1));
    const last = runs.at(-1);
    if (last && last.prefix === prefix && last.to + 1 === number) last.to = number;
    else runs.push({ prefix, from: number, to: number });
  }
  return runs.flatMap(({ prefix, from, to }) => {
    if (to - from >= 2) return [`${prefix}${from}${dash}${to}`];
    return to === from ? [`${prefix}${from}`] : [`${prefix}${from}`, `${prefix}${to}`];
  });
}
