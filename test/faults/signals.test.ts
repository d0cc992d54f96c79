// Signals to the command, gentle and not: reports are whole or absent, and nobody is left behind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseResult, type StressResult } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { emptyFolder, run, start, until } from '../cli/spawn.ts';
import { startLoadServer, startScriptedServer } from '../fixtures/server-process.ts';
import { isLong } from '../require.ts';

/** Processes whose parent is `pid`, and theirs. */
function descendants(pid: number): number[] {
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child = 0]) => child);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended and was not waited for is none.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const onLinux = { timeout: 60_000, skip: process.platform !== 'linux' && 'asks /proc' };

describe('the command is killed (SIGKILL)', { concurrency: 2 }, () => {
  for (const [name, args] of [
    ['with the embedded server', ['stress', '-d', '60s']],
    ['with the embedded server and two workers', ['stress', '-d', '60s', '-w', '2']],
  ] as const) {
    test(`${name}: within 2 s nobody is left`, onLinux, async (t) => {
      const cwd = emptyFolder(t);
      const running = start([...args, '-o', 'report.json'], { cwd });
      const { pid = 0 } = running.child;
      let children: number[] = [];
      await until(() => {
        children = descendants(pid);
        return children.length > 0;
      }, 'a child');
      await until(() => running.stderr().includes('measure'), 'the measure phase');
      running.child.kill('SIGKILL');
      await running.finished;
      const killedMs = performance.now();
      await until(() => !children.some(isAlive), `the end of ${children.join(', ')}`);
      const tookMs = performance.now() - killedMs;
      // 1 s is wanted; a busy machine may take a little longer to come round.
      assert.ok(tookMs < 2000, `${tookMs} ms`);
      assert.deepEqual(readdirSync(cwd), ['.wsbench'], 'no half-written report');
      t.diagnostic(`${children.length} child, gone after ${Math.round(tookMs)} ms`);
    });
  }

  for (const workers of ['1', '2']) {
    test(`-w ${workers}: what it had counted is recovered from its journal`, onLinux, async (t) => {
      const cwd = emptyFolder(t);
      const server = await startLoadServer(t, { mode: 'echo' });
      const args = ['stress', server.url, '--preset', 'echo', '-r', '200/s', '-d', '60s', '-w', workers];
      const running = start(args, { cwd });
      await until(() => /measure +[4-9]/.test(running.stderr()), 'the fourth second');
      const during = await run(['report', '--recover'], { cwd });
      assert.deepEqual([during.code, during.stdout], [2, ''], 'nothing is taken from a run that goes on');
      running.child.kill('SIGKILL');
      assert.equal((await running.finished).signal, 'SIGKILL');
      const listed = await run(['runs'], { cwd });
      assert.match(listed.stderr, /1 run was killed, and left a journal: wsbench report --recover/);
      const recovered = await run(['report', '--recover', '-o', 'report.json', '-o', 'report.md'], { cwd });
      assert.equal(recovered.code, 0, recovered.stderr);
      assert.match(recovered.stderr, /^Saved \.wsbench\/runs\/.*-stress\.json$/m);
      const result = parseResult(readFileSync(join(cwd, 'report.json'), 'utf8'), 'json') as StressResult;
      const outcome = result.generator.limited ? 'inconclusive' : 'interrupted';
      assert.deepEqual([result.outcome, result.run.complete], [outcome, false]);
      assert.ok(result.reasons.some(({ code }) => code === 'killed'));
      assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
      // Two of its four seconds at least, on a machine that is busy.
      assert.ok(result.counters['messages.matched'] >= 400, `${result.counters['messages.matched']} matched`);
      assert.ok(result.series.due.length >= 2);
      assert.match(readFileSync(join(cwd, 'report.md'), 'utf8'), new RegExp(outcome.toUpperCase()));
      const files = readdirSync(join(cwd, '.wsbench', 'runs')).sort();
      assert.deepEqual(files, [`${result.run.id}.json`, 'latest.json'], 'the journal is gone');
      const again = await run(['report', '--recover'], { cwd });
      assert.equal(again.code, 2);
      assert.match(again.stderr, /--recover: no run was cut off here/);
    });
  }
});

describe('a signal at any instant', { concurrency: 2 }, () => {
  const instants = isLong ? 100 : 8;
  for (let n = 0; n < instants; n++) {
    const [signal, code] = n % 2 === 0 ? (['SIGINT', 130] as const) : (['SIGTERM', 143] as const);
    const workers = n % 4 < 2 ? '1' : '2';
    // From within the connects to the drain: 0.5 s settle, 0.3 s warm-up, 0.8 s measure, 0.4 s time-out.
    const afterMs = Math.round(20 + (n * 2000) / instants);
    test(`${signal} ${afterMs} ms after the first connect, -w ${workers}: a whole report or none`, {
      timeout: 60_000,
    }, async (t) => {
      const server = await startScriptedServer(t, { every: 10, at: { drop: 10 } });
      const cwd = emptyFolder(t);
      const load = ['-d', '800ms', '--warmup', '300ms', '-t', '400ms', '-r', '500/s', '-w', workers];
      const args = ['stress', server.url, '--preset', 'echo', ...load, '-o', 'report.json', '--no-save'];
      const running = start(args, { cwd });
      while ((await server.tally()).upgrades === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const wasOver = running.child.exitCode !== null;
      running.child.kill(signal);
      const finished = await running.finished;
      const report = parseResult(readFileSync(join(cwd, 'report.json'), 'utf8'), 'report') as StressResult;
      assert.deepEqual(readdirSync(cwd), ['report.json']);
      assert.deepEqual(brokenIdentities(report.counters, report.openAtEnd), []);
      if (wasOver || report.run.complete) return;
      // What the generator was too slow for wins over the signal.
      const limited = report.reasons.some((reason) => reason.code === 'generator-limited');
      assert.equal(finished.code, limited ? 4 : code, finished.stderr);
      assert.ok(report.reasons.some((reason) => reason.code === signal.toLowerCase()));
      assert.match(finished.stdout, limited ? /INCONCLUSIVE/ : /INTERRUPTED/);
    });
  }
});

test('SIGTERM twice: the second does not wait, and leaves no report', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const server = await startLoadServer(t, { mode: 'mute' });
  const args = ['stress', server.url, '--preset', 'echo', '-d', '60s', '-t', '60s', '-o', 'report.json'];
  const running = start([...args, '--no-save'], { cwd });
  await until(() => running.stderr().includes('measure'), 'the measure phase');
  running.child.kill('SIGTERM');
  await until(() => running.stderr().includes('SIGTERM: finishing'), 'the first signal');
  running.child.kill('SIGTERM');
  const killedMs = performance.now();
  const { code, stdout } = await running.finished;
  assert.equal(code, 143);
  assert.equal(stdout, '');
  assert.ok(performance.now() - killedMs < 2000);
  assert.ok(!existsSync(join(cwd, 'report.json')));
});
