// Reads a saved result.
import { WsbenchError } from '../errors.ts';
import { Histogram } from '../metrics/histogram.ts';
import { type Result, type StressResult, schemaVersion } from './result.ts';
import { resultSchema } from './schema.ts';

/**
 * Reads the text of a saved result. Fields that this version does not know are kept.
 *
 * @param file the name that errors use
 * @throws WsbenchError `USAGE`: not JSON, not a result of wsbench, or one of a newer schema version
 */
export function parseResult(text: string, file: string): Result {
  const fail = (why: string): never => {
    throw new WsbenchError('USAGE', `${file}: ${why}`);
  };
  const value = parseJson(text) ?? fail('not JSON; give a result saved by wsbench');
  if (Array.isArray(value)) return fail('holds several results; give files with one result each');
  if (typeof value !== 'object' || !('schemaVersion' in value) || !('kind' in value)) {
    return fail('JSON, but not a wsbench result');
  }
  const version = value.schemaVersion;
  if (typeof version === 'number' && version > schemaVersion) {
    return fail(
      `made by a newer wsbench (schemaVersion ${version}, known here: ${schemaVersion}); update wsbench`,
    );
  }
  const parsed = resultSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
    return fail(`not a wsbench result: ${where}${issue?.message ?? 'invalid'}`);
  }
  // The schema has checked every field that it knows; the value itself still has the others.
  const result = value as Result;
  const unreadable = result.kind === 'stress' ? unreadableHistogram(result) : undefined;
  if (unreadable !== undefined) return fail(`not a wsbench result: ${unreadable}: not a histogram`);
  return result;
}

/** Which of the histograms of a run, that reports draw, is none. Those of its seconds are many: who wants one reads it. */
function unreadableHistogram({ metrics }: StressResult): string | undefined {
  for (const [name, { hdr }] of Object.entries(metrics)) {
    try {
      if (hdr !== undefined) Histogram.decode(hdr);
    } catch {
      return `metrics.${name}.hdr`;
    }
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    // Editors on Windows put a byte order mark first.
    return JSON.parse(text.replace(/^\ufeff/, '')) ?? {};
  } catch {
    return undefined;
  }
}
