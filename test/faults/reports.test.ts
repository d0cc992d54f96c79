// Reports that cannot be written, and readers that leave: the summary is printed all the same, and nothing is half-written.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { emptyFolder, run, start, until } from '../cli/spawn.ts';
import { canDropRights, isRoot, noMounts, smallDisk } from '../fixtures/privileged.ts';
import { startLoadServer } from '../fixtures/server-process.ts';

const short = ['--preset', 'echo', '-r', '100/s', '-d', '1s', '--warmup', '0s', '-q'];
const shell = (script: string): readonly string[] => ['sh', '-c', script, 'sh'];

describe('disks', { concurrency: 2 }, () => {
  test('full before the report is whole: the old one stays, the summary is printed, exit 6', {
    timeout: 60_000,
    skip: noMounts,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    mkdirSync(join(cwd, 'disk'));
    // 12 KiB, of which the old report takes 4: no place for a result of more.
    const [unshare = '', ...rest] = smallDisk(join(cwd, 'disk'), 'size=12k');
    const script = rest.map((part) =>
      part.replace(
        'exec "$@"',
        'echo old > disk/r.json && "$@"; code=$?; ls -A disk; cat disk/r.json; exit $code',
      ),
    );
    const args = [
      'stress',
      server.url,
      '-c',
      '4',
      ...short,
      '-d',
      '3s',
      '-o',
      'disk/r.json',
      '-o',
      'good.md',
      '--no-save',
    ];
    const { code, stdout, stderr } = await run(args, { cwd, prefix: [unshare, ...script] });
    assert.match(stderr, /cannot write disk\/r\.json: no space left on the device/);
    assert.ok(code === 6 || code === 4, `${code} ${stderr}`);
    assert.match(stdout, /Stress test results/);
    // What the shell says of the disk comes last: one file, the old one, whole.
    assert.ok(stdout.endsWith('r.json\nold\n'), stdout.slice(-200));
    assert.match(readFileSync(join(cwd, 'good.md'), 'utf8'), /Stress test results/);
  });

  test('read-only: refused before the run, exit 6', { timeout: 60_000, skip: noMounts }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    mkdirSync(join(cwd, 'disk'));
    const args = ['stress', server.url, ...short, '-o', 'disk/r.json', '--no-save'];
    const { code, stdout, stderr } = await run(args, { cwd, prefix: smallDisk(join(cwd, 'disk'), 'ro') });
    assert.equal(code, 6, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^wsbench: cannot write disk\/r\.json: .*read-only/m);
  });

  test('full where runs are saved: a warning, and no other exit code', {
    timeout: 60_000,
    skip: noMounts,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    mkdirSync(join(cwd, '.wsbench'));
    const prefix = smallDisk(join(cwd, '.wsbench'), 'size=4k');
    const { code, stdout, stderr } = await run(['stress', server.url, ...short], { cwd, prefix });
    assert.ok(code === 0 || code === 4, `${code} ${stderr}`);
    assert.match(stdout, /Stress test results/);
    assert.match(stderr, /warning: the run was not saved in \.wsbench\/runs: no space left/);
  });

  test('full where standard output goes: exit 6, and the reports are written', {
    timeout: 60_000,
    skip: !existsSync('/dev/full') && 'no /dev/full',
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    const args = ['stress', server.url, ...short, '-o', 'r.json', '--json', '--no-save'];
    const { code, stderr } = await run(args, { cwd, prefix: shell('exec "$@" > /dev/full') });
    assert.match(stderr, /wsbench: cannot write to stdout: .*ENOSPC/);
    assert.ok(code === 6 || code === 4, `${code} ${stderr}`);
    JSON.parse(readFileSync(join(cwd, 'r.json'), 'utf8'));
  });

  test('a folder that nobody may write in: refused before the run, exit 6', {
    timeout: 60_000,
    skip: isRoot && !canDropRights && 'root may write everywhere',
  }, async (t) => {
    const cwd = emptyFolder(t);
    mkdirSync(join(cwd, 'locked'), { mode: 0o500 });
    const prefix = isRoot ? ['setpriv', '--bounding-set=-dac_override'] : [];
    const { code, stderr } = await run(['stress', ...short, '-o', 'locked/r.json'], { cwd, prefix });
    assert.equal(code, 6, stderr);
    assert.match(stderr, /cannot write locked\/r\.json: .*permi/);
    assert.deepEqual(readdirSync(join(cwd, 'locked')), []);
  });
});

describe('readers that leave', { concurrency: 2 }, () => {
  test('| head -1: quiet, with the exit code of the run', { timeout: 60_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'skip', n: 2 });
    const cwd = emptyFolder(t);
    // The long form, so that there is more to write than a pipe holds.
    const prefix = shell('{ "$@"; echo "code $?" >&2; } | head -c 1 > head.txt');
    const load = ['--preset', 'echo', '-r', '100/s', '-d', '1s', '--warmup', '0s', '-t', '200ms', '-q'];
    const args = ['stress', server.url, ...load, '--json', '--no-save', '-o', 'r.json'];
    const { stderr } = await run(args, { cwd, prefix });
    assert.equal(readFileSync(join(cwd, 'head.txt'), 'utf8'), '{');
    assert.match(stderr, /^code (99|4)$/m);
    assert.doesNotMatch(stderr, /EPIPE|stdout|^\s+at /m);
    JSON.parse(readFileSync(join(cwd, 'r.json'), 'utf8'));
  });

  test('nobody reads what is said of the progress: the run goes on', { timeout: 60_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    const args = [
      'stress',
      server.url,
      '--preset',
      'echo',
      '-r',
      '100/s',
      '-d',
      '2s',
      '-o',
      'r.json',
      '--no-save',
    ];
    const running = start(args, { cwd });
    await until(() => running.stderr().includes('measure'), 'the measure phase');
    running.child.stderr?.destroy();
    const { code } = await running.finished;
    assert.ok(code === 0 || code === 4, String(code));
    const { counters } = JSON.parse(readFileSync(join(cwd, 'r.json'), 'utf8'));
    assert.equal(counters['messages.matched'], 200);
  });

  test('a report that is a pipe whose reader has left: exit 6, and the summary', {
    timeout: 60_000,
    skip: process.platform === 'win32' && 'mkfifo',
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    writeFileSync(join(cwd, 'reader.sh'), 'mkfifo r.json; (head -c 0 < r.json; true) & exec "$@"');
    const prefix = ['sh', join(cwd, 'reader.sh')];
    const { code, stdout, stderr } = await run(
      ['stress', server.url, ...short, '-o', 'r.json', '--no-save'],
      {
        cwd,
        prefix,
      },
    );
    assert.ok(code === 6 || code === 4, `${code} ${stderr}`);
    assert.match(stdout, /Stress test results/);
    assert.match(stderr, /cannot write r\.json: /);
  });
});
