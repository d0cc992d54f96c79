// Runs the compiled tests: those that only wait beside one another, and those that time something with more room.
//
//   node dist/tools/run-tests.js [--without room,room]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** Rooms, and files at the top, whose tests send load and judge times. */
const timed = new Set([
  'doctor',
  'faults',
  'load',
  'stress',
  'tasks',
  'wrong-servers',
  'wrong-servers-bounds',
]);
const groups = [
  { name: 'beside one another', concurrency: 3, isIn: (room: string) => !timed.has(room) },
  { name: 'with room', concurrency: 2, isIn: (room: string) => timed.has(room) },
];
const folder = join('dist', 'test');
const ending = '.test.js';
const timeoutMs = 300_000;

const { values } = parseArgs({ options: { without: { type: 'string', default: '' } } });
const without = new Set(values.without.split(','));

/** Test files of a room: a folder, or a file at the top. */
const rooms = new Map<string, string[]>();
for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith(ending)) continue;
  const room = file.slice(0, -ending.length).split(/[\\/]/)[0] ?? '';
  rooms.set(room, [...(rooms.get(room) ?? []), join(folder, file)]);
}

let failed = false;
for (const { name, concurrency, isIn } of groups) {
  const files = [...rooms].flatMap(([room, all]) => (isIn(room) && !without.has(room) ? all : []));
  process.stdout.write(`\n# ${files.length} test files, ${name}\n`);
  const { status } = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${timeoutMs}`,
      '--test-reporter=spec',
      ...files.sort(),
    ],
    { stdio: 'inherit' },
  );
  // The second group is worth running, whatever the first said.
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
