// Journals in the folder of runs: one a run, none when it is over, and only what a killed run left is touched.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startLoadServer } from '../fixtures/server-process.ts';
import { emptyFolder, run, start, until } from './spawn.ts';

const journals = (cwd: string): string[] =>
  readdirSync(join(cwd, '.wsbench', 'runs')).filter((file) => file.endsWith('.journal'));

test('a run has a journal while it goes on, and none when it is over; --no-save keeps none', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const server = await startLoadServer(t, { mode: 'echo' });
  const args = ['stress', server.url, '--preset', 'echo', '-r', '50/s'];
  // Of those that nobody asked for the newest ten stay; no process has such numbers.
  mkdirSync(join(cwd, '.wsbench', 'runs'), { recursive: true });
  const left = Array.from({ length: 12 }, (_, n) => `2026-11-${n + 10}T02-26-01Z-stress.4194999.journal`);
  for (const file of left) writeFileSync(join(cwd, '.wsbench', 'runs', file), '');
  const running = start([...args, '-d', '60s'], { cwd });
  await until(() => running.stderr().includes('measure'), 'the measure phase');
  const name = journals(cwd).find((file) => !left.includes(file)) ?? '';
  assert.deepEqual(
    journals(cwd)
      .filter((file) => file !== name)
      .sort(),
    left.slice(2),
  );
  const refused = await run(['report', '--recover', join('.wsbench', 'runs', name)], { cwd });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, new RegExp(`its run goes on, in process ${running.child.pid}`));
  assert.match(name, new RegExp(`^\\d{4}-.*-stress\\.${running.child.pid}\\.journal$`));
  running.child.kill('SIGINT');
  const { code, stderr } = await running.finished;
  assert.ok(code === 130 || code === 4, stderr);
  assert.deepEqual(journals(cwd).sort(), left.slice(2));
  const bare = emptyFolder(t);
  const silent = start([...args, '-d', '60s', '--no-save'], { cwd: bare });
  await until(() => silent.stderr().includes('measure'), 'the measure phase');
  silent.child.kill('SIGKILL');
  await silent.finished;
  assert.deepEqual(readdirSync(bare), []);
});

test('a second signal leaves the journal, and what it holds can be had', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const server = await startLoadServer(t, { mode: 'mute' });
  const running = start(['stress', server.url, '--preset', 'echo', '-d', '60s', '-t', '60s'], { cwd });
  await until(() => /measure +[2-9]/.test(running.stderr()), 'the second second');
  running.child.kill('SIGTERM');
  await until(() => running.stderr().includes('SIGTERM: finishing'), 'the first signal');
  running.child.kill('SIGTERM');
  assert.equal((await running.finished).code, 143);
  assert.equal(journals(cwd).length, 1);
  // One that cannot be read is told, and hides no other.
  const broken = '2026-11-23T02-26-01Z-stress.4194999.journal';
  writeFileSync(join(cwd, '.wsbench', 'runs', broken), '');
  const { code, stdout, stderr } = await run(['report', '--recover', '--format', 'json'], { cwd });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /warning: .*stress\.4194999\.journal: not a journal of this version/);
  assert.deepEqual(journals(cwd), [broken]);
  const [one] = [JSON.parse(stdout)].flat();
  assert.ok(one.counters['messages.interrupted'] > 0, 'nothing was answered');
});

test('what is no journal, or is not there, is exit 2, and stays as it is', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  mkdirSync(join(cwd, '.wsbench', 'runs'), { recursive: true });
  // A number that no process has.
  const name = join('.wsbench', 'runs', '2026-11-23T02-26-01Z-stress.4194999.journal');
  writeFileSync(join(cwd, name), 'something else');
  for (const [args, says] of [
    [[], /-stress\.4194999\.journal: not a journal of this version of wsbench/],
    [['none.journal'], /cannot read none\.journal: no such file/],
  ] as const) {
    const { code, stdout, stderr } = await run(['report', '--recover', ...args], { cwd });
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
  assert.equal(journals(cwd).length, 1);
  const { code, stderr } = await run(['report'], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /which results\? Give files \(\.json\), or "latest"/);
});
