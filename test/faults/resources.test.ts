// Files and ports run out, here and at the target: whose fault it is, what to do, and a report all the same.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseResult, type StressResult } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { ended } from '../fixtures/ended.ts';
import { hook } from '../fixtures/hook.ts';
import { noNetworks, ownNetwork } from '../fixtures/privileged.ts';
import { startLoadServer, startScriptedServer } from '../fixtures/server-process.ts';

function resultOf(text: string): StressResult {
  const result = parseResult(text, 'report') as StressResult;
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  return result;
}

const limited = (files: number): readonly string[] => ['sh', '-c', `ulimit -n ${files} && exec "$@"`, 'sh'];
const short = ['--preset', 'echo', '-r', '100/s', '-d', '1s', '-t', '1s', '--no-save', '-q'];
const onUnix = { timeout: 60_000, skip: process.platform === 'win32' && 'ulimit' };

describe('files', () => {
  test('too few are found before the run: one line, exit 2, no connection, no report', onUnix, async (t) => {
    const server = await startScriptedServer(t, { every: 1, at: {} });
    const cwd = emptyFolder(t);
    const args = ['stress', server.url, '-c', '300', ...short, '-o', 'report.json'];
    const { code, stdout, stderr } = await run(args, { cwd, prefix: limited(200) });
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^wsbench: 300 connections need \d+ open files, and this process may have 200: raise `ulimit -n`/,
    );
    assert.equal((await server.tally()).upgrades, 0);
    assert.ok(!existsSync(join(cwd, 'report.json')));
  });

  test(
    'none are left in the middle of the connects: the generator’s fault, and the report is written',
    onUnix,
    async (t) => {
      const server = await startLoadServer(t, { mode: 'echo' });
      const cwd = emptyFolder(t);
      const args = [
        'stress',
        server.url,
        '-c',
        '100',
        '--ramp-up',
        '1500ms',
        ...short,
        '-o',
        'report.json',
        '-o',
        'r.md',
      ];
      // Something else in the process opens all but 10 of them when some connections are open.
      const options = { node: hook('open-files'), env: { WSBENCH_TEST_FILES_LEFT: '10' } };
      const { code, stderr } = await run(args, { cwd, prefix: limited(300), ...options });
      assert.equal(code, 4, stderr);
      const result = resultOf(readFileSync(join(cwd, 'report.json'), 'utf8'));
      assert.match(readFileSync(join(cwd, 'r.md'), 'utf8'), /ulimit -n/);
      assert.equal(result.outcome, 'inconclusive');
      const reason = result.reasons.find(({ code }) => code === 'generator-resources');
      assert.match(reason?.message ?? '', /EMFILE.*ulimit -n/);
      const [failure] = result.failures;
      assert.equal(failure?.kind, 'resources');
      assert.match(failure?.detail ?? '', /EMFILE/);
      assert.ok(result.counters['connections.opened'] > 0 && result.counters['connections.failed'] > 0);
      assert.match(stderr, /^exit 4: /m);
    },
  );

  test('none are left at the target: it accepts and hangs up, and the hint says so', onUnix, async (t) => {
    const script = fileURLToPath(new URL('../fixtures/server-load.js', import.meta.url));
    const child = fork(script, [script, '{"mode":"echo"}'], {
      execPath: 'sh',
      execArgv: ['-c', 'ulimit -n 80 && exec "$0" "$2" "$3"', process.execPath],
    });
    t.after(() => child.kill('SIGKILL'));
    const [port] = (await once(child, 'message')) as [number];
    const args = [
      'stress',
      `ws://127.0.0.1:${port}`,
      '-c',
      '120',
      '--connect-timeout',
      '3s',
      ...short,
      '--json',
    ];
    const { counters, failures, reasons } = ended(await run(args, { cwd: emptyFolder(t) }), 99);
    assert.ok(counters['connections.opened'] >= 20, `${counters['connections.opened']} opened`);
    assert.ok(counters['connections.failed'] >= 20, `${counters['connections.failed']} failed`);
    assert.deepEqual([...new Set(failures.map(({ kind }) => kind))], ['reset']);
    assert.match(failures[0]?.hint ?? '', /out of file descriptors, or does it cap connections/);
    assert.ok(reasons.some(({ message }) => message.startsWith('connections.failed ')));
  });
});

describe('ports', { skip: noNetworks }, () => {
  const range = (from: number, to: number): string =>
    `echo "${from} ${to}" > /proc/sys/net/ipv4/ip_local_port_range`;

  test('too few are found before the run: exit 2, with the way out', { timeout: 60_000 }, async (t) => {
    const network = ownNetwork(t);
    network.run(range(40_000, 40_029));
    const args = ['stress', 'ws://127.0.0.1:9', '-c', '50', ...short];
    const { code, stderr, stdout } = await run(args, { cwd: emptyFolder(t), prefix: network.prefix });
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /50 connections to one address need as many local ports, and this machine has 30: .*widen/,
    );
  });

  test('others take them in the meantime: the generator’s fault, exit 4', { timeout: 60_000 }, async (t) => {
    const network = ownNetwork(t);
    network.run(range(40_000, 40_029));
    // The embedded server runs in the same network, and 20 of its ports are taken by somebody who listens on them.
    const cwd = emptyFolder(t);
    const args = ['stress', '-c', '25', '-r', '100/s', '-d', '1s', '-t', '1s', '--no-save', '-q', '--json'];
    const options = { prefix: network.prefix, node: hook('open-ports') };
    const { code, stdout, stderr } = await run(args, { cwd, ...options });
    assert.equal(code, 4, stderr);
    const result = resultOf(stdout);
    assert.ok(result.reasons.some((reason) => reason.code === 'generator-resources'));
    assert.match(result.failures[0]?.detail ?? '', /EADDRNOTAVAIL/);
    assert.match(result.failures[0]?.hint ?? '', /no local port left.*ip_local_port_range/);
    assert.ok(result.counters['connections.opened'] > 0);
  });
});
