// Retry-After in seconds, as a date, and as neither.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRetryAfter, retryAfterMs } from '../../lib/cause/retry-after.ts';

const now = Date.parse('2026-11-23T08:00:00Z');

// biome-ignore format: a table
const rows: [value: string, ms: number | undefined, words: RegExp][] = [
  ['7', 7000, /to wait 7 s$/],
  ['0', 0, /again at once/],
  ['315360000', 315_360_000_000, /to wait 3650 days/],
  ['Mon, 23 Nov 2026 08:02:05 GMT', 125_000, /to wait 2 m 5 s$/],
  ['Monday, 23-Nov-26 08:02:05 GMT', 125_000, /to wait 2 m 5 s$/],
  ['Mon Nov 23 08:02:05 2026 GMT', 125_000, /to wait 2 m 5 s$/],
  ['Sun, 22 Nov 2026 08:00:00 GMT', 0, /again at once/],
  ['soon', undefined, /neither seconds nor a date: "soon"/],
  ['-1', undefined, /neither/],
  ['1.5', undefined, /neither/],
  ['2026', 2_026_000, /33 m 46 s/],
  ['9'.repeat(40), undefined, /neither/],
  ['', undefined, /neither/],
];
for (const [value, ms, words] of rows) {
  test(`Retry-After: ${value.slice(0, 40)}`, () => {
    assert.equal(retryAfterMs(value, now), ms);
    assert.match(describeRetryAfter(value, now), words);
  });
}
