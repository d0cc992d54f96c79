// The results as the page carries them, kept to a size that browsers and mail take.
import type { Result, StressResult } from '../../lib/result/result.ts';

/** JSON of one result. */
export interface EmbeddedJson {
  json: string;
  /** What the page has no room for; empty: nothing is missing. */
  leftOut: string;
}

/** Most characters of all results of a page together, as long as something can be left out. */
const roomFor = 3_000_000;

/** The JSON of each result: whole where there is room, else without what takes the most. */
export function embedJson(results: readonly Result[]): EmbeddedJson[] {
  const whole = results.map((result) => ({ json: JSON.stringify(result), leftOut: '' }));
  if (fits(whole)) return whole;
  const lean = results.map((result, index) =>
    result.kind === 'stress'
      ? { json: JSON.stringify(withoutPayloads(result)), leftOut: 'the histograms of single seconds' }
      : (whole[index] ?? { json: '', leftOut: '' }),
  );
  if (fits(lean)) return lean;
  return results.map((result, index) =>
    result.kind === 'stress'
      ? {
          json: JSON.stringify({ ...result, series: { ...result.series, due: [], wall: [] } }),
          leftOut: 'the rows of its seconds',
        }
      : (whole[index] ?? { json: '', leftOut: '' }),
  );
}

const fits = (all: readonly EmbeddedJson[]): boolean =>
  all.reduce((sum, { json }) => sum + json.length, 0) <= roomFor;

function withoutPayloads(result: StressResult): StressResult {
  const due = result.series.due.map(({ hdr: _, ...row }) => row);
  return { ...result, series: { ...result.series, due } };
}
