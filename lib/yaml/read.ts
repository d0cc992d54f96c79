// Reading small text files that people write.
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { WsbenchError } from '../errors.ts';
import { fileTrouble } from '../file-words.ts';

/** Largest file that is read, in bytes. */
const largest = 1024 * 1024;

/**
 * The text of a file of at most 1 MiB of UTF-8.
 *
 * @param source its path or URL
 * @param name what errors call it: as the user gave it
 * @param what what it is, such as `target`
 * @throws WsbenchError `USAGE` when it cannot be read, `CONFIG` when it is too large or no text
 */
export function readYamlText(source: string | URL, name: string, what: string): string {
  const bytes = readBounded(source, name, what);
  if (bytes.length > largest) {
    throw new WsbenchError('CONFIG', `${name}: larger than 1 MiB, which no ${what} file needs to be`);
  }
  // A file of two bytes a character would be read as nothing but gaps.
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new WsbenchError('CONFIG', `${name}:1:1 this is UTF-16; save it as UTF-8`);
  }
  if (!isUtf8(bytes)) throw new WsbenchError('CONFIG', `${name}:${firstBadPlace(bytes)} not UTF-8 text`);
  return bytes.toString('utf8');
}

/** Reads one byte more than allowed at most: `/dev/zero` has no size. */
function readBounded(source: string | URL, name: string, what: string): Buffer {
  const buffer = Buffer.alloc(largest + 1);
  let length = 0;
  let file: number | undefined;
  try {
    file = openSync(source, 'r');
    while (length < buffer.length) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
  } catch (cause) {
    throw new WsbenchError('USAGE', `cannot read ${what} ${name}: ${fileTrouble(cause)}`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
  return buffer.subarray(0, length);
}

/** Line and column of the first byte that is not UTF-8. */
function firstBadPlace(bytes: Buffer): string {
  let start = 0;
  for (let line = 1; ; line++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    const part = bytes.subarray(start, end);
    if (!isUtf8(part) || found < 0) return `${line}:${part.toString('utf8').indexOf('\ufffd') + 1}`;
    start = end + 1;
  }
}
