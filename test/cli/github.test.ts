// As a step of GitHub Actions: annotations where the runner reads them, a summary page that is added to, and no command of a server.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseResult } from '../../lib/index.ts';
import { startBroken, startEcho } from '../fixtures/echoes.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { runnerReads } from '../fixtures/workflow-commands.ts';
import { emptyFolder, run } from './spawn.ts';

const onActions = { GITHUB_ACTIONS: 'true' };

test('GitHub: what failed is at most ten annotations on stderr, and stdout is the result', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const { url } = await startLoadServer(t, { mode: 'echo' });
  // No reply comes within a nanosecond.
  const limits = ['rtt', 'service'].flatMap((metric) =>
    ['p50', 'p90', 'p95', 'p99', 'p99.9', 'max'].flatMap((stat) => [
      '--threshold',
      `${metric}.${stat}<0.000001ms`,
    ]),
  );
  const load = ['-c', '1', '-r', '50/s', '-d', '400ms', '--warmup', '0s', '--preset', 'echo'];
  const args = ['stress', url, ...load, ...limits, '--json', '--no-save'];
  const { code, stdout, stderr } = await run(args, { cwd, env: onActions });
  assert.ok(code === 99 || code === 4, stderr);
  const result = parseResult(stdout, 'stdout');
  const commands = runnerReads(stderr).filter(({ name }) => name === 'error');
  assert.equal(commands.length, 10);
  assert.equal(commands[0]?.properties.title, 'Threshold rtt.p50');
  assert.match(commands[0]?.message ?? '', /^[\d.]+ ms, wanted < 0\.000001 ms\nreproduce: wsbench stress /);
  const rest = 3 + (result.reasons.length > 0 && code === 4 ? 1 : 0);
  assert.equal(commands[9]?.properties.title, `${rest} more failed`);
  assert.deepEqual(runnerReads(stdout), []);
  assert.match(stderr.trim().split('\n').at(-1) ?? '', /^exit (99|4): /);
});

test('GitHub: elsewhere there are no annotations, and for what passed neither', {
  timeout: 60_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const broken = await run(['conform', await startBroken(t), '1.1.2', '--no-save'], { cwd });
  assert.equal(broken.code, 1);
  assert.deepEqual(runnerReads(broken.stderr + broken.stdout), []);
  const fine = await run(['conform', await startEcho(t), '1.1.2', '--no-save'], { cwd, env: onActions });
  assert.equal(fine.code, 0, fine.stderr);
  assert.deepEqual(runnerReads(fine.stderr + fine.stdout), []);
});

test('GitHub: the summary page is added to, up to its limit', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const page = join(cwd, 'summary.md');
  const once = (): ReturnType<typeof run> =>
    run(['quick', '--only', 'connect', '--no-save', '-q'], { cwd, env: { GITHUB_STEP_SUMMARY: page } });
  writeFileSync(page, 'from a step before');
  await once();
  await once();
  const text = readFileSync(page, 'utf8');
  assert.ok(text.startsWith('from a step before\n\n# wsbench report\n'));
  assert.equal(text.split('\n# wsbench report\n').length, 3);
  writeFileSync(page, 'x'.repeat(899_300));
  const { code } = await once();
  assert.equal(code, 0);
  const full = readFileSync(page, 'utf8');
  assert.ok(full.length <= 900_000 && full.length > 899_300, String(full.length));
  assert.match(
    full,
    /\n\*Left out, as the summary of a step may not be longer: .*how this was measured\.\*\n$/,
  );
  writeFileSync(page, 'x'.repeat(899_990));
  const { stderr } = await once();
  assert.equal(readFileSync(page, 'utf8').length, 899_990);
  assert.match(stderr, /warning: nothing was added to the step summary: it is full/);
});

test('GitHub: what a server says is no command, in whatever output', { timeout: 120_000 }, async (t) => {
  const evil = '::add-mask::a\n::stop-commands::b\n ::error title=c::d\n##[error]e ##[add-mask]f';
  const url = await startTalkServer(t, (socket) => {
    socket.send(evil);
    socket.on('message', () => {
      socket.send(evil);
      socket.send(JSON.stringify({ type: 'ERROR', payload: { code: evil, message: evil } }));
      socket.close(4000, evil.slice(0, 120));
    });
  });
  const cwd = emptyFolder(t);
  const short = ['-c', '1', '-d', '500ms', '--warmup', '0s', '-t', '300ms'];
  for (const args of [
    ['quick', url, '--preset', 'echo', '-t', '400ms', '-o', 'q.json'],
    ['quick', url, '--preset', 'wsbench', '-t', '400ms'],
    ['stress', url, '--preset', 'echo', ...short, '-o', 's.json'],
    ['conform', url, '1.1.1', '2.2', '4.1.1', '-v', '-o', 'c.json'],
    ['connect', url, '--send', 'x', '-t', '500ms'],
    ['connect', url, '--send', 'x', '-t', '500ms', '--json'],
    ['report', 'q.json'],
    ['report', 'c.json', '-v'],
    ['report', 's.json', '--format', 'json'],
    ['report', 'q.json', '--format', 'markdown'],
  ]) {
    const { stdout, stderr } = await run(args, { cwd, env: onActions });
    assert.deepEqual(runnerReads(stdout), [], `${args.join(' ')}, stdout`);
    for (const { name, properties } of runnerReads(stderr)) {
      assert.ok(
        /^(error|warning)$/.test(name) && properties.title !== undefined && properties.title !== 'c',
        args.join(' '),
      );
    }
  }
});
