// Compares text with a file in test/golden; UPDATE_GOLDEN=1 writes the file instead.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

// Tests run from dist/test; goldens stay beside the sources.
const folder = new URL('../../test/golden/', import.meta.url);

/**
 * Asserts that text equals the golden file.
 *
 * @param name path below `test/golden`
 */
export function assertGolden(name: string, text: string): void {
  const path = fileURLToPath(new URL(name, folder));
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  assert.equal(text, readFileSync(path, 'utf8'), `${name} differs; UPDATE_GOLDEN=1 rewrites it`);
}
