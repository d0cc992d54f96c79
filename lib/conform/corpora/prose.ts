// Verse in Latin-1: binary for a WebSocket, since it is no UTF-8.
import { pick, randomFrom } from './random.ts';
import { german } from './words.ts';

/** Exactly so many bytes of stanzas. */
export function proseBytes(length: number): Buffer {
  const random = randomFrom(3);
  const lines: string[] = [];
  for (let size = 0, row = 1; size < length; row++) {
    const words = Array.from({ length: 5 + Math.floor(random() * 4) }, () => pick(random, german));
    const line = words.join(' ');
    const end = random() < 0.4 ? '.' : ',';
    lines.push(`${line.charAt(0).toUpperCase()}${line.slice(1)}${end}\r\n${row % 4 === 0 ? '\r\n' : ''}`);
    size += lines.at(-1)?.length ?? 0;
  }
  return Buffer.from(lines.join(''), 'latin1').subarray(0, length);
}
