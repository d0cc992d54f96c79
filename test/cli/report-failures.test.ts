// Reports that cannot be written, for every command and format, without root: a device that is full, a limit on the size of files, a
// path that leads through a file; and readers that leave. What a small disk does is in test/faults/reports.test.ts.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { reporters } from '../../reports/index.ts';
import { startEcho } from '../fixtures/echoes.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { emptyFolder, run } from './spawn.ts';

const extensions = Object.values(reporters).map(({ extension }) => extension);
const load = [
  '--preset',
  'echo',
  '-c',
  '2',
  '-r',
  '50/s',
  '-d',
  '300ms',
  '--warmup',
  '0s',
  '-q',
  '--no-save',
];
const commands: Record<string, (url: string) => string[]> = {
  quick: (url) => ['quick', url, '--only', 'connect,ping-frame', '-q', '--no-save'],
  stress: (url) => ['stress', url, ...load],
  conform: (url) => ['conform', url, '1.1.1', '2.2', '-q', '--no-save'],
};
const summary: Record<string, RegExp> = {
  quick: /Quick test results/,
  stress: /Stress test results/,
  conform: /Conformance results/,
};
const shell = (script: string): readonly string[] => ['sh', '-c', script, 'sh'];
const noFull = !existsSync('/dev/full') && 'no /dev/full';
const onUnix = process.platform === 'win32' && 'a shell of Unix';

/** The exit code of a run that measured; a machine too busy to measure is none of ours. */
function assertCode(code: number | null, wanted: number, stderr: string): void {
  assert.ok(code === wanted || code === 4, `${code}, wanted ${wanted}: ${stderr}`);
}

for (const [name, words] of Object.entries(commands)) {
  describe(`${name} that cannot write`, { concurrency: 1 }, () => {
    test('a full device, in every format: exit 6, the summary, and the other reports', {
      timeout: 60_000,
      skip: noFull,
    }, async (t) => {
      const url = await startEcho(t);
      const cwd = emptyFolder(t);
      for (const extension of extensions) symlinkSync('/dev/full', join(cwd, `full${extension}`));
      const files = extensions.flatMap((extension) => ['-o', `full${extension}`, '-o', `good${extension}`]);
      const { code, stdout, stderr } = await run([...words(url), ...files], { cwd });
      assertCode(code, 6, stderr);
      assert.match(stdout, summary[name] ?? /never/);
      for (const extension of extensions) {
        assert.ok(
          stderr.includes(`wsbench: cannot write full${extension}: no space left on the device`),
          stderr,
        );
        assert.ok(readFileSync(join(cwd, `good${extension}`), 'utf8').length > 50, extension);
      }
      if (code === 6) assert.match(stderr, /^exit 6: a report could not be written$/m);
      assert.equal(readdirSync(cwd).length, 2 * extensions.length, 'nothing half-written');
    });

    test('a limit on the size of files: the old reports stay whole', {
      timeout: 60_000,
      skip: onUnix,
    }, async (t) => {
      const url = await startEcho(t);
      const cwd = emptyFolder(t);
      const names = extensions.map((extension) => `r${extension}`);
      for (const file of names) writeFileSync(join(cwd, file), 'old');
      const files = names.flatMap((file) => ['-o', file]);
      // Nothing may grow, and pipes do not.
      const prefix = shell('ulimit -f 0; exec "$@"');
      const { code, stdout, stderr } = await run([...words(url), ...files], { cwd, prefix });
      assertCode(code, 6, stderr);
      assert.match(stdout, summary[name] ?? /never/);
      assert.match(stderr, /cannot write r\.json: the file would be larger than is allowed here/);
      assert.deepEqual(readdirSync(cwd).sort(), names.toSorted());
      for (const file of names) assert.equal(readFileSync(join(cwd, file), 'utf8'), 'old', file);
    });

    test('a path through a file: refused before anything is sent', { timeout: 60_000 }, async (t) => {
      const cwd = emptyFolder(t);
      writeFileSync(join(cwd, 'file'), '');
      const args = words('ws://127.0.0.1:1');
      const { code, stdout, stderr } = await run([...args, '-o', 'file/r.json'], { cwd });
      assert.equal(code, 6, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^wsbench: cannot write file\/r\.json: a part of its path is not a folder\n$/);
    });

    test('| head -1: no complaint, and the exit code of the run', {
      timeout: 60_000,
      skip: onUnix,
    }, async (t) => {
      const url = await startEcho(t);
      const cwd = emptyFolder(t);
      const prefix = shell('{ "$@"; echo "code $?" >&2; } | head -c 1 > head.txt');
      const files = extensions.flatMap((extension) => ['-o', `r${extension}`]);
      const { stderr } = await run([...words(url), '--json', ...files], { cwd, prefix });
      assert.equal(readFileSync(join(cwd, 'head.txt'), 'utf8'), '{');
      assert.match(stderr, /^code [04]$/m);
      assert.doesNotMatch(stderr, /EPIPE|stdout|^\s+at /m);
      for (const extension of extensions) assert.ok(existsSync(join(cwd, `r${extension}`)), extension);
    });
  });
}

describe('report that cannot write', { concurrency: 1 }, () => {
  test('a full device, a full stdout, a reader that leaves', { timeout: 60_000, skip: noFull }, async (t) => {
    const { url } = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    await run(['stress', url, ...load, '-o', 's.json'], { cwd });
    symlinkSync('/dev/full', join(cwd, 'full.csv'));
    const device = await run(['report', 's.json', '-o', 'full.csv'], { cwd });
    assert.equal(device.code, 6, device.stderr);
    assert.match(device.stderr, /^wsbench: cannot write full\.csv: no space left on the device$/m);
    const stdout = await run(['report', 's.json', '--format', 'json'], {
      cwd,
      prefix: shell('exec "$@" > /dev/full'),
    });
    assert.equal(stdout.code, 6);
    assert.match(stdout.stderr, /cannot write to stdout: .*ENOSPC/);
    const gone = shell('{ "$@"; echo "code $?" >&2; } | head -c 1 > head.txt');
    const pipe = await run(['report', 's.json', '--format', 'json'], { cwd, prefix: gone });
    assert.equal(pipe.stderr, 'code 0\n');
  });
});
