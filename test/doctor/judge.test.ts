// What the doctor makes of a machine's figures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineFacts } from '../../lib/doctor/facts.ts';
import type { Floor } from '../../lib/doctor/floor.ts';
import { capacityOf, judge, outcomeOf } from '../../lib/doctor/judge.ts';
import type { Quiet } from '../../lib/doctor/quiet.ts';
import type { Finding, FindingStatus } from '../../lib/doctor/report.ts';
import { goodFloor, goodMachine, goodQuiet } from './evidence.ts';

const GiB = 1024 ** 3;
const { memory, sockets, files } = goodMachine;
const ports = { first: 32_768, last: 60_999, reserved: 0, timeWait: 12 };

function finding(id: string, findings: readonly Finding[]): Finding {
  const found = findings.find((each) => each.id === id);
  assert.ok(found, `there is no finding ${id}`);
  return found;
}

type Row<Change> = [name: string, change: Change, id: string, status: FindingStatus, words: RegExp];

// biome-ignore format: a table
const limits: Row<Partial<MachineFacts>>[] = [
  ['plenty of files', {}, 'files', 'ok', /^20,000, 20 in use: room for 19,964 connections$/],
  ['a soft limit below the hard one', { files: { ...files, soft: 4096, hard: 20_000 } }, 'files', 'ok', /4,096 \(hard limit 20,000\).*4,060 connections/],
  ['few files', { files: { soft: 1024, hard: 1024, open: 20 } }, 'files', 'warn', /room for 988 connections → raise `ulimit -n`/],
  ['no file left', { files: { soft: 36, hard: 36, open: 20 } }, 'files', 'fail', /room for 0 connections/],
  ['files without limit', { files: { soft: null, hard: null, open: 20 } }, 'files', 'unknown', /does not say/],
  ['all ports of the system', {}, 'ports', 'ok', /32768-60999: 28,232 connections .*12 held by closed ones; --local-address gives 55,536/],
  ['reserved ports', { ports: { ...ports, reserved: 232 } }, 'ports', 'ok', /28,000 connections to one address and port \(232 reserved\)/],
  ['few ports', { ports: { first: 40_000, last: 40_049, reserved: 0, timeWait: 0 } }, 'ports', 'warn', /50 connections.*→ widen net\.ipv4\.ip_local_port_range; --local-address/],
  ['ports all reserved', { ports: { first: 40_000, last: 40_049, reserved: 50, timeWait: 0 } }, 'ports', 'fail', /→ widen/],
  ['closed connections hold most ports', { ports: { ...ports, timeWait: 20_000 } }, 'ports', 'warn', /20,000 held by closed ones → .*wait/],
  ['no /proc', { ports: null }, 'ports', 'unknown', /does not say/],
  ['four cores', {}, 'processors', 'ok', /4 cores: -w 4 uses them all/],
  ['one core', { processors: { cores: 1, quota: null } }, 'processors', 'warn', /^1 core → .*same core/],
  ['a quota of two of four cores', { processors: { cores: 4, quota: 2.5 } }, 'processors', 'ok', /of which a quota allows 2\.5: -w 2/],
  ['a quota of half a core', { processors: { cores: 4, quota: 0.5 } }, 'processors', 'warn', /allows 0\.5 → the quota stops wsbench/],
  ['much memory', {}, 'memory', 'ok', /^12 GiB of 16 GiB available$/],
  ['a small memory limit', { memory: { ...memory, limitBytes: 128 * 1024 ** 2 } }, 'memory', 'warn', /a limit of 128 MiB → too little/],
  ['swapping', { memory: { ...memory, availableBytes: GiB, swapUsedBytes: 2 * GiB } }, 'memory', 'warn', /2 GiB swapped out → .*late/],
  ['swapped out long ago', { memory: { ...memory, swapUsedBytes: GiB, strict: true } }, 'memory', 'ok', /1 GiB swapped out, no overcommit$/],
  ['sockets', {}, 'sockets', 'ok', /receive buffers up to 32 MiB, send buffers up to 4 MiB, backlog 4,096, SYN backlog 2,048/],
  ['a short backlog', { sockets: { ...sockets, backlog: 128 } }, 'sockets', 'warn', /somaxconn.*--ramp-up/],
  ['sockets unknown', { sockets: { receive: null, send: null, backlog: null, synBacklog: null } }, 'sockets', 'unknown', /does not say/],
  ['no TLS', { runtime: { node: '20.20.2', openssl: null, zlib: '1.3' } }, 'runtime', 'warn', /Node 20\.20\.2, zlib 1\.3 → .*without TLS/],
  ['no k6', {}, 'k6', 'ok', /not found/],
  ['k6', { k6: { path: '/usr/bin/k6', version: '1.8.1' } }, 'k6', 'ok', /1\.8\.1 at \/usr\/bin\/k6/],
  ['something that is no k6', { k6: { path: '/bin/true', version: null } }, 'k6', 'warn', /\/bin\/true → /],
];

