// The report for a CI job's summary page, which takes only so many bytes.
import { markdown, shortMarkdown } from './markdown.ts';
import type { Reporter } from './reporter.ts';

/** GitHub takes 1 MiB per step; this leaves room for other programs' text. */
export const summaryLimitBytes = 900_000;

const notice = (parts: readonly string[]): string =>
  `\n*Left out, as the summary of a step may not be longer: ${parts.join('; ')}.*\n`;
const measured = 'how this was measured';

/**
 * Makes a reporter whose output never exceeds `limitBytes`: first the block on how it was measured goes, then the end. A note
 * says what was left out.
 *
 * @param limitBytes most UTF-8 bytes; 900,000 for `$GITHUB_STEP_SUMMARY`
 */
export function summaryMarkdown(limitBytes = summaryLimitBytes): Reporter {
  return (results, options) => {
    const whole = markdown(results, options);
    if (Buffer.byteLength(whole) <= limitBytes) return whole;
    const short = shortMarkdown(results, options);
    const noted = short + notice([measured]);
    return Buffer.byteLength(noted) <= limitBytes ? noted : cut(short.split('\n'), limitBytes);
  };
}

/** As many whole lines as fit with the note on the others, so that no table row and no character is broken. */
function cut(lines: readonly string[], limitBytes: number): string {
  // What is left out only grows shorter with each line that stays: the longest note is that of nothing kept.
  const longest = Buffer.byteLength(notice(leftOut(lines, 0))) + 100;
  let room = limitBytes - longest;
  let kept = 0;
  for (const line of lines) {
    room -= Buffer.byteLength(line) + 1;
    if (room < 0) break;
    kept++;
  }
  const text = `${lines.slice(0, kept).join('\n')}\n${notice(leftOut(lines, kept))}`;
  return Buffer.byteLength(text) <= limitBytes ? text : '';
}

/** The sections from a line on, the first of them in part. */
function leftOut(lines: readonly string[], from: number): string[] {
  const title = (line: string): string => line.slice('## '.length);
  const isTitle = (line: string): boolean => line.startsWith('## ');
  const left = lines.slice(from);
  const next = left.findIndex(isTitle);
  const rest = (next < 0 ? left : left.slice(0, next)).filter((line) => line !== '').length;
  const begun = lines.slice(0, from).findLast(isTitle);
  const part = `${rest} ${rest === 1 ? 'line' : 'lines'} of ${begun === undefined ? 'the head' : title(begun)}`;
  return [...(rest > 0 ? [part] : []), ...left.filter(isTitle).map(title), measured];
}
