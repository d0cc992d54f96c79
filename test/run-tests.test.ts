// The runner of the tests: what fails, fails; only what passes by itself is forgiven, and little of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { emptyFolder } from './cli/spawn.ts';

const tools = fileURLToPath(new URL('../tools', import.meta.url));
const fine = "import { test } from 'node:test'; test('fine', () => {});";
const failsOnce = (name: string): string =>
  `import { existsSync, writeFileSync } from 'node:fs'; import { test } from 'node:test';
  test('once', () => { if (!existsSync('${name}')) { writeFileSync('${name}', ''); throw new Error('once'); } });`;

const runs: [what: string, files: string[], again: string, code: number][] = [
  ['all pass', [fine, fine], '2', 0],
  ['one fails once', [fine, failsOnce('a')], '2', 0],
  ['two fail once', [failsOnce('a'), failsOnce('b')], '2', 0],
  ['three fail once', [failsOnce('a'), failsOnce('b'), failsOnce('c')], '2', 1],
  ['one fails once, and nothing is asked again', [failsOnce('a')], '0', 1],
  [
    'a test fails each time',
    ["import { test } from 'node:test'; test('a', () => { throw new Error(); });"],
    '2',
    1,
  ],
  ['a file throws', ["throw new Error('at load');"], '2', 1],
  ['a file cannot be loaded', ["import './nowhere.js';"], '2', 1],
  ['a file exits', [`${fine} process.exit(3);`], '2', 1],
  ['a file is killed', [`${fine} process.kill(process.pid, 'SIGKILL');`], '2', 1],
  [
    'one is killed while another fails once',
    [failsOnce('a'), "process.kill(process.pid, 'SIGKILL');"],
    '2',
    1,
  ],
];
for (const [what, files, again, code] of runs) {
  test(`run-tests: ${what}: ${code}`, { timeout: 60_000 }, (t) => {
    const cwd = emptyFolder(t);
    mkdirSync(join(cwd, 'dist', 'test'), { recursive: true });
    symlinkSync(tools, join(cwd, 'dist', 'tools'), 'dir');
    writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }');
    for (const [at, text] of files.entries()) writeFileSync(join(cwd, 'dist', 'test', `${at}.test.js`), text);
    // Without what the runner of this test tells its own files.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, [join(tools, 'run-tests.js')], {
      cwd,
      env: { ...env, WSBENCH_TEST_AGAIN: again },
      encoding: 'utf8',
    });
    assert.equal(status, code, stdout);
    const named = /# passed by themselves only: (.*)/.exec(stdout)?.[1]?.split(' ') ?? [];
    assert.equal(named.length, code === 0 ? files.filter((text) => text !== fine).length : 0, stdout);
  });
}
