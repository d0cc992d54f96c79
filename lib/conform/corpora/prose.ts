// Verse in Latin-1: binary for a WebSocket, since it is no UTF-8.
import { pick, randomFrom } from './random.ts';
import { german, germanEndings, germanPrefixes } from './words.ts';

// So often a word has an ending, and a prefix: without them verse would be compressed to a quarter, which none is.
const inflected = 0.5;
const prefixed = 0.25;

/** Exactly so many bytes of stanzas. */
export function proseBytes(length: number): Buffer {
  const random = randomFrom(3);
  const lines: string[] = [];
  for (let size = 0, row = 1; size < length; row++) {
    const words = Array.from({ length: 5 + Math.floor(random() * 4) }, () => wordOf(random));
    const line = words.join(' ');
    const end = random() < 0.4 ? '.' : ',';
    lines.push(`${line.charAt(0).toUpperCase()}${line.slice(1)}${end}\r\n${row % 4 === 0 ? '\r\n' : ''}`);
    size += lines.at(-1)?.length ?? 0;
  }
  return Buffer.from(lines.join(''), 'latin1').subarray(0, length);
}

function wordOf(random: () => number): string {
  const stem = pick(random, german);
  const prefix = random() < prefixed ? pick(random, germanPrefixes) : '';
  return prefix + stem + (random() < inflected ? pick(random, germanEndings) : '');
}
