import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasDuplicateNames } from '../../lib/token/duplicate-names.ts';

// biome-ignore format: a table
const cases: [json: string, expected: boolean][] = [
  ['{}',                                   false],
  ['{"a":1,"b":1}',                        false],
  ['{"a":1,"a":1}',                        true],
  ['{"a":1,"\\u0061":1}',                  true],
  ['{"a":{"a":1},"b":{"a":1}}',            false],
  ['{"a":{"b":1,"b":2}}',                  true],
  ['[{"a":1},{"a":2}]',                    false],
  ['{"a":["a","a",{"a":1}]}',              false],
  ['{"a":"a","b":"{\\"a\\":1,\\"a\\":1}"}', false],
  ['{"a":[],"b":{},"a":[]}',               true],
  ['{"a\\"":1,"a":1}',                     false],
  ['{"__proto__":1,"__proto__":2}',        true],
  ['"x"',                                  false],
];

for (const [json, expected] of cases) {
  test(`${json}: ${expected}`, () => assert.equal(hasDuplicateNames(json), expected));
}

test('what JSON.stringify writes never has any', () => {
  fc.assert(
    fc.property(fc.json(), (text) =>
      assert.equal(hasDuplicateNames(JSON.stringify(JSON.parse(text))), false),
    ),
  );
});

test('a member said again is always found', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
  fc.assert(
    fc.property(object, fc.nat(), (value, pick) => {
      const names = Object.keys(value);
      const name = names[pick % names.length] ?? '';
      const text = `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(name)}:null}`;
      assert.equal(hasDuplicateNames(text), true);
    }),
  );
});
