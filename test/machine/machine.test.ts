// What Linux says of itself, from texts as it writes them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupLimits, throttling } from '../../lib/machine/cgroup.ts';
import { memoryOf } from '../../lib/machine/memory.ts';
import { fileLimits, openFiles } from '../../lib/machine/open-files.ts';
import { portRange, reusesTimeWait, takenPorts, timeWaitSockets } from '../../lib/machine/ports.ts';
import { processorShares, processorTime } from '../../lib/machine/processors.ts';
import { filesOf } from '../fixtures/machine-files.ts';

const nothing = filesOf({});

test('open files: the limits in force and what is open', () => {
  const limits =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max processes             127468               127468               processes \n' +
    'Max open files            1024                 1048576              files     \n';
  assert.deepEqual(fileLimits(limits), { soft: 1024, hard: 1048576 });
  assert.deepEqual(fileLimits(limits.replace('1048576', 'unlimited')), { soft: 1024, hard: undefined });
  const files = filesOf({ '/proc/self/limits': limits, '/proc/self/fd': ['0', '1', '2'] });
  assert.deepEqual(openFiles(files), { soft: 1024, hard: 1048576, open: 3 });
  assert.deepEqual(openFiles(nothing), { soft: undefined, hard: undefined, open: undefined });
});

test('ports: the range, and what is reserved of it', () => {
  const range = (reserved: string) =>
    portRange(
      filesOf({
        '/proc/sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
        '/proc/sys/net/ipv4/ip_local_reserved_ports': reserved,
      }),
    );
  assert.deepEqual(range('\n'), { first: 32768, last: 60999, reserved: 0 });
  assert.equal(range('8080,32000-32769,60000\n')?.reserved, 3, 'only those within the range count');
  assert.equal(portRange(nothing), undefined);
});

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const tail = ' 00000000:00000000 03:00001735 00000000     0        0 0 3 0000000000000000\n';
const tcp = `${head}   0: 00000000:1F90 00000000:0000 0A${tail}   1: 0100007F:1F90 0100007F:C350 06${tail}   2: 0100007F:C350 0100007F:1F90 06${tail}   3: 0100007F:C351 0100007F:1F90 01${tail}   4: 0A00000A:C352 0B00000A:1F90 06${tail}`;
const tcp6 = `${head}   0: 0000000000000000FFFF00000100007F:C353 0000000000000000FFFF00000100007F:1F90 06${tail}   1: 00000000000000000000000001000000:C354 00000000000000000000000001000000:1F90 01${tail}`;

test('ports: those that connections to one destination hold, in each way that the kernel writes it', () => {
  const files = filesOf({ '/proc/net/tcp': tcp, '/proc/net/tcp6': tcp6 });
  const taken = (address: string, port = 8080) => takenPorts(files, { addresses: [address], port });
  assert.deepEqual(taken('127.0.0.1'), { inUse: 1, timeWait: 2 });
  assert.deepEqual(taken('10.0.0.11'), { inUse: 0, timeWait: 1 });
  assert.deepEqual(taken('::1'), { inUse: 1, timeWait: 0 });
  assert.deepEqual(taken('127.0.0.1', 50000), { inUse: 0, timeWait: 1 }, 'a server’s own ends');
  assert.deepEqual(taken('127.0.0.1', 9), { inUse: 0, timeWait: 0 });
  assert.deepEqual(takenPorts(nothing, { addresses: ['127.0.0.1'], port: 80 }), { inUse: 0, timeWait: 0 });
});

test('ports: whether the kernel uses one again that a closed connection holds', () => {
  const reuses = (setting: string, ...addresses: string[]) =>
    reusesTimeWait(filesOf({ '/proc/sys/net/ipv4/tcp_tw_reuse': setting }), { addresses });
  assert.equal(reuses('2\n', '127.0.0.1'), true);
  assert.equal(reuses('2\n', '::1', '127.0.0.2'), true);
  assert.equal(reuses('2\n', '10.0.0.1'), false);
  assert.equal(reuses('1\n', '10.0.0.1'), true);
  assert.equal(reuses('0\n', '127.0.0.1'), false);
  assert.equal(reusesTimeWait(nothing, { addresses: ['127.0.0.1'] }), false);
});

test('ports: all that closed connections hold', () => {
  const text = 'sockets: used 15\nTCP: inuse 1 orphan 0 tw 417 alloc 1 mem 160\nUDP: inuse 0 mem 0\n';
  assert.equal(timeWaitSockets(filesOf({ '/proc/net/sockstat': text })), 417);
  assert.equal(timeWaitSockets(nothing), undefined);
});

