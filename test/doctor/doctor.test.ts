// wsbench doctor, end to end: what it prints, how it ends, and that what it measures is measured.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { judge } from '../../lib/doctor/judge.ts';
import { type DoctorReport, doctor } from '../../lib/index.ts';
import { doctorText } from '../../reports/index.ts';
import { displayWidth } from '../../reports/width.ts';
import { emptyFolder, run, start, until } from '../cli/spawn.ts';
import { assertGolden } from '../golden.ts';
import { goodFloor, goodMachine, goodQuiet } from './evidence.ts';

const limitIds = ['runtime', 'files', 'ports', 'processors', 'memory', 'sockets', 'k6'];
const measuredIds = [
  'timers',
  'event-loop',
  'clock',
  'noise',
  'round-trip',
  'rate',
  'connects',
  'connection-memory',
];

test('doctor --no-measure: limits and settings at once, and nothing saved', {
  timeout: 30_000,
}, async (t) => {
  const cwd = emptyFolder(t);
  const { code, stdout, stderr } = await run(['doctor', '--no-measure', '--json'], { cwd });
  const report = JSON.parse(stdout) as DoctorReport;
  // A machine that allows no connection at all is not fit, and says so.
  assert.equal(code, report.outcome === 'inconclusive' ? 4 : 0, stderr);
  assert.deepEqual(
    report.findings.map(({ id }) => id),
    limitIds,
  );
  assert.deepEqual(
    [report.schemaVersion, report.kind, report.quiet, report.floor],
    [1, 'doctor', null, null],
  );
  assert.ok(report.durationMs < 10_000);
});

test('doctor: measures timers, round trips, rate, connects and memory', { timeout: 120_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const { code, stdout, stderr } = await run(['doctor', '--json'], { cwd });
  const report = JSON.parse(stdout) as DoctorReport;
  const failed = report.findings.filter(({ status }) => status === 'fail');
  assert.equal(code, failed.length > 0 ? 4 : 0, stderr);
  if (failed.length > 0) assert.match(stderr, new RegExp(`exit 4: ${failed[0]?.title}: `));
  assert.match(stderr, /self-test: message rate/);
  const ids = report.findings.map(({ id }) => id).filter((id) => id !== 'quota');
  assert.deepEqual(ids, [...limitIds, ...measuredIds]);
  const { floor, quiet, capacity } = report;
  assert.ok(floor && quiet);
  assert.ok(quiet.timers.count > 20);
  assert.ok(floor.roundTrip.count > 100 && floor.roundTrip.p50Ms > 0, 'round trips were made');
  assert.ok(floor.roundTrip.cpuUs > 1 && floor.roundTrip.cpuUs < 2000, `${floor.roundTrip.cpuUs} µs`);
  assert.ok(floor.connect.connections > 0 && floor.connect.perSecond > 20);
  assert.ok(floor.memory.rssBytes < 200_000, `${floor.memory.rssBytes} bytes a connection`);
  assert.ok(floor.rate.steps.length >= 2);
  assert.equal(capacity.messagesPerSecond, floor.rate.perSecond);
});

test('doctor: few files are named, with what they allow', {
  timeout: 60_000,
  skip: process.platform !== 'linux',
}, async (t) => {
  const cwd = emptyFolder(t);
  const script = 'ulimit -n 200 && exec "$0" "$@"';
  const { execFile } = await import('node:child_process');
  const { fileURLToPath } = await import('node:url');
  const bin = fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url));
  const text = await new Promise<string>((resolve) => {
    const args = ['-c', script, process.execPath, bin, 'doctor', '--no-measure'];
    execFile('sh', args, { cwd, env: { LANG: 'C.UTF-8' } }, (_error, stdout) => resolve(stdout));
  });
  assert.match(text, /! Open files +200, \d+ in use: room for 1[56]\d connections\n +→ raise `ulimit -n`/);
  assert.match(text, /From here: up to 1[56]\d connections to one target \(open files are the limit\)/);
});

test('doctor: a signal ends the measuring, and what is known is printed', { timeout: 60_000 }, async (t) => {
  const running = start(['doctor'], { cwd: emptyFolder(t) });
  await until(() => running.stderr().includes('round trip'), 'the self-test');
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.finished;
  if (code !== 4) assert.equal(code, 130, stderr);
  assert.match(stdout, /Timers/);
  assert.doesNotMatch(stdout, /Message rate/);
});

test('doctor: from a program, without a word', { timeout: 30_000 }, async () => {
  const steps: string[] = [];
  const report = await doctor({ measure: false }, { onStep: (step) => steps.push(step) });
  assert.deepEqual(steps, ['limits']);
  assert.equal(report.machine.k6, null, 'without an environment nothing is looked up');
});

const machine = {
  ...goodMachine,
  files: { soft: 1024, hard: 4096, open: 20 },
  k6: { path: '/opt/\u001b[31mk6', version: null },
};
const quiet = { ...goodQuiet, timers: { ...goodQuiet.timers, p99: 7 } };
const made: DoctorReport = {
  schemaVersion: 1,
  kind: 'doctor',
  wsbench: '0.1.0',
  startedAt: '2026-11-23T02:26:01.000Z',
  durationMs: 9400,
  host: { node: '20.20.2', platform: 'linux', arch: 'x64', cpuModel: 'AMD EPYC', cpus: 4, memoryBytes: 17e9 },
  outcome: 'inconclusive',
  findings: judge({ machine, quiet, floor: goodFloor }),
  machine,
  quiet,
  floor: goodFloor,
  capacity: { connections: 988, limitedBy: 'files', messagesPerSecond: 330_000 },
};
const terminal = { width: 80, color: false, unicode: true };

test('doctor: as text', () => assertGolden('text-doctor.txt', doctorText(made, terminal)));
test('doctor: as ASCII', () =>
  assertGolden('text-doctor-ascii.txt', doctorText(made, { ...terminal, unicode: false })));
test('doctor: no line is wider than the terminal, and without Unicode all is ASCII', () => {
  for (let width = 60; width <= 120; width++) {
    for (const unicode of [true, false]) {
      const text = doctorText(made, { ...terminal, width, unicode });
      for (const line of text.split('\n')) assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
      if (!unicode) assert.match(text, /^[\n\x20-\x7e]*$/);
    }
  }
});

test('docs/doctor.md has every finding and every field', () => {
  const text = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w[\w-]*)/g)].map(([, name = '']) => name),
  );
  const ids = [...limitIds, ...measuredIds, 'quota', 'self-test'];
  assert.deepEqual(new Set(rows), new Set([...ids, ...Object.keys(made)]));
});
