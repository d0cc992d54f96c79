// wsbench storm as users run it: exit codes, the answer, and a server that is restarted meanwhile.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { StressResult } from '../../lib/result/result.ts';
import { startLoadServer, startStormServer } from '../fixtures/server-process.ts';
import { listening } from '../reference-server/servers.ts';
import { emptyFolder, type Finished, run, start } from './spawn.ts';

const limit = { timeout: 60_000 };
const short = ['-c', '20', '-r', '50/s', '--warmup', '100ms', '--after', '300ms', '--no-save'];

/** Whether a run ended so, or was inconclusive: on a machine that is busy with other tests, which is said and is no fault. */
function endedWith(t: TestContext, wanted: number, { code, stdout, stderr }: Finished): boolean {
  if (code === 4) t.diagnostic(`inconclusive: ${stderr.split('\n').at(-2)}`);
  else assert.equal(code, wanted, `${stdout.slice(-3000)}\n${stderr}`);
  return code === wanted;
}

function resultOf(stdout: string): StressResult {
  return JSON.parse(stdout) as StressResult;
}

test('storm: dropped by us, all are back: exit 0 and the answer first', limit, async (t) => {
  const { url } = await startLoadServer(t, { mode: 'echo' });
  const args = ['storm', url, ...short, '--before', '300ms', '--threshold', 'recovery.p95<20s'];
  const ended = await run(args, { cwd: emptyFolder(t) });
  const { stdout } = ended;
  assert.match(stdout, /^ {2}Storm test results/);
  if (endedWith(t, 0, ended))
    assert.match(stdout, /Safe by these limits: all 20 connections were back after/);
  else assert.match(stdout, /Not known: the load generator was at its limit/);
  assert.match(stdout, /✓ recovery\.missing == 0 \(default\)/);
  assert.match(stdout, /✓ recovery\.p95 < 20000 ms/);
  assert.match(stdout, /Reproduce\s+wsbench storm ws:/);
});

test('storm: a limit that is missed: exit 99, and the line that says why', limit, async (t) => {
  const { url } = await startLoadServer(t, { mode: 'echo' });
  const args = ['storm', url, ...short, '--before', '300ms', '--threshold', 'recovery.max<1us'];
  const ended = await run(args, { cwd: emptyFolder(t) });
  if (!endedWith(t, 99, ended)) return;
  const { stdout, stderr } = ended;
  assert.match(stdout, /Not safe by these limits \(recovery\.max /);
  assert.match(stderr, /exit 99: recovery\.max \S+ ms, wanted < 0\.001 ms/);
});

test('storm --wait: nobody restarts the server, so nothing is known: exit 99', limit, async (t) => {
  const { url } = await startLoadServer(t, { mode: 'echo' });
  const ended = await run(['storm', url, ...short, '--wait', '500ms'], { cwd: emptyFolder(t) });
  const { stdout } = ended;
  endedWith(t, 99, ended);
  assert.match(stdout, /Not known: no connection was lost/);
  assert.match(stdout, /no connection was lost within 500 ms/);
});

test('storm: nobody there is exit 3, and wrong usage exit 2', limit, async (t) => {
  const cwd = emptyFolder(t);
  const server = await startLoadServer(t, { mode: 'echo' });
  await server.kill();
  const usage: [string[], RegExp][] = [
    [['storm'], /storm: which server\?/],
    [['storm', server.url, '--wait', '1s', '--drop', 'rst'], /--drop and --wait exclude each other/],
    [['storm', server.url, '--wait', '1s', '--before', '1s'], /--before is the time until --drop/],
    [['storm', server.url, '--drop', 'gently'], /--drop/],
    [['storm', server.url, '--reconnect', 'never'], /--reconnect/],
    [['storm', server.url, '--deadline', '0s'], /deadline/],
    [['stress', server.url, '--reconnect', 'later'], /--reconnect/],
  ];
  const codes = await Promise.all(
    usage.map(async ([args, words]) => {
      const { code, stderr } = await run(args, { cwd });
      assert.match(stderr, words);
      return code;
    }),
  );
  assert.deepEqual(new Set(codes), new Set([2]));
  const { code, stderr } = await run(['storm', server.url, ...short], { cwd });
  assert.equal(code, 3, stderr);
});

test(
  'storm --wait: the reference server drains and a fresh one takes its port: windows are known and kept',
  limit,
  async (t) => {
    const options = { limits: 'off', environment: 'test' } as const;
    const first = await listening(t, options);
    const url = `${first.url}/ws`;
    const port = Number(new URL(url).port);
    const storm = start(['storm', url, '--preset', 'wsbench', ...short, '--wait', '30s', '--json'], {
      cwd: emptyFolder(t),
    });
    // Long enough after its first message that it is measured: the warm-up takes a tenth of a second.
    const open = async (): Promise<number> => {
      const text = await (await fetch(`${first.httpUrl}/metrics`)).text();
      return Number(/^wsbench_connections (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    while ((await open()) < 20) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await first.close();
    await listening(t, { ...options, port });
    const ended = await storm.finished;
    endedWith(t, 0, ended);
    const { recovery } = resultOf(ended.stdout);
    assert.ok(recovery);
    assert.equal(recovery.lost, 20);
    assert.equal(recovery.missing, 0);
    assert.equal(recovery.windows.early, 0);
    assert.ok(recovery.windows.given >= 20);
    assert.deepEqual(recovery.closes, [{ code: 1001, by: 'peer', clean: true, count: 20 }]);
  },
);

test('stress --reconnect: who is hung up on comes back', limit, async (t) => {
  const server = await startStormServer(t);
  const stress = start(
    [
      'stress',
      server.url,
      '-c',
      '10',
      '-d',
      '2500ms',
      '--warmup',
      '100ms',
      '--reconnect',
      'jitter',
      '--no-default-thresholds',
      '--no-save',
      '--json',
    ],
    { cwd: emptyFolder(t) },
  );
  while ((await server.tally()).received < 40) await new Promise((resolve) => setTimeout(resolve, 20));
  server.sendAway();
  const ended = await stress.finished;
  endedWith(t, 0, ended);
  const { recovery, openAtEnd } = resultOf(ended.stdout);
  assert.deepEqual([recovery?.lost, recovery?.missing, openAtEnd], [10, 0, 10]);
  assert.equal(recovery?.storm, undefined);
});
