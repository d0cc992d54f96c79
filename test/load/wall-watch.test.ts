// Steps of the wall clock, beside what only looks like one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WallWatch } from '../../lib/load/wall-watch.ts';

/** Both clocks, moved by hand; each reading of the steady one takes `heldUpMs`, once. */
function clocks() {
  const time = { wall: 1_700_000_000_000, steady: 5000, heldUpMs: 0 };
  const pass = (ms: number): void => {
    time.wall += ms;
    time.steady += ms;
  };
  return {
    time,
    pass,
    wallMs: () => time.wall,
    steadyMs: () => {
      pass(time.heldUpMs);
      time.heldUpMs = 0;
      return time.steady;
    },
  };
}

test('a clock that is set is told, each step with its sign', { timeout: 10_000 }, () => {
  const by = clocks();
  const watch = new WallWatch(by);
  for (const stepMs of [0, 3_600_000, 0, -1500, 249]) {
    by.pass(1000);
    by.time.wall += stepMs;
    watch.look();
  }
  const { code, message } = watch.warning ?? {};
  assert.equal(code, 'clock-set');
  assert.match(message ?? '', /\(\+1 h, −1\.5 s\)/);
});

test('time that passes, a clock that drifts, and a reading that is held up are no steps', {
  timeout: 10_000,
}, () => {
  const by = clocks();
  const watch = new WallWatch(by);
  for (let second = 0; second < 86_400; second++) {
    by.pass(1000);
    // NTP slews by at most this much.
    by.time.wall += 0.5;
    if (second % 1000 === 7) by.time.heldUpMs = 900;
    watch.look();
  }
  assert.equal(watch.warning, undefined);
});

test('a clock that is set all the time is told once, and no list grows', { timeout: 10_000 }, () => {
  const by = clocks();
  const watch = new WallWatch(by);
  for (let at = 0; at < 10_000; at++) {
    by.time.wall += at % 2 === 0 ? 60_000 : -60_000;
    watch.look();
  }
  assert.match(watch.warning?.message ?? '', /\(\+1 m, −1 m, \+1 m, −1 m, …\)/);
});
