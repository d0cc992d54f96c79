// Reads saved results.
import { WsbenchError } from '../lib/errors.ts';
import { parseResult } from '../lib/index.ts';
import { redactStrings } from '../lib/result/redact.ts';
import type { Result } from '../lib/result/result.ts';
import type { Io } from './io.ts';
import { readText } from './options.ts';
import { latestRun } from './runs.ts';

/**
 * Reads a saved result, masking what an older version or another tool left in it; `latest` is the newest saved run.
 *
 * @throws WsbenchError `USAGE` when it cannot be read or is no result
 */
export function readResult(file: string, io: Io): Result {
  const path = file === 'latest' ? latestRun(io.cwd) : file;
  try {
    return redactStrings(parseResult(readText(path, 'result', io), file));
  } catch (error) {
    if (file !== 'latest' || !(error instanceof WsbenchError)) throw error;
    throw new WsbenchError(
      'USAGE',
      'there is no saved run here yet: run wsbench quick or wsbench stress first',
      {
        cause: error,
      },
    );
  }
}
