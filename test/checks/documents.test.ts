// docs/checks.md has a section for every check, with what it needs, and none for a check that is gone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { allChecks } from '../../lib/checks/index.ts';

const text = readFileSync(new URL('../../../docs/checks.md', import.meta.url), 'utf8');
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section.split(/^## /m)[0] ?? '']),
);

test('every check has a section, and every section a check', () => {
  assert.deepEqual([...sections.keys()].sort(), allChecks.map(({ id }) => id).sort());
});

for (const { id, needs, impact } of allChecks) {
  test(`${id}: needs and impact are as documented, and every part is there`, () => {
    const section = sections.get(id) ?? '';
    const names = needs.length === 0 ? 'nothing' : needs.map((need) => `\`${need}\``).join(', ');
    assert.ok(section.includes(`\nNeeds: ${names}. Impact: ${impact}.\n`), `${names}, ${impact}`);
    for (const part of ['Why', 'What is done', 'How it is judged', 'When it fails']) {
      assert.match(section, new RegExp(`^- \\*\\*${part}\\.\\*\\* \\S`, 'm'), part);
    }
  });
}

test('every need is explained', () => {
  const explained = new Set([...text.matchAll(/^\| `([a-z]+)`/gm)].map((match) => match[1]));
  assert.deepEqual(explained, new Set(allChecks.flatMap(({ needs }) => needs)));
});
