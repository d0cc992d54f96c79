// Runs the compiled tests: those that only wait beside one another, those that time something with more room.
//
//   node dist/tools/run-tests.js [--without room,room]
//
// WSBENCH_TEST_AGAIN=5: up to five files that failed are run once more, with nothing beside them. One that passes then was
// disturbed by its neighbours or by the machine: it is named, and fails nothing. More than that are no chance.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
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
const mostAgain = Number(process.env.WSBENCH_TEST_AGAIN ?? 0);

const { values } = parseArgs({ options: { without: { type: 'string', default: '' } } });
const without = new Set(values.without.split(','));

const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith(ending))
  .map((file): Test => {
    const name = file.slice(0, -ending.length).replaceAll('\\', '/');
    return { name, room: name.split('/')[0] ?? '', path: join(folder, file) };
  })
  .filter(({ room }) => !without.has(room));

const notes = mkdtempSync(join(tmpdir(), 'wsbench-tests-'));

/** Runs test files, and tells whether all passed and which did not. */
function runFiles(paths: readonly string[], concurrency: number): { passed: boolean; failed: string[] } {
  const note = join(notes, 'failed.txt');
  const { status } = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${timeoutMs}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=./dist/tools/failed-files.js',
      `--test-reporter-destination=${note}`,
      ...paths,
    ],
    { stdio: 'inherit' },
  );
  const failed = new Set(readFileSync(note, 'utf8').split('\n').filter(Boolean));
  return { passed: status === 0, failed: [...failed] };
}

let passed = true;
const failed: string[] = [];
for (const { title, concurrency, isIn } of groups) {
  const files = tests.filter(isIn).map(({ path }) => path);
  if (files.length === 0) continue;
  process.stdout.write(`\n# ${files.length} test files, ${title}\n`);
  // Each group is worth running, whatever those before said.
  const run = runFiles(files.sort(), concurrency);
  passed &&= run.passed;
  failed.push(...run.failed);
}
if (!passed && failed.length > 0 && failed.length <= mostAgain) {
  process.stdout.write(`\n# ${failed.length} test files failed, once more by themselves\n`);
  passed = runFiles(failed, 1).passed;
  if (passed)
    process.stdout.write(
      `\n# passed by themselves only: ${failed.map((path) => relative('.', path)).join(' ')}\n`,
    );
}
rmSync(notes, { recursive: true });
process.exitCode = passed ? 0 : 1;
