// The live view in words and bars.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastLines, liveLines } from '../../cli/live-lines.ts';
import { heard, type LiveState, noState } from '../../cli/live-state.ts';
import type { RunEvent, Snapshot } from '../../lib/result/events.ts';
import { bar, sparkline } from '../../reports/sparkline.ts';
import { displayWidth } from '../../reports/width.ts';

// biome-ignore format: a table
const sparks: [number[], number, boolean, string][] = [
  [[], 5, true, ''],
  [[1, 2, 3, 4, 5, 6, 7], 9, true, '▃▄▅▆▇██'],
  [[10, 10, 0, 10], 9, true, '██▁█'],
  [[0, 0], 9, true, '▁▁'],
  [[100, 1, 50], 9, true, '█▂▅'],
  [[9, 1, 2, 2], 2, true, '██'],
  [[10, 10, 0, 5], 9, false, '##_='],
];
for (const [values, cells, unicode, wanted] of sparks) {
  test(`sparkline of ${values.join(', ')} in ${cells}`, () =>
    assert.equal(sparkline(values, cells, unicode), wanted));
}

// biome-ignore format: a table
const bars: [number, boolean, string][] = [
  [0, true, '░░░░░░░░░░'], [0.5, true, '█████░░░░░'], [0.999, true, '█████████░'], [1, true, '██████████'],
  [1.2, true, '██████████'], [0.25, false, '##........'],
];
for (const [share, unicode, wanted] of bars) {
  test(`bar of ${share}`, () => assert.equal(bar(share, 10, unicode), wanted));
}

const snapshot: Snapshot = {
  phase: 'measure',
  elapsedMs: 24_010,
  plannedMs: 30_000,
  connections: { asked: 500, open: 500, failed: 0 },
  sentPerSecond: 5000,
  receivedPerSecond: 4998.4,
  p50Ms: 1.1,
  p99Ms: 8.714,
  errors: 0,
};
const state: LiveState = {
  ...noState(0),
  phase: 'measure',
  connectMs: 812,
  snapshot,
  measured: snapshot,
  rates: [...Array.from({ length: 50 }, () => 5000), 2500, 0, 5000],
};
const style = { width: 80, color: false, unicode: true };
const changed = (changes: Partial<Snapshot>): LiveState => ({
  ...state,
  phase: changes.phase ?? 'measure',
  snapshot: { ...snapshot, ...changes },
});

// biome-ignore format: a table
const lines: [string, LiveState, Partial<typeof style>, string[]][] = [
  ['at 80 columns', state, {}, [
    '  connect  ████████████████████  500/500 open  0.8 s  0 failed',
    '  measure  █████████████████▅▁█  4,998 msg/s  p99 8.71 ms  0 errors  24/30 s']],
  ['at 120 columns', state, { width: 120 }, [
    '  connect  ████████████████████████████████████████  500/500 open  0.8 s  0 failed',
    '  measure  █████████████████████████████████████▅▁█  4,998 msg/s  p99 8.71 ms  0 errors  24/30 s']],
  ['at 60 columns: no bar', state, { width: 60 }, [
    '  connect  500/500 open  0.8 s  0 failed',
    '  measure  4,998 msg/s  p99 8.71 ms  0 errors  24/30 s']],
  ['at 40 columns: the first words', state, { width: 40 }, [
    '  connect  500/500 open  0.8 s',
    '  measure  4,998 msg/s  p99 8.71 ms']],
  ['ASCII', state, { unicode: false }, [
    '  connect  ####################  500/500 open  0.8 s  0 failed',
    '  measure  #################=_#  4,998 msg/s  p99 8.71 ms  0 errors  24/30 s']],
  ['in colour, what is bad', changed({ errors: 12_345, connections: { asked: 500, open: 250, failed: 250 } }), { color: true }, [
    '  connect  █████████░░░░░░░░░  250/500 open  0.8 s  \u001b[31m250 failed\u001b[39m',
    '  measure  ███████████████▅▁█  4,998 msg/s  p99 8.71 ms  \u001b[31m12,345 errors\u001b[39m  24/30 s']],
  ['connecting', { ...changed({ phase: 'connect', connections: { asked: 18_000, open: 4500, failed: 0 } }), connectMs: 12_400, rates: [] }, {}, [
    '  connect  █████░░░░░░░░░░░░░░░  4,500/18,000 open  12 s  0 failed']],
  ['warming up, nothing back yet', { ...changed({ phase: 'warmup', elapsedMs: 400, plannedMs: 1000, p99Ms: null, receivedPerSecond: 0 }), rates: [0] }, {}, [
    '  connect  ████████████████████  500/500 open  0.8 s  0 failed',
    '  warm-up  ▁                     0 msg/s  0 errors  0/1 s']],
  ['most of those that were lost are back', changed({ connections: { asked: 500, open: 420, failed: 0 }, returns: { lost: 1500, back: 1420 } }), { color: true }, [
    '  connect  ███████████████░░░░  420/500 open  \u001b[31m1,420/1,500 back\u001b[39m  0.8 s  0 failed',
    '  measure  ████████████████▅▁█  4,998 msg/s  p99 8.71 ms  0 errors  24/30 s']],
  ['none was lost', changed({ returns: { lost: 0, back: 0 } }), { width: 60 }, [
    '  connect  500/500 open  0.8 s  0 failed',
    '  measure  4,998 msg/s  p99 8.71 ms  0 errors  24/30 s']],
  ['minutes', changed({ elapsedMs: 90_000, plannedMs: 600_000 }), { width: 60 }, [
    '  connect  500/500 open  0.8 s  0 failed',
    '  measure  4,998 msg/s  p99 8.71 ms  0 errors  1:30/10:00']],
  ['hours', changed({ elapsedMs: 3_723_000, plannedMs: 86_400_000 }), { width: 70 }, [
    '  connect  500/500 open  0.8 s  0 failed',
    '  measure  4,998 msg/s  p99 8.71 ms  0 errors  1:02:03/24:00:00']],
];
for (const [name, given, change, wanted] of lines) {
  test(`lines: ${name}`, () => assert.deepEqual(liveLines(given, { ...style, ...change }), wanted));
}

