// Every attack of the catalogue is played or decided on, and every guard is seen to be needed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { guards } from '../../reference-server/guards.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Prefix and number of the attacks of each section of docs/security.md. */
const groups = {
  Handshake: ['HS', 22],
  Framing: ['FR', 23],
  Compression: ['PD', 10],
  Messages: ['MS', 18],
  Resources: ['RS', 16],
  Heartbeat: ['HB', 10],
  'Rate limits': ['RL', 15],
  Lifecycle: ['LC', 15],
  'Several instances': ['MI', 10],
} as const;
const mostDecisions = 10;

const tests = readdirSync(`${root}test/attacks`)
  .filter((file) => file.endsWith('.ts') && file !== 'coverage.test.ts')
  .map((file) => readFileSync(`${root}test/attacks/${file}`, 'utf8'))
  .join('\n');

/** The ids in the first column of each section's table. */
function sections(): Map<string, string[]> {
  const text = readFileSync(`${root}docs/security.md`, 'utf8');
  const parts = text.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => [
      part.slice(0, part.indexOf('\n')),
      [...part.matchAll(/^\| ([A-Z]{2}-\d\d) +\|/gm)].map(([, id = '']) => id),
    ]),
  );
}

const written = sections();
const decided = written.get('Decided otherwise') ?? [];

for (const [section, [prefix, count]] of Object.entries(groups)) {
  test(`${section}: each attack is described once, and played or decided on`, () => {
    const ids = Array.from(
      { length: count },
      (_, index) => `${prefix}-${String(index + 1).padStart(2, '0')}`,
    );
    const described = [...(written.get(section) ?? []), ...decided.filter((id) => id.startsWith(prefix))];
    assert.deepEqual(described.sort(), ids);
    const unplayed = ids.filter((id) => !decided.includes(id) && !new RegExp(`['"\`]${id}\\b`).test(tests));
    assert.deepEqual(unplayed, []);
  });
}

test('few attacks are decided on instead', () => {
  assert.ok(decided.length <= mostDecisions, decided.join(' '));
});

test('each guard is taken away by some test', () => {
  const kept = Object.keys(guards).filter((guard) => !new RegExp(`\\b${guard}\\b`).test(tests));
  assert.deepEqual(kept, []);
});
