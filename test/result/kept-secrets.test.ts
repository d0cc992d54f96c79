// Secrets that were kept: masked in whatever form they come back, quickly, and ordinary words are left alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepSecret, maskKept } from '../../lib/result/kept-secrets.ts';
import { parseResult } from '../../lib/result/parse.ts';
import { redactStrings, redactText } from '../../lib/result/redact.ts';

const timeout = 60_000;

/** How peers write what they were sent. Each leaves what is no letter in a form of its own. */
// biome-ignore format: a table
const writers: [name: string, write: (text: string) => string][] = [
  ['as it is',              (text) => text],
  ['JSON',                  (text) => JSON.stringify(text)],
  ['JSON with \\/',         (text) => JSON.stringify(text).replaceAll('/', '\\/')],
  ['JSON in ASCII',         (text) => JSON.stringify(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)],
  ['a URL',                 (text) => `?t=${encodeURIComponent(text)}`],
  ['a URL in lower case',   (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase())],
  ['a form',                (text) => new URLSearchParams({ t: text }).toString()],
  ['base64',                (text) => Buffer.from(text).toString('base64')],
  ['base64url',             (text) => Buffer.from(text).toString('base64url')],
  ['HTML',                  (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')],
];

test('no secret survives in any form, in any surroundings', { timeout }, () => {
  const secret = fc.string({ unit: 'grapheme', minLength: 4, maxLength: 60 }).map((text) => `S_${text}`);
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
      keepSecret(value);
      for (const [name, write] of writers) {
        const form = write(value);
        const masked = maskKept(`${before}${form}${after}`);
        assert.ok(!masked.includes(form.replace(/^\??t=|^"|"$/g, '')), `${name}: ${form} in ${masked}`);
      }
    }),
    { numRuns: 500 },
  );
});

test('overlapping secrets leave nothing of any', () => {
  keepSecret('abc-overlap-one');
  keepSecret('one-and-the-rest');
  assert.equal(maskKept('>abc-overlap-one-and-the-rest<'), '>[redacted]<');
  keepSecret('overlap-short');
  keepSecret('overlap-short-and-longer-one');
  assert.equal(maskKept('overlap-short-and-long, overlap-short.'), '[redacted], [redacted].');
});

test('words of our own are no secrets: results stay results', () => {
  const text = readFileSync(new URL('../../../test/golden/json-stress-passed.json', import.meta.url), 'utf8');
  const before = parseResult(text, 'golden');
  for (const word of ['stress', 'passed', 'wsbench', 'metrics', 'connec', 'messages', 'localhost', 'secret'])
    keepSecret(word);
  assert.deepEqual(redactStrings(before), before);
  assert.deepEqual(parseResult(JSON.stringify(redactStrings(before)), 'redacted').kind, 'stress');
  for (const sentence of [
    'tokens a minute',
    'stress test: 12345 messages',
    'the secret has 6 bytes',
    'saved .wsbench/runs/stress.json',
  ])
    assert.equal(redactText(sentence), sentence);
  // A longer one is masked, whatever it begins with.
  keepSecret('stressful-secret');
  assert.equal(redactText('it is stressful-secret'), 'it is [redacted]');
});

test('10,000 secrets are masked in no more than a moment', { timeout }, () => {
  const jwt = (n: number): string =>
    `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${Buffer.from(`{"aud":"authenticated","sub":"user-${n}"}`).toString('base64url')}.${'s'.repeat(43)}`;
  const opaque = (n: number): string => Buffer.from(`${(n * 7919) % 99_991} opaque ${n}`).toString('base64');
  for (let n = 0; n < 10_000; n++) {
    keepSecret(jwt(n));
    keepSecret(opaque(n));
  }
  const reasons = Array.from(
    { length: 200 },
    (_, n) => `${'lorem ipsum '.repeat(40)} ${jwt(n * 50)} ${opaque(n * 49)}`,
  );
  // Sorts what was kept.
  maskKept(jwt(1));
  const startMs = performance.now();
  const masked = redactStrings(reasons);
  const tookMs = performance.now() - startMs;
  for (const text of masked) assert.match(text, /^(lorem ipsum )+ \[redacted\] \[redacted\]$/);
  // 15 to 30 ms on a machine of 2 cores; with a search for each secret it was 2,000.
  assert.ok(tookMs < 500, `${tookMs} ms`);
});

test('what peers send cannot make masking slow', { timeout }, () => {
  const length = 65_536;
  for (const piece of ['a+', 'a:', 'a://', '"\\', '"token', '"', 'eyJ', 'bearer ', 'cookie:', '?a', 'x']) {
    const text = piece.repeat(length / piece.length);
    const startMs = performance.now();
    redactText(text);
    redactText(`["${text}`);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 500, `${piece}: ${tookMs} ms`);
  }
});

test('a process that lives long forgets the oldest, never the latest 30,000', { timeout }, () => {
  keepSecret('the-first-of-very-many');
  for (let n = 0; n < 100_000; n++) keepSecret(`many-${n}-secrets`);
  assert.equal(maskKept('the-first-of-very-many'), 'the-first-of-very-many');
  for (const n of [70_000, 99_999]) assert.equal(maskKept(`many-${n}-secrets`), '[redacted]');
});