test('lines: never as wide as the terminal, whatever the figures', () => {
  for (let width = 20; width <= 200; width += 7) {
    for (const factor of [0, 1, 1000, 1e6]) {
      const given = changed({
        receivedPerSecond: 999 * factor,
        p99Ms: 9.99 * factor,
        errors: 999 * factor,
        connections: { asked: 999 * factor, open: 998 * factor, failed: factor },
      });
      for (const color of [true, false]) {
        for (const line of liveLines(given, { ...style, width, color })) {
          assert.ok(displayWidth(line) < width, `${width}: ${line}`);
        }
      }
    }
  }
});

test('lines: nothing before anything is known, and nothing to keep of a run that measured nothing', () => {
  assert.deepEqual(liveLines(noState(0), style), []);
  assert.deepEqual(lastLines({ ...state, measured: undefined }, style), []);
  assert.equal(lastLines(state, style).length, 2);
});

const interval = (phase: Snapshot['phase'], receivedPerSecond: number, errors = 0): RunEvent => ({
  type: 'interval',
  snapshot: { ...snapshot, phase, receivedPerSecond, errors },
});

test('state: the time of connecting stands still when it is over; rates are those of the load', () => {
  const events: [RunEvent, number][] = [
    [{ type: 'phase', phase: 'connect' }, 100],
    [interval('connect', 0), 1100],
    [{ type: 'phase', phase: 'settle' }, 1500],
    [interval('settle', 0), 1900],
    [{ type: 'phase', phase: 'warmup' }, 2000],
    [interval('warmup', 10), 2900],
    [{ type: 'phase', phase: 'measure' }, 3000],
    [interval('measure', 20), 3900],
    [{ type: 'warning', warning: { code: 'x', message: 'x' } }, 4000],
    [interval('measure', 30), 4900],
    [{ type: 'phase', phase: 'drain' }, 33_000],
    [interval('drain', 5, 2), 33_900],
  ];
  const end = events.reduce((seen, [event, atMs]) => heard(seen, event, atMs), noState(0));
  assert.equal(end.connectMs, 1400);
  assert.deepEqual(end.rates, [10, 20, 30]);
  assert.equal(end.phase, 'drain');
  assert.deepEqual([end.measured?.receivedPerSecond, end.measured?.elapsedMs], [30, 30_000]);
  const last = lastLines(end, style)[1] ?? '';
  assert.match(last, /30 msg\/s.*2 errors {2}30\/30 s$/, 'errors that came while it drained count');
});

test('state: a measure phase that was cut short says how far it came', () => {
  const events: [RunEvent, number][] = [
    [{ type: 'phase', phase: 'measure' }, 1000],
    [interval('measure', 20), 2000],
    [{ type: 'phase', phase: 'drain' }, 13_000],
  ];
  const end = events.reduce((seen, [event, atMs]) => heard(seen, event, atMs), noState(0));
  assert.equal(end.measured?.elapsedMs, 12_000);
});
