// The line that an error shows: the caret stays under its place, whatever the line holds, and secrets are masked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { excerpt } from '../../lib/yaml/excerpt.ts';
import { checkYaml, parseYaml } from '../../lib/yaml.ts';

// biome-ignore format: a table; « is where the caret belongs
const rows: [what: string, line: string, shown: string][] = [
  ['plain', 'a: «b', '   7 | a: b\n     |    ^'],
  ['first column', '«a', '   7 | a\n     | ^'],
  ['end of the line', 'a: [«', '   7 | a: [\n     |     ^'],
  ['empty line', '«', '   7 | \n     | ^'],
  ['tab', 'a:\t«b', '   7 | a:  b\n     |     ^'],
  ['wide letters', '日本: «x', '   7 | 日本: x\n     |       ^'],
  ['emoji of several code points', '👨‍👩‍👧 é: «x', '   7 | 👨‍👩‍👧 é: x\n     |       ^'],
  ['combining marks', 'e\u0301: «x', '   7 | e\u0301: x\n     |    ^'],
  ['control characters', 'a\u0007\u001b[2J: «x', '   7 | a��[2J: x\n     |         ^'],
  ['direction of writing', 'a\u202e: «x', '   7 | a�: x\n     |     ^'],
  ['a JWT before it', 'a: eyJhbGciOiJI.eyJzdWIiOiIx.sig, «b', '   7 | a: [redacted], b\n     |                ^'],
  ['a JWT around it', 'a: eyJhbGciOi«JI.eyJzdWIiOiIx.sig', '   7 | a: [redacted]\n     |    ^'],
  ['a header line', 'Authorization: Bearer abc«def', '   7 | Authorization: [redacted]\n     |                ^'],
  ['a URL with a password', 'url: ws://me:pw@host «x', '   7 | url: ws://[redacted]@host x\n     |                           ^'],
];
for (const [what, marked, shown] of rows) {
  test(`excerpt: ${what}`, () => {
    assert.equal(excerpt(marked.replace('«', ''), 7, marked.indexOf('«')), shown);
  });
}

test('excerpt: long lines are cut around the caret', () => {
  const line = `${'a'.repeat(500)}!${'b'.repeat(500)}`;
  const [shown = '', caret = ''] = excerpt(line, 12, 500).split('\n');
  assert.ok(shown.length < 115, shown);
  assert.match(shown, /^ {2}12 \| …a+!b+…$/);
  assert.equal(caret.indexOf('^'), shown.indexOf('!'));
});

test('excerpt: the caret is under its letter, in any line', { timeout: 60_000 }, () => {
  const letter = fc.constantFrom('a', ' ', '\t', '日', '🙂', 'é', '\u0301', ':', '"', '\u0000');
  fc.assert(
    fc.property(
      fc.array(letter, { maxLength: 300 }),
      fc.array(letter, { maxLength: 300 }),
      (before, after) => {
        const start = before.join('');
        const [shown = '', caret = ''] = excerpt(`${start}!${after.join('')}`, 1, start.length).split('\n');
        const columns = [...new Intl.Segmenter().segment(shown.slice(0, shown.indexOf('!')))].reduce(
          (sum, { segment }) => sum + (/日|🙂/u.test(segment) ? 2 : /^\u0301/.test(segment) ? 0 : 1),
          0,
        );
        assert.equal(caret.indexOf('^'), columns);
      },
    ),
  );
});

const anything = z.strictObject({ wrong: z.number() }).partial();
// Each has the canary where somebody might put a secret, and a mistake on the same line or one with it.
// biome-ignore format: a table
const secrets: [what: string, text: string][] = [
  ['plain', 'token: CANARY'],
  ['quoted', '"password": "CANARY, } x"'],
  ['flow', 'x: { type: login, apikey: CANARY, y: 1 }'],
  ['flow, quoted', "{ 'secret': 'CANARY', wrong: x }"],
  ['header', 'headers: { X-Session: CANARY, wrong: x }'],
  ['cookie', 'Cookie: "sid=CANARY"'],
  ['list', 'tokens: [CANARY, CANARY2]'],
  ['list in lines', 'tokens:\n  - CANARY'],
  ['block', 'wrong: x\nsecret: |\n  CANARY\n  CANARY\n'],
  ['mapping', 'credential: { user: a, pw: CANARY }'],
  ['over lines', 'password: "a\n  CANARY\n  b"'],
  ['not YAML', 'token: "CANARY" "x"'],
  ['not YAML, in a flow', '{ token: CANARY, : : ['],
  ['not YAML, quote open', 'token: "CANARY'],
  ['two scalars', 'password: "a" "CANARY"'],
  ['anchor', 'token: &a CANARY\nwrong: *a'],
  ['comment', 'wrong: x # Authorization: CANARY'],
];
for (const [what, text] of secrets) {
  test(`excerpt: a secret is masked, ${what}`, () => {
    const { issues } = checkYaml(text, anything);
    assert.ok(issues.length > 0);
    for (const issue of issues) {
      assert.doesNotMatch(`${issue.message}\n${issue.excerpt}`, /CANARY/);
    }
  });
}

test('excerpt: placeholders in secrets are shown: they are what is wrong', () => {
  const { issues } = checkYaml('password: "a{{ tokn }}b"', anything);
  assert.equal(issues[0]?.excerpt, '   1 | password: [redacted]{{ tokn }}[redacted]\n     | ^');
});

test('mistakes: all in one error, in order, at most 20', () => {
  const text = `${Array.from({ length: 30 }, (_, index) => `key${index}: 1`).join('\n')}\n`;
  assert.throws(
    () => parseYaml(text, anything, 'f.yml'),
    (error: Error & { excerpt?: string }) => {
      assert.match(error.message, /^f\.yml:1:1 key0: .*\(and at least 19 more\)$/);
      const places = [...(error.excerpt ?? '').matchAll(/^f\.yml:(\d+):1 /gm)].map((found) =>
        Number(found[1]),
      );
      assert.deepEqual(
        places,
        Array.from({ length: 19 }, (_, index) => index + 2),
      );
      return true;
    },
  );
});

test('mistakes: lines that end as on Windows, and a byte order mark', () => {
  const { issues } = checkYaml('\ufeffa: 1\r\nwrong: x\r\n', anything);
  assert.deepEqual(
    issues.map(({ line, column, excerpt: shown }) => [line, column, shown]),
    [
      [1, 1, '   1 | a: 1\n     | ^'],
      [2, 8, '   2 | wrong: x\n     |        ^'],
    ],
  );
});
