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
  'attacks/lifecycle-drain',
  'attacks/lifecycle-redis',
  'attacks/lifecycle-restarts',
  'cli/baselines',
  'cli/merge',
  'cli/runs',
  'client/herd',
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
const isTimed = ({ name, room }: Test): boolean => timed.has(room) || timed.has(name);
/** Many servers at once in one file, each with deadlines: nothing else beside them. */
const isCrowded = ({ room }: Test): boolean => room === 'checks';
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
