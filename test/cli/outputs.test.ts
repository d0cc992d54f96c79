// Where results go: files, links, standard output, saved runs; and that nothing is left behind.
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { saveRun } from '../../cli/runs.ts';
import { parseResult } from '../../lib/index.ts';
import { emptyFolder, run, start, until } from './spawn.ts';

const connectOnly = ['quick', '--only', 'connect', '--quiet', '--no-save'];

test('outputs: a file that is named twice is written once', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const result = await run([...connectOnly, '-o', 'a.md', '-o', './a.md'], { cwd });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(readdirSync(cwd), ['a.md']);
});

test('outputs: a symbolic link stays, what it points at is written', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  mkdirSync(join(cwd, 'real'));
  writeFileSync(join(cwd, 'real/old.md'), 'old');
  symlinkSync('real/old.md', join(cwd, 'link.md'));
  symlinkSync('real/new.md', join(cwd, 'dangling.md'));
  symlinkSync('loop.md', join(cwd, 'loop.md'));
  const result = await run([...connectOnly, '-o', 'link.md', '-o', 'dangling.md'], { cwd });
  assert.equal(result.code, 0, result.stderr);
  assert.ok(lstatSync(join(cwd, 'link.md')).isSymbolicLink());
  for (const name of ['old.md', 'new.md']) {
    assert.match(readFileSync(join(cwd, 'real', name), 'utf8'), /^# wsbench report/, name);
  }
  const loop = await run([...connectOnly, '-o', 'loop.md'], { cwd });
  assert.equal(loop.code, 6);
  assert.match(loop.stderr, /cannot write loop.md: too many symbolic links/);
});

test('outputs: -o - is standard output, which carries the result once', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const text = await run([...connectOnly, '-o', '-'], { cwd });
  assert.equal(text.code, 0, text.stderr);
  assert.equal(text.stdout.split('Quick test results').length, 2);
  const json = await run([...connectOnly, '-o', '-', '-o', 'a.json', '--json'], { cwd });
  assert.equal(parseResult(json.stdout, 'stdout').kind, 'quick');
  assert.equal(readFileSync(join(cwd, 'a.json'), 'utf8'), json.stdout);
  const report = await run(['report', 'a.json', '-o', 'a.md', '-o', '-'], { cwd });
  assert.match(report.stdout, /Quick test results/);
  const compare = await run(['compare', 'a.json', 'a.json', '-o', '-', '-o', 'B.MD'], { cwd });
  assert.match(compare.stdout, /Performance improvements/);
  assert.deepEqual(readdirSync(cwd).sort(), ['B.MD', 'a.json', 'a.md']);
});

test('outputs: a second signal ends the run at once and leaves no report', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const running = start(['stress', '-d', '60s', '-o', 'a.md', '-o', 'a.json'], { cwd });
  await until(() => running.stderr().includes('measure'), 'the measure phase');
  running.child.kill('SIGINT');
  await until(() => running.stderr().includes('SIGINT: finishing'), 'the first signal');
  running.child.kill('SIGINT');
  const result = await running.finished;
  assert.equal(result.code, 130);
  assert.equal(
    result.stderr.trim().split('\n').at(-1),
    'exit 130: SIGINT again, nothing is reported; wsbench report --recover shows what was counted',
  );
  assert.deepEqual(readdirSync(cwd), ['.wsbench']);
});

test('outputs: flags without a value can be switched off in the environment', {
  timeout: 30_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const env = { WSBENCH_JSON: '0', WSBENCH_NO_SAVE: '1', WSBENCH_TOKEN: '', WSBENCH_QUIET: 'true' };
  const result = await run(['quick', '--only', 'connect'], { cwd, env });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.match(result.stdout, /Quick test results/);
  assert.deepEqual(readdirSync(cwd), []);
});

test('outputs: runs of one second keep apart, sort by age, and the newest 50 stay', async (t) => {
  const cwd = emptyFolder(t);
  const done = await run([...connectOnly, '--json'], { cwd });
  const result = parseResult(done.stdout, 'stdout');
  const paths = Array.from({ length: 3 }, () => saveRun(result, done.stdout, cwd));
  assert.deepEqual(paths.toSorted(), paths);
  assert.equal(new Set(paths).size, 3);
  for (let n = 0; n < 60; n++) {
    const id = `2099-01-01T00-00-${String(n).padStart(2, '0')}Z-quick`;
    saveRun({ ...result, run: { ...result.run, id } }, done.stdout, cwd);
  }
  const kept = readdirSync(join(cwd, '.wsbench/runs')).sort();
  assert.equal(kept.length, 51);
  assert.equal(kept[0], '2099-01-01T00-00-10Z-quick.json');
  assert.equal(kept.at(-1), 'latest.json');
});

test('outputs: runs that end together lose none', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const runs = Array.from({ length: 4 }, () => run(['quick', '--only', 'connect'], { cwd }));
  for (const result of await Promise.all(runs)) assert.equal(result.code, 0, result.stderr);
  const kept = readdirSync(join(cwd, '.wsbench/runs'));
  assert.equal(kept.length, 5, kept.join(' '));
});
