import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { stressScenarioSchema } from '../lib/scenario/scenario.ts';
import { targetSchema } from '../lib/target/target.ts';
import { parseYaml } from '../lib/yaml.ts';

const schema = z.strictObject({ a: z.number(), list: z.array(z.object({ name: z.string() })).optional() });
const bomb = [
  'x0: &x0 [1,2,3,4,5,6,7,8]',
  ...Array.from({ length: 12 }, (_, i) => `x${i + 1}: &x${i + 1} [${Array(8).fill(`*x${i}`)}]`),
];

test('reads what fits the schema', () => {
  assert.deepEqual(parseYaml('a: 1\nlist:\n  - name: x\n', schema, 'f.yml'), { a: 1, list: [{ name: 'x' }] });
});

// biome-ignore format: a table
const invalid: [what: string, text: string, message: RegExp][] = [
  ['wrong type', 'a: x', /^f\.yml:1:4 a: .*number/],
  ['wrong type, deep', 'a: 1\nlist:\n  - name: x\n  - name: 2\n', /^f\.yml:4:11 list\.1\.name: /],
  ['missing key', 'list: []', /^f\.yml:1:1 a: /],
  ['unknown key', 'a: 1\nz: 2', /^f\.yml:2:\d+ z: .*z/],
  ['key given twice', 'a: 1\na: 2', /^f\.yml:2:1 .*unique/],
  ['unclosed list', 'a: [', /^f\.yml:1:\d+ /],
  ['tab for indentation', 'list:\n\t- name: x', /^f\.yml:2:\d+ /],
  ['empty', '', /^f\.yml:1:1 document: /],
  ['only a comment', '# nothing', /^f\.yml:1:\d+ document: /],
  ['two documents', 'a: 1\n---\na: 2', /^f\.yml:2:1 more than one document/],
  ['alias without anchor', 'a: *nope', /^f\.yml:1:\d+ .*nope/],
  ['alias bomb', bomb.join('\n'), /^f\.yml:2:10 .*alias/i],
  ['prototype key', '__proto__: {}\na: 1', /^f\.yml:1:\d+ __proto__: /],
];

for (const [what, text, message] of invalid) {
  test(`says where: ${what}`, () => {
    assert.throws(
      () => parseYaml(text, schema, 'f.yml'),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CONFIG', String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test('any text is read or refused with CONFIG', { timeout: 60_000 }, () => {
  const texts = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('a', ':', ' ', '\n', '-', '[', '{', '&x', '*x', '"', '!!', '|'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseYaml(text, schema, 'f.yml');
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'CONFIG', String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('what is shipped fits its schema', () => {
  const shipped = (name: string): string =>
    readFileSync(new URL(`../../scenarios/${name}`, import.meta.url), 'utf8');
  const scenario = parseYaml(shipped('stress.yml'), stressScenarioSchema, 'stress.yml');
  assert.deepEqual(
    [scenario.connections, scenario.rate, scenario.duration, scenario.model],
    [10, 100, 30_000, 'open'],
  );
  for (const preset of ['echo', 'wsbench']) {
    const target = parseYaml(shipped(`presets/${preset}.target.yml`), targetSchema, preset);
    assert.equal(target.name, preset);
  }
});
