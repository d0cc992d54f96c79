// What is gathered of a machine, from texts as Linux writes them, and k6 where it is found.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { bufferSizes, machineFacts } from '../../lib/doctor/facts.ts';
import { watchQuiet } from '../../lib/doctor/quiet.ts';
import { machineFiles } from '../../lib/machine/files.ts';
import { emptyFolder } from '../cli/spawn.ts';
import { filesOf } from '../fixtures/machine-files.ts';

const texts = {
  '/proc/self/limits': 'Max open files            1024                 4096                 files     \n',
  '/proc/self/fd': ['0', '1', '2'],
  '/proc/sys/net/ipv4/ip_local_port_range': '40000\t40049\n',
  '/proc/net/sockstat': 'TCP: inuse 1 orphan 0 tw 7 alloc 1 mem 160\n',
  '/proc/meminfo':
    'MemTotal:        2048 kB\nMemAvailable:    1024 kB\nSwapTotal:       512 kB\nSwapFree:        256 kB\n',
  '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t33554432\n',
  '/proc/sys/net/core/somaxconn': '128\n',
  '/sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc\n',
};

test('facts: what the files say', async () => {
  const facts = await machineFacts(filesOf(texts), {});
  assert.deepEqual(facts.files, { soft: 1024, hard: 4096, open: 3 });
  assert.deepEqual(facts.ports, { first: 40_000, last: 40_049, reserved: 0, timeWait: 7 });
  assert.deepEqual(facts.memory, {
    totalBytes: 2048 * 1024,
    availableBytes: 1024 * 1024,
    limitBytes: null,
    swapUsedBytes: 256 * 1024,
    strict: false,
  });
  assert.deepEqual(facts.sockets, {
    receive: { min: 4096, standard: 131_072, max: 33_554_432 },
    send: null,
    backlog: 128,
    synBacklog: null,
  });
  assert.equal(facts.clockSource, 'tsc');
  assert.equal(facts.runtime.node, process.versions.node);
  assert.equal(facts.runtime.openssl, process.versions.openssl);
});

test('facts: where nothing is said, nothing is known', async () => {
  const facts = await machineFacts(filesOf({}), {});
  assert.deepEqual(facts.files, { soft: null, hard: null, open: null });
  assert.equal(facts.ports, null);
  assert.equal(facts.clockSource, null);
  assert.equal(facts.k6, null);
  assert.ok(facts.processors.cores >= 1 && facts.memory.totalBytes > 0, 'these every system knows');
  assert.equal(bufferSizes('4096 x'), null);
});

test('facts: k6 is what WSBENCH_K6_BIN names, else the first in PATH that can be run', async (t) => {
  const folder = emptyFolder(t);
  const program = (name: string, says: string, mode = 0o755): string => {
    mkdirSync(join(folder, name));
    const path = join(folder, name, 'k6');
    writeFileSync(path, `#!/bin/sh\n[ "$1" = version ] && echo "${says}"\n`);
    chmodSync(path, mode);
    return path;
  };
  program('plain-file', 'k6 v0.1.0', 0o644);
  const second = program('second', 'k6 v1.8.1 (commit/abc, go1.25, linux/amd64)');
  const named = program('named', 'k6 v2.0.0');
  const other = program('other', 'hello');
  const PATH = [join(folder, 'plain-file'), '', join(folder, 'nowhere'), join(folder, 'second')].join(
    delimiter,
  );
  const found = async (env: Record<string, string>) => (await machineFacts(filesOf({}), env)).k6;
  assert.deepEqual(await found({ PATH }), { path: second, version: '1.8.1' });
  assert.deepEqual(await found({ PATH, WSBENCH_K6_BIN: named }), { path: named, version: '2.0.0' });
  assert.deepEqual(await found({ PATH, WSBENCH_K6_BIN: other }), { path: other, version: null });
  assert.equal(await found({ PATH, WSBENCH_K6_BIN: join(folder, 'nowhere') }), null);
});

test('quiet: timers, loop and clock are looked at for as long as asked, or until told to stop', {
  timeout: 20_000,
}, async () => {
  const quiet = await watchQuiet(machineFiles, 200, new AbortController().signal);
  assert.ok(quiet.timers.count > 3, `${quiet.timers.count} timers`);
  assert.ok(quiet.timers.p50 <= quiet.timers.p99 && quiet.timers.p99 <= quiet.timers.max + 0.1);
  assert.equal(quiet.clock.backwards, 0);
  assert.ok(quiet.clock.stepNs > 0 && quiet.clock.readNs > 0);
  const stopped = await watchQuiet(machineFiles, 60_000, AbortSignal.abort());
  assert.equal(stopped.timers.count, 0);
});
