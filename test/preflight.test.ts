// Files and ports, asked for before the run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { destinationOf, type ProcessLimits, preflight, processLimits, shortages } from '../lib/preflight.ts';
import { LocalPorts } from '../lib/transport/local-ports.ts';
import { filesOf } from './fixtures/machine-files.ts';

// biome-ignore format: a table
const rows: [string, number, number, ProcessLimits, RegExp[]][] = [
  ['nothing is known', 1e6, 1, {}, []],
  ['just enough files', 84, 1, { files: 120, openFiles: 20 }, []],
  ['one file short', 85, 1, { files: 120, openFiles: 20 }, [/^85 connections need 121 open files, and this process may have 120: raise `ulimit -n` .*at most 84 connections$/]],
  ['just enough for two workers', 76, 2, { files: 120, openFiles: 20 }, []],
  ['one file short for two workers', 77, 2, { files: 120, openFiles: 20 }, [/^77 connections over 2 workers need 121 open files, .*at most 76 connections$/]],
  ['no file to spare', 1, 1, { files: 20, openFiles: 20 }, [/ulimit -n` \(the hard limit, too\)$/]],
  ['just enough ports', 28_232, 1, { ports: 28_232 }, []],
  ['one port short', 28_233, 1, { files: 1e6, ports: 28_232 }, [/this machine has 28232: name local addresses \(--local-address a,b\), widen net\.ipv4\.ip_local_port_range, or use at most 28232 connections$/]],
  ['just enough ports beside those taken', 90, 1, { ports: 100, portsInUse: 4, portsResting: 6 }, []],
  ['ports that rest', 91, 1, { ports: 100, portsInUse: 4, portsResting: 6 }, [/has 100 \(4 in use, 6 held for a minute by closed connections\): wait a minute, name local addresses .*at most 90 connections$/]],
  ['no port at all', 1, 1, { ports: 3, portsInUse: 3 }, [/has 3 \(3 in use\): name local addresses .*ip_local_port_range$/]],
  ['one port short of those that were named', 4, 1, { ports: 3, portsOf: '127.0.0.1:40000–40002' }, [/and 127\.0\.0\.1:40000–40002 has 3: name more local addresses, or use at most 3 connections$/]],
  ['too few of both', 200, 1, { files: 120, openFiles: 20, ports: 100 }, [/need 236 open files/, /as many local ports/]],
];
for (const [name, connections, workers, limits, wanted] of rows) {
  test(name, () => {
    const short = shortages({ connections, workers }, limits);
    assert.equal(short.length, wanted.length, short.join('\n'));
    for (const [index, pattern] of wanted.entries()) assert.match(short[index] ?? '', pattern);
  });
}

const machine = filesOf({
  '/proc/self/limits': 'Max open files            120                  120                  files     \n',
  '/proc/self/fd': Array.from({ length: 20 }, (_, fd) => String(fd)),
  '/proc/sys/net/ipv4/ip_local_port_range': '40000\t40049\n',
  '/proc/sys/net/ipv4/ip_local_reserved_ports': '40000-40009\n',
  '/proc/sys/net/ipv4/tcp_tw_reuse': '2\n',
  '/proc/net/tcp':
    '  sl  local_address rem_address   st\n' +
    '   0: 0A00000A:9C4A 0B00000A:1F90 06 00000000:00000000 03:00001735 00000000     0        0 0 3 0\n' +
    '   1: 0A00000A:9C4B 0B00000A:1F90 01 00000000:00000000 03:00001735 00000000     0        0 0 3 0\n' +
    '   2: 0100007F:9C4C 0100007F:1F90 06 00000000:00000000 03:00001735 00000000     0        0 0 3 0\n',
});

test('what this process may use: files, ports, and what of them is taken for a destination', () => {
  const far = { addresses: ['10.0.0.11'], port: 8080 };
  const { files, openFiles, ports, portsOf, portsInUse, portsResting } = processLimits(
    undefined,
    far,
    machine,
  );
  assert.deepEqual(
    [files, openFiles, ports, portsOf, portsInUse, portsResting],
    [120, 20, 40, undefined, 1, 1],
  );
  const near = processLimits(undefined, { addresses: ['127.0.0.1'], port: 8080 }, machine);
  assert.equal(near.portsResting, 0, 'on the loopback interface the kernel uses them again');
});

test('ports of our own choice count instead of those of the system', () => {
  const own = new LocalPorts(['127.0.0.1', '127.0.0.2'], { first: 40_000, last: 40_001 });
  const { ports, portsOf } = processLimits(own, undefined, machine);
  assert.equal(ports, 4);
  assert.equal(portsOf, '127.0.0.1:40000–40001 and 127.0.0.2:40000–40001');
});

test('the destination is that of the URL, or of the proxy before it', async () => {
  // biome-ignore format: a table
  const urls: [string, string | undefined, { addresses: string[]; port: number } | undefined][] = [
    ['ws://127.0.0.1:8080/ws', undefined, { addresses: ['127.0.0.1'], port: 8080 }],
    ['ws://127.0.0.1/', undefined, { addresses: ['127.0.0.1'], port: 80 }],
    ['wss://[::1]/', undefined, { addresses: ['::1'], port: 443 }],
    ['wss://far.example/', 'http://10.0.0.1:3128', { addresses: ['10.0.0.1'], port: 3128 }],
    ['wss://far.example/', 'socks5://10.0.0.1', { addresses: ['10.0.0.1'], port: 1080 }],
    ['ws+unix:/run/socket:/', undefined, undefined],
    ['no URL', undefined, undefined],
    ['ws://no-such-host.invalid/', undefined, undefined],
  ];
  for (const [url, proxy, wanted] of urls) assert.deepEqual(await destinationOf(url, proxy), wanted, url);
  const local = await destinationOf('ws://localhost:9/', undefined);
  assert.ok(local?.addresses.includes('127.0.0.1') || local?.addresses.includes('::1'));
});

test('a run for which there is too little is refused with all reasons in one line', async () => {
  const url = 'ws://10.0.0.11:8080/';
  await preflight({ connections: 38 }, { url }, machine);
  await assert.rejects(preflight({ connections: 39 }, { url }, machine), {
    code: 'RESOURCES',
    message: /^39 connections to one address .* has 40 \(1 in use, 1 held for a minute/,
  });
  await assert.rejects(preflight({ connections: 90, workers: 2 }, { url }, machine), {
    code: 'RESOURCES',
    message: /^90 connections over 2 workers need 134 open files.*; and 90 connections to one address/,
  });
  await preflight({ connections: 76, workers: 2 }, { url, localAddresses: ['127.0.0.2'] }, machine);
  const elsewhere = preflight({ connections: 1 }, { url, localAddresses: ['192.0.2.7'] }, machine);
  await assert.rejects(elsewhere, { code: 'USAGE', message: /192\.0\.2\.7 is no address of this machine/ });
  await preflight({ connections: 40 }, { url: undefined }, machine);
});

test('too few files: one line and exit 2, before anything is started', {
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
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^wsbench: 250 connections need \d+ open files, and this process may have 256: raise `ulimit -n`/,
  );
  assert.equal(stderr.trim().split('\n').length, 1);
});