// biome-ignore format: a table
const quiets: Row<Partial<Quiet>>[] = [
  ['punctual timers', {}, 'timers', 'ok', /late by 0\.09 ms \(p50\), 0\.4 ms \(p99\), 1\.2 ms at most$/],
  ['late timers', { timers: { ...goodQuiet.timers, p99: 2.5 } }, 'timers', 'warn', /→ stop other work/],
  ['hopeless timers', { timers: { ...goodQuiet.timers, p99: 5 } }, 'timers', 'fail', /every run is inconclusive/],
  ['a late loop', { loop: { ...goodQuiet.loop, p99: 3 } }, 'event-loop', 'warn', /idle, it is late by 3 ms/],
  ['a hopeless loop', { loop: { ...goodQuiet.loop, p99: 40 } }, 'event-loop', 'fail', /40 ms/],
  ['a loop that did not turn', { loop: { ...goodQuiet.loop, count: 0 } }, 'event-loop', 'unknown', /not once/],
  ['a fine clock', {}, 'clock', 'ok', /^tsc: steps of 60 ns, 90 ns to read$/],
  ['a coarse clock', { clock: { stepNs: 20_000, readNs: 90, backwards: 0 } }, 'clock', 'warn', /coarse/],
  ['a slow clock', { clock: { stepNs: 60, readNs: 2000, backwards: 0 } }, 'clock', 'warn', /slow clock source/],
  ['a clock that goes backwards', { clock: { stepNs: 60, readNs: 90, backwards: 2 } }, 'clock', 'fail', /backwards 2 times → .*broken/],
  ['a clock that stands still', { clock: { stepNs: 0, readNs: 0, backwards: 0 } }, 'clock', 'fail', /broken/],
  ['a quiet machine', {}, 'noise', 'ok', /4 % of the processors' time is used, 0 % is taken by the host/],
  ['steal', { processors: { busy: 0.04, stolen: 0.03 } }, 'noise', 'warn', /3 % is taken .*→ other machines/],
  ['a busy machine', { processors: { busy: 0.8, stolen: 0 } }, 'noise', 'warn', /80 %.*→ something else works here/],
  ['noise unknown', { processors: null }, 'noise', 'unknown', /does not say/],
];

// biome-ignore format: a table
const floors: Row<Partial<Floor>>[] = [
  ['a fast round trip', {}, 'round-trip', 'ok', /0\.03 ms \(p50\), 0\.12 ms \(p99\).*20,000\/s at 24 µs of CPU each/],
  ['a slow round trip', { roundTrip: { ...goodFloor.roundTrip, p99Ms: 7 } }, 'round-trip', 'warn', /least that any target/],
  ['the generator ends the search', {}, 'rate', 'ok', /330,000 msg\/s with one worker.*the most that is sent in time$/],
  ['the server ends the search', { rate: { ...goodFloor.rate, endedBy: 'server' } }, 'rate', 'ok', /echo server .* was full: wsbench can do more$/],
  ['the time ends the search', { rate: { ...goodFloor.rate, endedBy: 'time' } }, 'rate', 'ok', /search ended there/],
  ['a low rate', { rate: { ...goodFloor.rate, perSecond: 5000 } }, 'rate', 'warn', /is this machine busy/],
  ['no rate at all', { rate: { ...goodFloor.rate, perSecond: 0, lagP99Ms: 60 } }, 'rate', 'fail', /not even the first step.* 60 ms → /],
  ['fast connects', {}, 'connects', 'ok', /5,000\/s \(1,000 opened\)/],
  ['slow connects', { connect: { connections: 1000, perSecond: 90 } }, 'connects', 'warn', /--ramp-up/],
  ['memory of a connection', {}, 'connection-memory', 'ok', /5\.86 KiB a connection \(RSS\), of it 2\.93 KiB in the heap/],
  ['a quota that is not felt', { throttledMs: 20 }, 'quota', 'ok', /20 ms/],
  ['a quota that stops us', { throttledMs: 2500 }, 'quota', 'warn', /2500 ms during the self-test → the quota.* raise it/],
];

const words = ({ detail, advice }: Finding): string =>
  advice === undefined ? detail : `${detail} → ${advice}`;

for (const [name, change, id, status, wanted] of limits) {
  test(name, () => {
    const seen = finding(id, judge({ machine: { ...goodMachine, ...change }, quiet: null, floor: null }));
    assert.equal(seen.status, status);
    assert.match(words(seen), wanted);
  });
}
for (const [name, change, id, status, wanted] of quiets) {
  test(name, () => {
    const seen = finding(
      id,
      judge({ machine: goodMachine, quiet: { ...goodQuiet, ...change }, floor: null }),
    );
    assert.equal(seen.status, status);
    assert.match(words(seen), wanted);
  });
}
for (const [name, change, id, status, wanted] of floors) {
  test(name, () => {
    const floor = { ...goodFloor, ...change };
    const seen = finding(id, judge({ machine: goodMachine, quiet: goodQuiet, floor }));
    assert.equal(seen.status, status);
    assert.match(words(seen), wanted);
  });
}

test('a self-test that could not be made is a failure in words', () => {
  const floor = 'a connection to this machine itself failed: connect ECONNREFUSED';
  const seen = finding('self-test', judge({ machine: goodMachine, quiet: null, floor }));
  assert.equal(seen.status, 'fail');
  assert.match(words(seen), /ECONNREFUSED → look at firewalls/);
});

test('whatever needs doing says what, and what is fine does not', () => {
  for (const table of [limits, quiets, floors]) {
    for (const [name, change] of table) {
      const evidence = {
        machine: { ...goodMachine, ...(table === limits ? change : {}) } as MachineFacts,
        quiet: { ...goodQuiet, ...(table === quiets ? change : {}) } as Quiet,
        floor: { ...goodFloor, ...(table === floors ? change : {}) } as Floor,
      };
      for (const { id, status, advice } of judge(evidence)) {
        assert.equal(advice !== undefined, status === 'warn' || status === 'fail', `${name}: ${id}`);
      }
    }
  }
});

test('the outcome: what failed counts most, then the interruption, then warnings', () => {
  const of = (...statuses: FindingStatus[]) =>
    statuses.map((status): Finding => ({ id: 'x', title: 'x', status, detail: 'x' }));
  assert.equal(outcomeOf(of('ok', 'unknown'), false), 'ready');
  assert.equal(outcomeOf(of('ok', 'warn'), false), 'warned');
  assert.equal(outcomeOf(of('warn', 'fail'), false), 'inconclusive');
  assert.equal(outcomeOf(of('warn'), true), 'interrupted');
  assert.equal(outcomeOf(of('fail'), true), 'inconclusive');
});

test('the capacity is that of whatever ends first', () => {
  const capacity = (change: Partial<MachineFacts>, floor: Floor | null = goodFloor) =>
    capacityOf({ machine: { ...goodMachine, ...change }, quiet: goodQuiet, floor });
  assert.deepEqual(capacity({}), {
    connections: 19_964,
    limitedBy: 'files',
    messagesPerSecond: 330_000,
  });
  assert.deepEqual(capacity({ files: { soft: null, hard: null, open: 9 } }, null), {
    connections: 28_232,
    limitedBy: 'ports',
    messagesPerSecond: null,
  });
  const small = capacity({ memory: { ...memory, limitBytes: 80_000_000 } });
  assert.deepEqual([small.connections, small.limitedBy], [10_000, 'memory']);
  const unknown = capacity({ files: { soft: null, hard: null, open: null }, ports: null }, null);
  assert.deepEqual([unknown.connections, unknown.limitedBy], [null, null]);
});
