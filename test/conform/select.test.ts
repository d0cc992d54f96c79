// Which cases patterns choose.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allCases } from '../../lib/conform/index.ts';
import { quickCases, selectCases } from '../../lib/conform/select.ts';
import { compareCaseIds } from '../../lib/result/verdicts.ts';

const ids = (only: string[], exclude: string[] = []): string[] =>
  selectCases(allCases, only, exclude).map(({ id }) => id);

// biome-ignore format: a table
const counts: [only: string[], exclude: string[], count: number, ends: [string, string]][] = [
  [[], [], 517, ['1.1.1', '13.7.18']],
  [['6'], [], 145, ['6.1.1', '6.23.7']],
  [['1'], [], 16, ['1.1.1', '1.2.8']],
  [['7.7.*'], [], 13, ['7.7.1', '7.7.13']],
  [['7.7'], [], 13, ['7.7.1', '7.7.13']],
  [['7.7.1'], [], 1, ['7.7.1', '7.7.1']],
  [['12.1'], [], 18, ['12.1.1', '12.1.18']],
  [['*'], [], 517, ['1.1.1', '13.7.18']],
  [['1*'], [], 233, ['1.1.1', '13.7.18']],
  [['*.1.1'], [], 8, ['1.1.1', '13.1.1']],
  [['12', '2', '1.1'], [], 109, ['1.1.1', '12.5.18']],
  [['2,3'], [], 18, ['2.1', '3.7']],
  [['6', '6.4.1'], ['6.5.*', '6.4'], 136, ['6.1.1', '6.23.7']],
  [[], ['9', '12.*', '13'], 247, ['1.1.1', '10.1.1']],
  [['2.10', '2.9', '2.1'], [], 3, ['2.1', '2.10']],
];

for (const [only, exclude, count, [first, last]] of counts) {
  test(`${only.join(' ') || 'everything'} without ${exclude.join(' ') || 'nothing'} is ${count} cases`, () => {
    const chosen = ids(only, exclude);
    assert.equal(chosen.length, count, chosen.join(' '));
    assert.deepEqual([chosen[0], chosen.at(-1)], [first, last]);
    assert.deepEqual(chosen, chosen.toSorted(compareCaseIds), 'in the order of the ids');
    assert.equal(new Set(chosen).size, count, 'each once');
  });
}

// biome-ignore format: a table
const wrong: [only: string[], exclude: string[], message: RegExp][] = [
  [['8'], [], /^8: no such case; there are sections 1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13$/],
  [['6.24'], [], /^6\.24: no such case; 6 has 145 cases, 6\.1\.1 to 6\.23\.7$/],
  [['7.7.14'], [], /^7\.7\.14: no such case; 7\.7 has 13 cases, 7\.7\.1 to 7\.7\.13$/],
  [['10.1.2'], [], /^10\.1\.2: no such case; near it is 10\.1\.1$/],
  [['utf8'], [], /^utf8: no such case; there are sections/],
  [['1', '9.9.*'], [], /^9\.9\.\*: no such case; 9 has 54 cases/],
  [['2.1x'], [], /^2\.1x: no such case; 2 has 11 cases/],
  [[''], [], /no such case/],
  [['1'], ['11'], /^--exclude 11: no such case/],
  [['1'], ['1.*'], /no case is left/],
];

for (const [only, exclude, message] of wrong) {
  test(`${only.join(' ')} without ${exclude.join(' ')} is refused`, () => {
    assert.throws(() => ids(only, exclude), { code: 'USAGE', message });
  });
}

test('the quick cases touch every section', () => {
  const chosen = selectCases(allCases, quickCases);
  const sections = new Set(chosen.map(({ section }) => section));
  assert.deepEqual([...sections], ['1', '2', '3', '4', '5', '6', '7', '9', '10', '12', '13']);
  assert.ok(chosen.length > 100 && chosen.length < 200, String(chosen.length));
});
