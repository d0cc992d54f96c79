// How many columns text takes in a terminal, and laying it out by that.

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const picture = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Regional_Indicator}|\ufe0f\u20e3/u;
const invisible = /^[\p{M}\p{Cf}\p{Cc}]+$/u;
// UAX #11: East Asian Wide and Fullwidth, by block.
const wide =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours that we print ourselves
const colours = /\u001b\[[\d;]*m/g;

function graphemeWidth(grapheme: string): number {
  if (picture.test(grapheme)) return 2;
  if (invisible.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

/** Columns that text takes: CJK and emoji two, combining marks and our own colour codes none. */
export function displayWidth(text: string): number {
  const bare = text.replace(colours, '');
  if (/^[\x20-\x7e]*$/.test(bare)) return bare.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(bare)) columns += graphemeWidth(segment);
  return columns;
}

/** Text followed by spaces up to `columns`. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/** Text, cut so that it takes at most `columns`. */
export function fit(text: string, columns: number, unicode: boolean): string {
  if (displayWidth(text) <= columns) return text;
  const ellipsis = unicode ? '…' : '...';
  return (split(text, Math.max(1, columns - ellipsis.length))[0] ?? '') + ellipsis;
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
