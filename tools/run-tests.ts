// Runs the compiled tests: those that only wait beside one another, those that time something with more room.
//
//   node dist/tools/run-tests.js [--without room,room]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** A test file: `cli/runs` of the room `cli`; one at the top is a room by itself. */
interface Test {
  name: string;
  room: string;
  path: string;
}

/** Rooms and files whose tests send load and judge times. */
const timed = new Set([
  'attacks',
  'cli/baselines',
  'cli/merge',
  'cli/runs',
  'client/restart',
  'doctor',
  'faults',
  'load',
  'stress',
  'tasks',
  'wrong-servers',
  'wrong-servers-bounds',
  'wrong-servers-cli',
]);
/** Many servers or clients at once in one file, with deadlines for each: nothing else beside them. */
const crowded = new Set([
  'attacks/lifecycle-restarts',
  'attacks/ratelimit-redis-away',
  'attacks/resource-process',
  'attacks/resource-slow',
  'checks',
  'client/herd',
  'faults/quiet',
  'soak',
]);
const isCrowded = ({ name, room }: Test): boolean => crowded.has(room) || crowded.has(name);
const isTimed = (test: Test): boolean => !isCrowded(test) && (timed.has(test.room) || timed.has(test.name));
const groups = [
  { title: 'beside one another', concurrency: 3, isIn: (test: Test) => !isTimed(test) && !isCrowded(test) },
  { title: 'one by one', concurrency: 1, isIn: isCrowded },
  { title: 'with room', concurrency: 2, isIn: isTimed },
];
const folder = join('dist', 'test');
const ending = '.test.js';
const timeoutMs = 300_000;

const { values } = parseArgs({ options: { without: { type: 'string', default: '' } } });
const without = new Set(values.without.split(','));

const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith(ending))
  .map((file): Test => {
    const name = file.slice(0, -ending.length).replaceAll('\\', '/');
    return { name, room: name.split('/')[0] ?? '', path: join(folder, file) };
  })
  .filter(({ room }) => !without.has(room));

let failed = false;
for (const { title, concurrency, isIn } of groups) {
  const files = tests.filter(isIn).map(({ path }) => path);
  if (files.length === 0) continue;
  process.stdout.write(`\n# ${files.length} test files, ${title}\n`);
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
