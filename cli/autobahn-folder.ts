// The folder that Autobahn's own file names: its index, and a file for each case.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import { redactStrings } from '../lib/result/redact.ts';
import type { ConformResult } from '../lib/result/result.ts';
import { autobahnIndex, autobahnReportFile } from '../reports/index.ts';
import { openText } from './report-files.ts';

/**
 * Prepares the folder.
 *
 * @throws WsbenchError `REPORT_WRITE` when it cannot be written to
 */
export function openAutobahnFolder(
  outdir: string,
  cwd: string,
): { path: string; write: (result: ConformResult) => void } {
  const folder = resolve(cwd, outdir);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new WsbenchError('REPORT_WRITE', `cannot make ${outdir}: ${fileTrouble(cause)}`, { cause });
  }
  const index = openText(join(folder, 'index.json'), cwd);
  return {
    path: outdir,
    write: (result) => {
      const masked = redactStrings(result);
      for (const { name, verdicts } of masked.agents) {
        for (const verdict of verdicts) {
          const file = openText(join(folder, autobahnReportFile(name, verdict.caseId)), cwd);
          file.write(`${JSON.stringify({ agent: name, ...verdict }, null, 2)}\n`);
        }
      }
      index.write(autobahnIndex(masked));
    },
  };
}
