// The summary page of a step of GitHub Actions: added to what is there, and never more than the page takes.
import { appendFileSync, statSync } from 'node:fs';
import { fileTrouble } from '../lib/file-words.ts';
import type { Result } from '../lib/result/result.ts';
import { type ReportOptions, summaryLimitBytes, summaryMarkdown } from '../reports/index.ts';
import { type Io, note } from './io.ts';

/** Adds the report of a result to `$GITHUB_STEP_SUMMARY`, if there is one. What goes wrong is a warning. */
export function appendStepSummary(result: Result, options: ReportOptions, io: Io): void {
  const file = io.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  try {
    // GitHub drops the whole page when it is too long: what other commands of this step wrote counts.
    const before = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const gap = before === 0 ? '' : '\n\n';
    const text = summaryMarkdown(summaryLimitBytes - before - gap.length)([result], options);
    if (text !== '') appendFileSync(file, gap + text);
    else note(io, 'warning: nothing was added to the step summary: it is full');
  } catch (error) {
    note(io, `warning: the step summary was not written: ${fileTrouble(error)}`);
  }
}
