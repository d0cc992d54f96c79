// Text from outside (the target, a saved file) made fit to print: nothing in it can steer a terminal or hide.

// Controls, formats (bidirectional overrides, zero-width characters, tags), surrogates, private use, unassigned, line
// and paragraph separators, and the fillers that look like nothing.
const unprintable =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u3164|\uffa0/gu;
// A zero-width joiner between two pictures belongs to one emoji.
const joinedEmoji = /(?<=\p{Extended_Pictographic}\ufe0f?)\u200d(?=\p{Extended_Pictographic})/gu;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const placeholder = '\ue000';
/** What our own words are written with besides ASCII, and what stands for it where that is all there is. */
const asciiWords: Readonly<Record<string, string>> = {
  '·': '|',
  '×': 'x',
  '→': '->',
  '←': '<-',
  '–': '-',
  '—': '--',
  '−': '-',
  '…': '...',
  µ: 'u',
  '§': 'section ',
  '≤': '<=',
  '≥': '>=',
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
};
const shortEscapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Text in ASCII: our own words in the nearest signs, all else as escapes. */
export function inAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) => asciiWords[character] ?? escapeCharacter(character));
}

/** Cuts text to at most `max` code points, and says so with an ellipsis. */
export function cutText(text: string, max: number, unicode = true): string {
  const ellipsis = unicode ? '…' : '...';
  if (text.length <= max) return text;
  const points = Array.from(text);
  if (points.length <= max) return text;
  // Half of a flag or of a family would be another picture.
  const cut = points.slice(0, max - ellipsis.length).join('');
  const whole = segmenter.segment(text).containing(cut.length)?.index ?? cut.length;
  return text.slice(0, whole === 0 ? cut.length : whole) + ellipsis;
}

/**
 * One line of printable text: control characters, ANSI sequences, bidirectional overrides and the like become visible
 * escapes (`\x1b`, `\u{202e}`), and long text is cut.
 *
 * @param max most code points that are kept
 * @param unicode false: everything outside ASCII is written in ASCII or escaped, too
 */
export function plain(text: string, max = 300, unicode = true): string {
  // Bounds the work on hostile input; one character becomes at most ten.
  const bounded = text.slice(0, max * 2 + 2);
  const escaped = bounded
    .replaceAll(placeholder, '\\u{e000}')
    .replace(joinedEmoji, placeholder)
    .replace(unprintable, (character) => (character === placeholder ? character : escapeCharacter(character)))
    .replaceAll(placeholder, '\u200d');
  return cutText(unicode ? escaped : inAscii(escaped), max, unicode);
}
