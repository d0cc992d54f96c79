// Whether runs went on at the same time, by the wall clocks of the machines that they were made on.
import type { Run } from './result.ts';

/** Two runs of which one began when the other had ended. */
export interface Gap {
  /** Their places among all. */
  earlier: number;
  later: number;
  /** Time between the end of the one and the beginning of the other. */
  ms: number;
}

/** The widest gap between any two of them; undefined when each went on together with each. */
export function gapBetween(runs: readonly Run[]): Gap | undefined {
  const { begins, ends } = timesOf(runs);
  const [latest, first] = [Math.max(...begins), Math.min(...ends)];
  if (latest < first) return undefined;
  return { earlier: ends.indexOf(first), later: begins.indexOf(latest), ms: latest - first };
}

/** When the first began; and from there to the end of the last, or, where they were not one load, how long the longest was. */
export function spanOf(runs: readonly Run[]): { startedAt: string; durationMs: number } {
  const { begins, ends } = timesOf(runs);
  const beganMs = Math.min(...begins);
  const longestMs = Math.max(...runs.map(({ durationMs }) => durationMs));
  const durationMs = gapBetween(runs) ? longestMs : Math.max(...ends) - beganMs;
  return { startedAt: new Date(beganMs).toISOString(), durationMs: Math.round(durationMs) };
}

/** When each began and ended, in ms since the Unix epoch by its own machine's clock. */
function timesOf(runs: readonly Run[]): { begins: number[]; ends: number[] } {
  const begins = runs.map(({ startedAt }) => Date.parse(startedAt));
  return { begins, ends: runs.map(({ durationMs }, at) => (begins[at] ?? 0) + durationMs) };
}
