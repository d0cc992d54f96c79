// A server that sleeps before each reply is slow, not busy: the generator waits for all of them at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyFolder, run } from '../cli/spawn.ts';
import { ended } from '../fixtures/ended.ts';
import { startScriptedServer } from '../fixtures/server-process.ts';

for (const [connections, rate, model] of [
  [20, 500, 'open'],
  [40, 1000, 'open'],
  [20, 0, 'closed'],
] as const) {
  test(`10 ms a reply, ${connections} connections, ${model} model`, { timeout: 60_000 }, async (t) => {
    const server = await startScriptedServer(t, { every: 1, at: {}, sleepMs: 10 });
    const load = model === 'open' ? ['-r', `${rate}/s`] : ['--closed'];
    const args = ['stress', server.url, '--preset', 'echo', '-c', String(connections), ...load];
    const result = ended(
      await run([...args, '-d', '3s', '--json', '--no-save', '-q'], { cwd: emptyFolder(t) }),
      0,
    );
    const { counters, metrics, derived } = result;
    if (model === 'open') {
      assert.equal(counters['messages.matched'], 3 * rate);
      assert.ok(Math.abs((derived.throughput ?? 0) - rate) < 0.1 * rate, `${derived.throughput}/s`);
    } else {
      // Little's law: 20 in flight, 10 to 13 ms each; a busy machine makes it fewer, nothing makes it more.
      const throughput = derived.throughput ?? Number.NaN;
      assert.ok(throughput > 600 && throughput < 2100, `${throughput}/s`);
    }
    // Node's timers fire up to a millisecond early by the clock of microseconds.
    assert.ok((metrics.service.min ?? 0) >= 9, `min ${metrics.service.min} ms`);
    assert.ok((metrics.rtt.p50 ?? Number.NaN) < 40, `p50 ${metrics.rtt.p50} ms`);
    t.diagnostic(
      `p50 ${metrics.rtt.p50} p99 ${metrics.rtt.p99} ms, ${derived.throughput?.toFixed(0)} replies/s`,
    );
  });
}