const version1 = {
  '/proc/self/cgroup': '4:memory:/job/9\n2:cpuacct:/job/9\n1:cpu:/job/9\n0::/\n',
  '/proc/self/mountinfo':
    '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n' +
    '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n' +
    '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n' +
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n',
  '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
  '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us': '150000\n',
  '/sys/fs/cgroup/cpu/job/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/cpu/job/cpu.stat': 'nr_periods 90\nnr_throttled 12\nthrottled_time 345000000\n',
  '/sys/fs/cgroup/cpu/job/9/cpu.cfs_quota_us': '-1\n',
  '/sys/fs/cgroup/cpu/job/9/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/cpu/job/9/cpu.stat': 'nr_periods 0\nnr_throttled 0\nthrottled_time 0\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  '/sys/fs/cgroup/memory/job/9/memory.limit_in_bytes': '536870912\n',
};
const version2 = {
  '/proc/self/cgroup': '0::/system.slice/bench.service\n',
  '/proc/self/mountinfo': '41 31 0:38 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n',
  '/sys/fs/cgroup/system.slice/cpu.max': '400000 100000\n',
  '/sys/fs/cgroup/system.slice/cpu.stat': 'usage_usec 9\nnr_periods 4\nnr_throttled 1\nthrottled_usec 1000\n',
  '/sys/fs/cgroup/system.slice/bench.service/cpu.max': '50000 100000\n',
  '/sys/fs/cgroup/system.slice/bench.service/cpu.stat':
    'usage_usec 9\nnr_periods 4\nnr_throttled 3\nthrottled_usec 250500\n',
  '/sys/fs/cgroup/system.slice/memory.max': 'max\n',
  '/sys/fs/cgroup/system.slice/bench.service/memory.max': '1073741824\n',
};
const container = {
  '/proc/self/cgroup': '0::/docker/abc\n',
  '/proc/self/mountinfo': '41 31 0:38 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup ro\n',
  '/sys/fs/cgroup/cpu.max': '200000 100000\n',
  '/sys/fs/cgroup/memory.max': 'max\n',
};
const otherRoot = {
  ...container,
  '/proc/self/mountinfo': '41 31 0:38 /docker/xyz /sys/fs/cgroup ro - cgroup2 cgroup ro\n',
};

// biome-ignore format: a table
const groups: [string, Record<string, string>, { cores?: number; memoryBytes?: number; periods?: number; ms?: number }][] = [
  ['version 1: the group around it has the quota', version1, { cores: 1.5, memoryBytes: 536870912, periods: 12, ms: 345 }],
  ['version 2: the strictest of two, the throttling of both', version2, { cores: 0.5, memoryBytes: 1073741824, periods: 4, ms: 251.5 }],
  ['a container sees its own part', container, { cores: 2, periods: 0, ms: 0 }],
  ['a container whose path is that of the host', otherRoot, { cores: 2, periods: 0, ms: 0 }],
  ['no quota', { ...version2, '/sys/fs/cgroup/system.slice/cpu.max': 'max 100000\n', '/sys/fs/cgroup/system.slice/bench.service/cpu.max': 'max 100000\n' }, { memoryBytes: 1073741824 }],
  ['no control groups', {}, {}],
];
for (const [name, texts, { cores, memoryBytes, periods, ms }] of groups) {
  test(`control groups: ${name}`, () => {
    const files = filesOf(texts);
    assert.deepEqual(cgroupLimits(files), { cores, memoryBytes });
    assert.deepEqual(throttling(files), periods === undefined ? undefined : { periods, ms });
  });
}

test('processors: what became of their time between two readings', () => {
  const at = (line: string) =>
    processorTime(filesOf({ '/proc/stat': `${line}\ncpu0 1 1 1 1 1 1 1 1 1 1\n` }));
  const before = at('cpu  1000 0 500 8000 100 0 50 10 300 0');
  const after = at('cpu  1100 0 520 8800 100 0 50 90 390 0');
  assert.deepEqual(before, { total: 9660, idle: 8100, stolen: 10 });
  const shares = processorShares(before, after);
  assert.equal(shares?.stolen, 0.08);
  assert.equal(Math.round((shares?.busy ?? 0) * 1000), 120);
  assert.equal(processorShares(before, before), undefined);
  assert.equal(processorShares(undefined, after), undefined);
  assert.equal(processorTime(nothing), undefined);
});

test('memory: in bytes, and whether promises are kept strictly', () => {
  const meminfo =
    'MemTotal:       24684096 kB\nMemFree:        23313164 kB\nMemAvailable:   23581224 kB\nSwapTotal:       2048 kB\nSwapFree:        1024 kB\n';
  const files = filesOf({ '/proc/meminfo': meminfo, '/proc/sys/vm/overcommit_memory': '2\n' });
  assert.deepEqual(memoryOf(files), {
    total: 24684096 * 1024,
    available: 23581224 * 1024,
    swapTotal: 2048 * 1024,
    swapFree: 1024 * 1024,
    strict: true,
  });
  assert.equal(memoryOf(nothing).strict, false);
});
