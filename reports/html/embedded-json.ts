// The results as the page carries them, kept to a size that browsers and mail take.
import type { Result } from '../../lib/result/result.ts';
import { cutText } from '../plain.ts';

/** JSON of one result. */
export interface EmbeddedJson {
  json: string;
  /** What the page has no room for, which the saved result has. */
  leftOut: readonly string[];
}

/** Most characters of all results of a page together, as long as something can be left out. */
const roomFor = 3_000_000;
/** Where there is no room, longer texts are cut; no histogram is one. */
const longText = 4000;

/** The JSON of each result: whole where there is room, else without what takes the most and says the least. */
export function embedJson(results: readonly Result[]): EmbeddedJson[] {
  const whole = results.map((result) => ({ json: JSON.stringify(result), leftOut: [] }));
  if (fits(whole)) return whole;
  const lean = results.map((result) => leanJson(result, false));
  return fits(lean) ? lean : results.map((result) => leanJson(result, true));
}

const fits = (all: readonly EmbeddedJson[]): boolean =>
  all.reduce((sum, { json }) => sum + json.length, 0) <= roomFor;

function leanJson(result: Result, withoutRows: boolean): EmbeddedJson {
  const leftOut = new Set<string>();
  const shortened = (key: string, value: unknown): unknown => {
    if (typeof value !== 'string' || value.length <= longText || key === 'hdr') return value;
    leftOut.add('the ends of long texts');
    return cutText(value.slice(0, 2 * longText), longText);
  };
  if (result.kind !== 'stress') return { json: JSON.stringify(result, shortened), leftOut: [...leftOut] };
  leftOut.add(withoutRows ? 'the rows of its seconds' : 'the histograms of single seconds');
  const { due, wall, ...series } = result.series;
  const rows = withoutRows ? { due: [], wall: [] } : { due: due.map(({ hdr: _, ...row }) => row), wall };
  const json = JSON.stringify({ ...result, series: { ...series, ...rows } }, shortened);
  return { json, leftOut: [...leftOut] };
}
