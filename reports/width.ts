// How many columns text takes in a terminal, and laying it out by that.

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
// Two columns by presentation, also where the code points by themselves take one: hearts, key caps, flags, joined people.
const picture =
  /(?!\p{Regional_Indicator})\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Regional_Indicator}{2}|\ufe0f\u20e3/u;
// Marks that stand over or under a letter, and the vowels and endings of a Hangul syllable. Spacing marks take a column.
const invisible = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff\ud7b0-\ud7ff]$/u;
// UAX #11: East Asian Wide and Fullwidth, by block.
const wide =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$/u;
// ASCII, and the signs that our own words and lines are made of: most of what is ever measured, a column each.
const narrow = /^[\x20-\x7e§µ·×–—−…←→─█░▁-▇✓✗]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours that we print ourselves
const colours = /\u001b\[[\d;]*m/g;

function graphemeWidth(grapheme: string): number {
  if (picture.test(grapheme)) return 2;
  let columns = 0;
  for (const character of grapheme) columns += invisible.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return columns;
}

/** True of text whose every character takes one column, beyond doubt. */
export function isNarrow(text: string): boolean {
  return narrow.test(text);
}

/** Columns that text takes: CJK and emoji two, combining marks and our own colour codes none. */
export function displayWidth(text: string): number {
  const bare = text.replace(colours, '');
  if (isNarrow(bare)) return bare.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(bare)) columns += graphemeWidth(segment);
  return columns;
}

/** Text followed by spaces up to `columns`. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/** Text preceded by spaces up to `columns`. */
export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - displayWidth(text))) + text;
}

/** Text, cut between characters so that it takes at most `columns`. */
export function fit(text: string, columns: number, unicode: boolean): string {
  if (displayWidth(text) <= columns) return text;
  const ellipsis = unicode ? '…' : '...';
  const room = columns - ellipsis.length;
  const [start = ''] = room < 1 ? [] : split(text, room);
  // Where even one character is too wide.
  return displayWidth(start) > room ? ellipsis.slice(0, Math.max(0, columns)) : start + ellipsis;
}

/** Breaks a word that is too long at grapheme borders. */
function split(word: string, columns: number): string[] {
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const { segment } of segmenter.segment(word)) {
    const width = graphemeWidth(segment);
    if (used + width > columns && part !== '') {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += segment;
    used += width;
  }
  return part === '' ? parts : [...parts, part];
}

/** Lines of at most `columns`, broken at spaces where possible. Never empty. */
export function wrap(text: string, columns: number): string[] {
  const room = Math.max(8, columns);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (displayWidth(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    const parts = split(word, room);
    lines.push(...parts.slice(0, -1));
    line = parts.at(-1) ?? '';
  }
  return [...lines, line];
}

/** Lines of parts with a separator between them, broken after a separator; a part longer than a line is wrapped. */
export function wrapParts(parts: readonly string[], separator: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  parts.forEach((part, index) => {
    const text = index < parts.length - 1 ? part + separator.trimEnd() : part;
    const joined = line === '' ? text : `${line} ${text}`;
    if (displayWidth(joined) <= columns) {
      line = joined;
      return;
    }
    if (line !== '') lines.push(line);
    const wrapped = wrap(text, columns);
    lines.push(...wrapped.slice(0, -1));
    line = wrapped.at(-1) ?? '';
  });
  return [...lines, line];
}
