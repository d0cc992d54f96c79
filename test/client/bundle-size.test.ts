// What a page loads: at most 12 KiB, minified and gzipped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BundleName, bundleClient } from '../../tools/client-bundles.ts';

const timeout = 60_000;

// biome-ignore format: a table
const most: Readonly<Record<BundleName, number>> = {
  client:        12 * 1024,
  'client-pool': 14 * 1024,
};

for (const [name, bytes] of Object.entries(most) as [BundleName, number][]) {
  test(`${name}: at most ${bytes} bytes, gzipped`, { timeout }, async (t) => {
    const text = await bundleClient(name);
    const size = gzipSync(text, { level: 9 }).length;
    t.diagnostic(`${text.length} bytes minified, ${size} gzipped`);
    assert.ok(size <= bytes, `${size}`);
    assert.doesNotMatch(text, /\b(import|require)\s*[({"']/, 'a page has no packages');
    assert.equal(text.includes('createPool'), name === 'client-pool');
  });
}
