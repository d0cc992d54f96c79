// The line of a file that an error is about, with a caret under the place, secrets masked. Pure.
import { redactText } from '../result/redact.ts';

/** A part of a text: from `start` up to, not including, `end`. */
export interface Range {
  start: number;
  end: number;
}

const mask = '[redacted]';
/** Columns of the terminal that a shown line takes at most, without its number. */
const widest = 100;

/**
 * A line and the line with the caret below it, as two lines of text.
 *
 * @param line the line, without its end
 * @param number its number, from 1
 * @param at index in the line that the caret points to
 * @param secrets parts of the line that must not be shown
 */
export function excerpt(line: string, number: number, at: number, secrets: readonly Range[] = []): string {
  const masked = maskRanges(line, at, [...secrets, ...looksSecret(line)]);
  const { text, column } = window(masked.text, masked.at);
  const gutter = `${number}`.padStart(4);
  return `${gutter} | ${text}\n${' '.repeat(gutter.length)} | ${' '.repeat(column)}^`;
}

/** Puts the mask in place of parts of a text; an index inside of one moves to its start. */
function maskRanges(text: string, at: number, ranges: readonly Range[]): { text: string; at: number } {
  let shown = '';
  let moved = at;
  let done = 0;
  for (const { start, end } of merge(ranges)) {
    if (start >= text.length || end <= start) continue;
    shown += text.slice(done, start);
    if (at >= end) moved += mask.length - (Math.min(end, text.length) - start);
    else if (at > start) moved = shown.length;
    shown += mask;
    done = end;
  }
  return { text: shown + text.slice(done), at: moved };
}

function merge(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}

/** What {@link redactText} would mask: what stands between the parts that it leaves. */
function looksSecret(line: string): Range[] {
  const redacted = redactText(line);
  if (redacted === line) return [];
  const ranges: Range[] = [];
  let end = 0;
  const parts = redacted.split(mask);
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const found = last ? line.length - part.length : line.indexOf(part, end);
    // It did more than put masks in: nothing is shown.
    if (found < end || !line.startsWith(part, found)) return [{ start: 0, end: line.length }];
    if (index > 0) ranges.push({ start: end, end: found });
    end = found + part.length;
  }
  return ranges;
}

interface Cell {
  text: string;
  /** Columns of the terminal. */
  width: number;
  /** Index behind its last code unit in the text. */
  end: number;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
// What must not drive a terminal: control characters, and those that turn the direction of writing.
const control = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const invisible = /^[\p{M}\p{Cf}]+$/u;

function cells(text: string): Cell[] {
  return [...graphemes.segment(text)].map(({ segment, index }) => {
    const end = index + segment.length;
    if (segment === '\t') return { text: '  ', width: 2, end };
    if (control.test(segment)) return { text: '�', width: 1, end };
    if (invisible.test(segment)) return { text: '', width: 0, end };
    return { text: segment, width: wide.test(segment) ? 2 : 1, end };
  });
}

/** As much of a text around an index as fits, and the column of the index in it. */
function window(text: string, at: number): { text: string; column: number } {
  // What is far away is never shown, and segmenting takes time by the square of the length.
  const from = Math.max(0, at - 4 * widest);
  const near = text.slice(from, at + 4 * widest);
  const all = cells(near);
  const found = all.findIndex(({ end }) => at - from < end);
  const caret = found < 0 ? all.length : found;
  const widthOf = (index: number): number => all[index]?.width ?? 0;
  let first = caret;
  let last = caret;
  let taken = 0;
  const takeBefore = (limit: number): void => {
    while (first > 0 && taken + widthOf(first - 1) <= limit) taken += widthOf(--first);
  };
  // More is shown of what stands before: that is what people read first.
  takeBefore(widest * 0.6);
  while (last < all.length && taken + widthOf(last) <= widest) taken += widthOf(last++);
  takeBefore(widest);
  const lead = first > 0 || from > 0 ? '…' : '';
  const tail = last < all.length || from + near.length < text.length ? '…' : '';
  const shown = all.slice(first, last);
  return {
    text: `${lead}${shown.map((cell) => cell.text).join('')}${tail}`,
    column: lead.length + all.slice(first, caret).reduce((sum, { width }) => sum + width, 0),
  };
}
