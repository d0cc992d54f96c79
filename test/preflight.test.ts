// Files and ports, asked for before the run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  fileLimit,
  type ProcessLimits,
  portCount,
  preflight,
  processLimits,
  shortage,
} from '../lib/preflight.ts';
import { LocalPorts } from '../lib/transport/local-ports.ts';

// biome-ignore format: a table
const rows: [string, number, ProcessLimits, RegExp | undefined][] = [
  ['nothing is known', 1e6, {}, undefined],
  ['just enough files', 84, { files: 120, openFiles: 20 }, undefined],
  ['one file short', 85, { files: 120, openFiles: 20 }, /^85 connections need 121 open files, and this process may have 120: raise `ulimit -n` .*at most 84 connections$/],
  ['no file to spare', 1, { files: 20, openFiles: 20 }, /ulimit -n` \(the hard limit, too\)$/],
  ['just enough ports', 28_232, { ports: 28_232 }, undefined],
  ['one port short', 28_233, { files: 1e6, ports: 28_232 }, /this machine has 28232: widen net\.ipv4\.ip_local_port_range/],
  ['one port short of those that were named', 4, { ports: 3, portsOf: '127.0.0.1:40000–40002' }, /and 127\.0\.0\.1:40000–40002 has 3: name more local addresses, or use at most 3 connections$/],
];
for (const [name, connections, limits, wanted] of rows) {
  test(name, () => {
    const short = shortage(connections, limits);
    if (wanted === undefined) assert.equal(short, undefined);
    else assert.match(short ?? '', wanted);
    if (wanted !== undefined) assert.throws(() => preflight(connections, limits), { code: 'RESOURCES' });
  });
}

test('ports of our own choice count instead of those of the system', () => {
  const own = new LocalPorts(['127.0.0.1', '127.0.0.2'], { first: 40_000, last: 40_001 });
  const { ports, portsOf } = processLimits(own);
  assert.equal(ports, 4);
  assert.equal(portsOf, '127.0.0.1:40000–40001 and 127.0.0.2:40000–40001');
});

test('what Linux says of itself', () => {
  const limits =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max processes             127468               127468               processes \n' +
    'Max open files            1024                 1048576              files     \n';
  assert.equal(fileLimit(limits), 1024);
  assert.equal(fileLimit(limits.replace('1024 ', 'unlimited ')), undefined);
  assert.equal(fileLimit(undefined), undefined);
  assert.equal(portCount('32768\t60999\n'), 28_232);
  assert.equal(portCount(''), undefined);
});

test('too few files: one line and exit 4, before anything is started', {
  timeout: 20_000,
  skip: process.platform !== 'linux' && 'only Linux is asked',
}, async () => {
  const bin = fileURLToPath(new URL('../../cli/wsbench.js', import.meta.url));
  const script = 'ulimit -n 256 && exec "$@"';
  const args = ['-c', script, 'sh', process.execPath, bin, 'stress', '-c', '250', '--no-save'];
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>(
    (resolve) => {
      execFile('sh', args, (error, stdout, stderr) => resolve({ code: error?.code, stdout, stderr }));
    },
  );
  assert.equal(code, 4, stderr);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^wsbench: 250 connections need \d+ open files, and this process may have 256: raise `ulimit -n`/,
  );
  assert.equal(stderr.trim().split('\n').length, 1);
});
