// HTML as a server writes it: deep, repetitive, and with some characters that are not ASCII.
import { pick, randomFrom } from './random.ts';
import { english } from './words.ts';

const foreign = ['€', 'é', '—', 'ü', '“', 'ñ', '”', 'å'] as const;
const foreignBytes = foreign.map((character) => Buffer.byteLength(character) - 1);

/** Exactly so many characters, all of the Basic Multilingual Plane, that make exactly so many bytes in UTF-8. */
export function htmlText(characters: number, bytes: number): string {
  const random = randomFrom(4);
  const words = (count: number): string =>
    Array.from({ length: count }, () => pick(random, english)).join(' ');
  const parts = [
    '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Index</title></head>\n<body>\n',
  ];
  let size = parts.join('').length;
  let left = bytes - characters;
  for (let row = 1; ; row++) {
    const index = foreignBytes.findIndex((extra, at) => extra <= left && at >= row % foreign.length);
    const special = row % 17 === 0 && index >= 0 ? (foreign[index] ?? '') : '';
    const part =
      `<div class="entry ${row % 2 === 0 ? 'even' : 'odd'}" id="entry-${row}">\n  <h2><a href="/entries/${row}">` +
      `${words(3)}</a></h2>\n  <p class="summary">${words(18)} ${special}</p>\n  <span class="count">` +
      `${Math.floor(random() * 1000)}</span>\n</div>\n`;
    if (size + part.length + 200 > characters) break;
    parts.push(part);
    size += part.length;
    left -= Buffer.byteLength(part) - part.length;
  }
  // What is still missing of the bytes and characters goes into a last paragraph.
  const tail = ['<p>', '</p>\n</body>\n</html>\n'];
  const rest = 'ü'.repeat(left);
  return (
    parts.join('') + tail.join(rest + '.'.repeat(characters - size - rest.length - tail.join('').length))
  );
}
