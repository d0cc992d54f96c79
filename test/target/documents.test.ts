// Target files in the documents are valid ones, and docs/targets.md names every key that there is.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { targetSchema } from '../../lib/target/target.ts';
import { parseYaml } from '../../lib/yaml.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const documents = readdirSync(join(root, 'docs')).map((file) => `docs/${file}`);

test('documents: every target file that is shown is a valid one', () => {
  const shown = ['README.md', ...documents].flatMap((file) =>
    [...read(file).matchAll(/```yaml\n([\s\S]*?)```/g)].map((block) => ({ file, text: block[1] ?? '' })),
  );
  const targets = shown.filter(({ text }) => /^name:/m.test(text) && /^request:/m.test(text));
  assert.ok(targets.length >= 2, `${targets.length} target files found`);
  for (const { file, text } of targets) parseYaml(text, targetSchema, file);
});

test('docs/targets.md: every key has its row, and no row is stale', () => {
  const { properties } = JSON.parse(read('schema/target.schema.json')) as {
    properties: Record<string, { properties?: Record<string, unknown> }>;
  };
  const keys = Object.entries(properties).flatMap(([name, { properties: inner }]) =>
    inner && name !== 'match' && name !== 'error'
      ? Object.keys(inner).map((key) => `${name}.${key}`)
      : [name],
  );
  const [, table = ''] = /^## Keys\n([\s\S]*?)^Durations /m.exec(read('docs/targets.md')) ?? [];
  const named = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) => {
    let parent = '';
    return [...cell.matchAll(/`([\w.]+)`/g)].map(([, key = '']) => {
      // `limits.messages`, `.connections`: what begins with a dot belongs where the one before does.
      if (key.startsWith('.')) return parent + key;
      parent = key.split('.')[0] ?? '';
      return key;
    });
  });
  assert.deepEqual([...named].sort(), keys.sort());
});
