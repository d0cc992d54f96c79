// docs/configuration.md names every flag and variable of serve, and none that does not exist.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configKeys } from '../../reference-server/index.ts';
import { emptyFolder, run } from '../cli/spawn.ts';

const text = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
const table = text.slice(text.indexOf('## `wsbench serve`'), text.indexOf('### `--json`'));
const rows = table.split('\n').filter((line) => line.startsWith('| '));

test('docs/configuration.md has exactly the flags of serve', { timeout: 30_000 }, async (t) => {
  const { stdout } = await run(['serve', '--help'], { cwd: emptyFolder(t) });
  const real = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1]);
  const shown = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(--[a-z-]+)`/g)].map((match) => match[1]),
  );
  assert.deepEqual(shown.sort(), real.filter((flag) => flag !== '--help').sort());
});

test('docs/configuration.md has exactly the variables of serve', () => {
  const shown = rows.flatMap((row) =>
    [...(row.split('|')[2] ?? '').matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]),
  );
  assert.deepEqual(shown.sort(), [...configKeys].sort());
});
