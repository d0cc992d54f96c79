// How many columns text takes, and tables, cuts and lines that are laid out by it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fittingTable } from '../../reports/fitting-table.ts';
import { plainTable } from '../../reports/plain-table.ts';
import { displayWidth, fit, padEnd, padStart, wrap, wrapParts } from '../../reports/width.ts';

// As a terminal of today draws them: East Asian Wide by UAX #11, emoji by their presentation, marks on top of letters.
// biome-ignore format: a table
const widths: [string, string, number][] = [
  ['nothing', '', 0],
  ['ASCII', 'p99 8.71 ms', 11],
  ['our own signs', '─·×→←–−…µ§✓✗█▁', 14],
  ['our own colours', '\u001b[1m\u001b[31mx\u001b[39m\u001b[22m', 1],
  ['CJK', '日本語', 6],
  ['CJK beyond the first plane', '𠮷', 2],
  ['full-width Latin', 'Ａ１', 4],
  ['half-width katakana', 'ｱｲ', 2],
  ['ideographic space and full stop', '\u3000。', 4],
  ['a square word', '㍿', 2],
  ['hangul syllables', '한글', 4],
  ['a hangul syllable in parts', '\u1112\u1161\u11ab', 2],
  ['a letter with its accent in one', '\u00e9', 1],
  ['a letter and its accent', 'e\u0301', 1],
  ['a letter under a heap of accents', 'Z\u0351\u0343\u0302\u0489', 1],
  ['an accent alone', '\u0301', 0],
  ['Thai with marks above', 'ที่', 1],
  ['Devanagari: marks above take nothing, spacing ones a column', 'नमस्ते', 4],
  ['Tamil: a vowel beside its letter', 'கா', 2],
  ['Hebrew with points', 'שָׁלוֹם', 4],
  ['Arabic', 'مرحبا', 5],
  ['Arabic with vowels', 'مَرْحَبًا', 5],
  ['an emoji', '🚀', 2],
  ['an emoji of Unicode 14', '🫠', 2],
  ['an emoji with a skin tone', '👍🏽', 2],
  ['a family, joined', '👩‍👩‍👧', 2],
  ['an astronaut with a skin tone, joined', '👨🏻‍🚀', 2],
  ['a rainbow flag', '🏳️‍🌈', 2],
  ['a sign as text', '❤', 1],
  ['a sign, asked for as an emoji', '❤\ufe0f', 2],
  ['a sign, asked for as text', '☺\ufe0e', 1],
  ['a check mark and one that is an emoji', '✓✅', 3],
  ['a key cap', '1\ufe0f\u20e3', 2],
  ['a flag', '🇫🇷', 2],
  ['two flags', '🇫🇷🇯🇵', 4],
  ['half a flag', '🇫', 1],
  ['a flag of tags', '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}', 2],
  ['mathematical letters', '𝔘𝕟', 2],
  ['a hexagram', '䷀', 2],
];

for (const [name, text, columns] of widths) {
  test(`${name} takes ${columns} columns`, () => assert.equal(displayWidth(text), columns));
}

test('what stands behind text of any script is in one column', () => {
  for (const [name, text] of widths) {
    if (displayWidth(text) > 20) continue;
    assert.equal(displayWidth(padEnd(text, 20)), 20, name);
    assert.equal(displayWidth(padStart(text, 20)), 20, name);
  }
  const rows = widths.map(([, text]) => [text, '|', text, '|']);
  const lines = plainTable([['left', '|', 'right', '|'], ...rows], ['left', 'left', 'right', 'left'], true);
  const bars = lines.toSpliced(1, 1).map((line) => {
    const [before = '', between = ''] = line.split('|');
    return [displayWidth(before), displayWidth(between)].join(' ');
  });
  assert.deepEqual([...new Set(bars)].length, 1, lines.join('\n'));
});

// biome-ignore format: a table
const cuts: [string, number, boolean, string][] = [
  ['abcdef', 6, true, 'abcdef'],
  ['abcdef', 5, true, 'abcd…'],
  ['abcdef', 5, false, 'ab...'],
  ['日本語日本語', 6, true, '日本…'],
  ['日本語日本語', 7, true, '日本語…'],
  ['e\u0301e\u0301e\u0301', 2, true, 'e\u0301…'],
  ['👩‍👩‍👧👩‍👩‍👧', 3, true, '👩‍👩‍👧…'],
  ['🇫🇷🇯🇵🇩🇪', 5, true, '🇫🇷🇯🇵…'],
  ['שָׁלוֹם', 3, true, 'שָׁל…'],
  ['日本', 2, true, '…'],
  ['日本', 1, true, '…'],
  ['abcdef', 2, false, '..'],
];
for (const [text, columns, unicode, wanted] of cuts) {
  test(`${text} in ${columns} columns${unicode ? '' : ' of ASCII'} is ${wanted}`, () =>
    assert.equal(fit(text, columns, unicode), wanted));
}

const scripts = fc
  .array(
    fc.oneof(fc.constantFrom(...widths.map(([, text]) => text), ' ', '-'), fc.string({ maxLength: 8 })),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

test('cut and broken text keeps to its columns, and broken text loses nothing', () => {
  fc.assert(
    fc.property(scripts, fc.integer({ min: 8, max: 60 }), (text, columns) => {
      assert.ok(displayWidth(fit(text, columns, true)) <= columns);
      assert.ok(displayWidth(fit(text, columns, false)) <= columns);
      const lines = wrap(text, columns);
      for (const line of lines) assert.ok(displayWidth(line) <= columns, line);
      assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
      for (const line of wrapParts([text, text], ' · ', columns)) assert.ok(displayWidth(line) <= columns);
    }),
  );
});

test('a table takes its fullest form that fits; where none does, it is cut, and still no row breaks', () => {
  const form = (columns: number) => () => ['x'.repeat(columns), 'y'];
  const forms = [form(90), form(80), form(70)];
  const width = (columns: number): number =>
    Math.max(...fittingTable(forms, { width: columns, unicode: true }).map(displayWidth));
  assert.deepEqual([100, 90, 89, 80, 75, 70, 60].map(width), [90, 90, 80, 80, 70, 70, 60]);
  assert.match(fittingTable(forms, { width: 60, unicode: false })[0] ?? '', /^x{57}\.\.\.$/);
});
