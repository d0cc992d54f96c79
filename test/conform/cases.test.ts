// The tables of all sections, expanded and held against what is known of each case.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allCases, sections } from '../../lib/conform/cases.ts';
import { lineOf } from './case-line.ts';

const file = fileURLToPath(new URL('../../../test/conform/expected/cases.txt', import.meta.url));
const known = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

test('each of the 517 cases sends and expects what is known of it', () => {
  assert.equal(known.length, 517);
  const ours = allCases.map(lineOf);
  for (const [index, line] of known.entries()) assert.equal(ours[index], line);
  assert.equal(ours.length, known.length);
});

test('sections have as many cases as Autobahn, in the order of their ids', () => {
  const counts = sections.map(({ id }) => [id, allCases.filter(({ section }) => section === id).length]);
  // biome-ignore format: a table
  const expected = [
    ['1', 16], ['2', 11], ['3', 7], ['4', 10], ['5', 20], ['6', 145], ['7', 37], ['9', 54], ['10', 1], ['12', 90], ['13', 126],
  ];
  assert.deepEqual(counts, expected);
  const numbers = allCases.map(({ id }) => id.split('.').map(Number));
  const sorted = [...numbers].sort((a, b) => {
    const at = a.findIndex((part, index) => part !== b[index]);
    return (a[at] ?? 0) - (b[at] ?? 0);
  });
  assert.deepEqual(numbers, sorted);
});

test('each case has a title of its own, a place in a specification, and says which ends it tests', () => {
  for (const { id, title, spec, requirement, roles } of allCases) {
    assert.match(spec, /^RFC \d+ §/, id);
    assert.ok(title.length > 5 && requirement.endsWith('.'), id);
    assert.ok(roles.includes('tests-server'), id);
  }
});
