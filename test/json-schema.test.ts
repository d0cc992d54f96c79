// The published JSON Schemas: what is shipped fits them, what is wrong does not, and editors have something to show.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { jsonSchemas } from '../lib/json-schema.ts';
import { malformedTargets } from './fixtures/malformed-targets.ts';

const root = new URL('../../', import.meta.url);
const schemas = jsonSchemas();
// Its meta-schema is that of draft 2020-12.
const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true, strictRequired: false });
const target = ajv.compile(schemas['target.schema.json']);
const scenario = ajv.compile(schemas['scenario.schema.json']);

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(new URL(folder, root))
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}${file}`);
}

const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const targets = [...filesOf('scenarios/presets/', '.yml'), ...filesOf('examples/targets/', '.yml')];
const scenarios = filesOf('scenarios/', '.yml');

test('schemas: presets, examples and scenarios fit', () => {
  assert.ok(targets.length >= 12 && scenarios.length >= 2, `${targets.length}, ${scenarios.length}`);
  for (const file of targets)
    assert.ok(target(parse(read(file))), `${file}: ${ajv.errorsText(target.errors)}`);
  for (const file of scenarios)
    assert.ok(scenario(parse(read(file))), `${file}: ${ajv.errorsText(scenario.errors)}`);
});

test('schemas: presets and examples name theirs for editors', () => {
  for (const file of targets) {
    assert.match(
      read(file),
      /^# yaml-language-server: \$schema=\.\.\/\.\.\/schema\/target\.schema\.json\n/,
      file,
    );
  }
  for (const file of scenarios) {
    assert.match(
      read(file),
      /^# yaml-language-server: \$schema=\.\.\/schema\/scenario\.schema\.json\n/,
      file,
    );
  }
});

test('schemas: their own examples fit', () => {
  for (const [schema, validate] of [
    [schemas['target.schema.json'], target],
    [schemas['scenario.schema.json'], scenario],
  ] as const) {
    const { examples } = schema as { examples: unknown[] };
    assert.ok(examples.length >= 2);
    for (const example of examples) assert.ok(validate(example), ajv.errorsText(validate.errors));
  }
});

for (const { what, text, inSchema } of malformedTargets.filter((row) => row.inSchema)) {
  test(`schemas: refused, ${what}`, () => {
    assert.equal(inSchema, true);
    assert.equal(target(parse(text)), false);
  });
}

test('schemas: what they cannot tell, they let pass', () => {
  const others = malformedTargets.filter((row) => !row.inSchema);
  const readable = others.flatMap(({ what, text }) => {
    try {
      return [{ what, value: parse(text) as unknown }];
    } catch {
      return [];
    }
  });
  assert.ok(readable.length > 15, String(readable.length));
  const told = readable.filter(({ value }) => !target(value)).map(({ what }) => what);
  // A placeholder without quotes is a mapping with a mapping for a key, which only this parser makes a text of.
  assert.deepEqual(told, []);
});

test('schemas: every key is described', () => {
  const silent: string[] = [];
  const walk = (schema: unknown, path: string): void => {
    if (schema === null || typeof schema !== 'object') return;
    const { properties, description, $ref, const: only } = schema as Record<string, unknown>;
    const isKey = /\/properties\/[^/]+$/.test(path);
    if (isKey && description === undefined && $ref === undefined && only === undefined) silent.push(path);
    for (const [key, inner] of Object.entries(properties ?? {})) walk(inner, `${path}/properties/${key}`);
    for (const [key, inner] of Object.entries(schema)) {
      if (key !== 'properties' && key !== 'examples') walk(inner, `${path}/${key}`);
    }
  };
  for (const schema of Object.values(schemas)) walk(schema, '');
  assert.deepEqual(silent, []);
  for (const schema of Object.values(schemas) as Record<string, unknown>[]) {
    assert.match(String(schema.$id), /^urn:wsbench:/);
    assert.match(String(schema.$schema), /2020-12/);
    assert.equal(typeof schema.title, 'string');
  }
});
