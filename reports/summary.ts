// The report for a CI job's summary page, which takes only so many bytes.
import { markdown, shortMarkdown } from './markdown.ts';
import type { Reporter } from './reporter.ts';

/** GitHub takes 1 MiB per step summary; this leaves room for other steps' text. */
export const summaryLimitBytes = 900_000;

const notice = '\n\n*The rest was cut: the summary of a job step may not be longer.*\n';

/**
 * Makes a reporter whose output never exceeds `limitBytes`: first the block on how it was measured goes, then the end.
 *
 * @param limitBytes most UTF-8 bytes; 900,000 for `$GITHUB_STEP_SUMMARY`
 */
export function summaryMarkdown(limitBytes = summaryLimitBytes): Reporter {
  return (results, options) => {
    const whole = markdown(results, options);
    if (Buffer.byteLength(whole) <= limitBytes) return whole;
    const short = shortMarkdown(results, options);
    return Buffer.byteLength(short) <= limitBytes ? short : cutBytes(short, limitBytes);
  };
}

/** Cuts at the last whole line that fits, so that no table row and no character is broken. */
function cutBytes(text: string, limitBytes: number): string {
  const room = Math.max(0, limitBytes - Buffer.byteLength(notice));
  const head = Buffer.from(text).subarray(0, room).toString();
  return (head.slice(0, Math.max(0, head.lastIndexOf('\n'))) + notice).slice(-limitBytes);
}
