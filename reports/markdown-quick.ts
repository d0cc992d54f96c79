// The checks of a quick result as a table.
import { formatDuration } from '../lib/duration.ts';
import type { CheckStatus, QuickResult } from '../lib/result/result.ts';
import { markdownCode, markdownTable, markdownText } from './markdown-escape.ts';

const marks: Record<CheckStatus, string> = { passed: '✅ passed', failed: '❌ failed', skipped: '⏭️ skipped' };

/** Lines for a quick result. */
export function quickLines(result: QuickResult, titled: boolean): string[] {
  const title = titled
    ? [`### ${markdownCode(result.target.url, 200)} (${markdownText(result.run.id, 100)})`, '']
    : [];
  if (result.checks.length === 0) return [...title, 'No check was run.', ''];
  const rows = result.checks.map((check) => [
    markdownText(check.title, 120),
    marks[check.status],
    markdownText(check.detail),
    check.status === 'skipped' ? '' : formatDuration(roundMs(check.durationMs)),
  ]);
  return [...title, ...markdownTable(['Check', 'Result', 'Detail', 'Time'], 'lclr', rows), ''];
}

function roundMs(value: number): number {
  return value < 100 ? Math.round(value * 10) / 10 : Math.round(value);
}
