// The wall clock jumps in the middle of a run, forth and back: it names the run, and times nothing. The report says that it did.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyFolder, run } from '../cli/spawn.ts';
import { ended } from '../fixtures/ended.ts';
import { hook } from '../fixtures/hook.ts';
import { startLoadServer } from '../fixtures/server-process.ts';

for (const [name, ms, steps] of [
  ['an hour forth', 3_600_000, '+1 h, −1 h'],
  ['an hour back', -3_600_000, '−1 h, +1 h'],
] as const) {
  test(`the clock jumps ${name}, and back again: no figure shows it, a warning says it`, {
    timeout: 60_000,
  }, async (t) => {
    const server = await startLoadServer(t, { mode: 'echo' });
    const cwd = emptyFolder(t);
    const args = ['stress', server.url, '--preset', 'echo', '-r', '200/s', '-d', '3s', '--json', '--no-save'];
    const env = { WSBENCH_TEST_JUMP_MS: String(ms) };
    const finished = await run(args, { cwd, node: hook('jumping-clock'), env });
    assert.match(finished.stderr, /the clock jumped 2 times/, 'it did jump');
    const result = ended(finished, 0);
    const { counters, metrics, phases, series, warnings } = result;
    const said = warnings.filter(({ code }) => code === 'clock-set').map(({ message }) => message);
    assert.equal(said.length, 1);
    assert.ok(said[0]?.includes(`(${steps})`), said[0]);
    assert.equal(counters['messages.scheduled'], 600);
    assert.equal(counters['messages.matched'], 600);
    assert.deepEqual(
      series.due.map(({ matched }) => matched),
      [200, 200, 200],
    );
    // The machine may be slow, but not an hour.
    for (const name of ['connect', 'rtt', 'service', 'send_lag', 'ping'] as const) {
      const { min, max } = metrics[name];
      assert.ok((min ?? -1) >= 0 && (max ?? Number.NaN) < 10_000, `${name}: ${min} to ${max} ms`);
    }
    assert.equal(phases.measureMs, 3000);
    assert.ok(result.run.durationMs > 4000 && result.run.durationMs < 30_000, `${result.run.durationMs} ms`);
  });
}
