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
  const { text, column } = window(cells(masked.text), masked.at);
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
  /** Index of its first code unit in the text. */
  index: number;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
// What must not drive a terminal: control characters, and those that turn the direction of writing.
const control = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const invisible = /^[\p{M}\p{Cf}]+$/u;

function cells(text: string): Cell[] {
  return [...graphemes.segment(text)].map(({ segment, index }) => {
    if (segment === '\t') return { text: '  ', width: 2, index };
    if (control.test(segment)) return { text: '�', width: 1, index };
    if (invisible.test(segment)) return { text: '', width: 0, index };
    return { text: segment, width: wide.test(segment) ? 2 : 1, index };
  });
}

/** As many cells around an index as fit, and the column of the index among them. */
function window(all: readonly Cell[], at: number): { text: string; column: number } {
  const ends = all.findIndex(({ index, text }) => at < index + Math.max(1, text.length));
  const caret = ends < 0 ? all.length : ends;
  // More is shown of what stands before: that is what people read first.
  let first = caret;
  let taken = 0;
  for (; first > 0 && taken + (all[first - 1]?.width ?? 0) <= widest * 0.6; first--) {
    taken += all[first - 1]?.width ?? 0;
  }
  let last = caret;
  for (; last < all.length && taken + (all[last]?.width ?? 0) <= widest; last++)
    taken += all[last]?.width ?? 0;
  for (; first > 0 && taken + (all[first - 1]?.width ?? 0) <= widest; first--)
    taken += all[first - 1]?.width ?? 0;
  const lead = first > 0 ? '…' : '';
  const tail = last < all.length ? '…' : '';
  const before = all.slice(first, caret);
  return {
    text: `${lead}${all
      .slice(first, last)
      .map(({ text }) => text)
      .join('')}${tail}`,
    column: lead.length + before.reduce((sum, { width }) => sum + width, 0),
  };
}
