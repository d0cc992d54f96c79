// Ping frames under load: sampled while it runs, and never so many at once that a server takes them for an attack.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyFolder, run } from '../cli/spawn.ts';
import { echoLoad } from '../fixtures/echo-load.ts';
import { ended } from '../fixtures/ended.ts';
import { startRaw } from '../fixtures/raw-websocket.ts';
import { startLoadServer, startScriptedServer } from '../fixtures/server-process.ts';

// The ws package ends connections on which 60 pings wait for their pongs.
const mostOutstanding = 60;

const load = [...echoLoad, '-d', '4s', '--json'];

describe('pings', { concurrency: 2 }, () => {
  for (const driver of ['native', 'ws']) {
    test(`sampled over the whole of the load, ${driver} driver`, { timeout: 60_000 }, async (t) => {
      const server = await startScriptedServer(t, { every: 1, at: {} });
      const args = ['stress', server.url, '-c', '30', '-r', '2k/s', '--driver', driver, ...load];
      const result = ended(await run(args, { cwd: emptyFolder(t) }), 0);
      const { pings } = await server.tally();
      const { ping } = result.metrics;
      // Each connection once a second, and all together at most 50 a second.
      assert.ok(ping.count >= 60 && ping.count <= 160, `${ping.count} pongs`);
      assert.ok(pings >= ping.count && pings <= 260, `${pings} pings`);
      assert.ok((ping.p50 ?? Number.NaN) > 0);
    });
  }

  test('a target that holds all pongs back has few pings outstanding, on any number of connections', {
    timeout: 60_000,
  }, async (t) => {
    const waiting = new Map<number, number>();
    let most = 0;
    let all = 0;
    const { url } = await startRaw(t, {
      ping: (peer) => {
        const now = (waiting.get(peer.index) ?? 0) + 1;
        waiting.set(peer.index, now);
        most = Math.max(most, now);
        all++;
      },
    });
    for (const connections of ['1', '100']) {
      const args = ['stress', url, '-c', connections, '-r', '200/s', ...load];
      const result = ended(await run(args, { cwd: emptyFolder(t) }), 0);
      assert.equal(result.counters['connections.closed'], 0);
      assert.equal(result.metrics.ping.count, 0);
      assert.ok(result.warnings.some(({ code }) => code === 'no-pong'));
    }
    assert.ok(all > 20, `${all} pings`);
    assert.ok(most < mostOutstanding, `${most} outstanding on one connection`);
    assert.ok(all < 400, `${all} pings in all`);
    t.diagnostic(`at most ${most} outstanding on one connection`);
  });

  test('--no-reply: pings stand for whole writes, so that a server that stalled ends no connection', {
    timeout: 60_000,
  }, async (t) => {
    // 0.2 s of 2,000 messages a second on one connection are 400 messages.
    const server = await startLoadServer(t, {
      mode: 'stall',
      busyMs: 200,
      periodMs: 1000,
      firstStallMs: 500,
    });
    const args = ['stress', server.url, '-c', '1', '-r', '2k/s', '--no-reply', '-m', 'x', '-d', '2s'];
    const finished = await run([...args, '--warmup', '0s', '--json', '--no-save', '-q'], {
      cwd: emptyFolder(t),
    });
    const { counters, metrics } = ended(finished, 0);
    assert.equal(counters['messages.matched'], 4000);
    assert.equal(counters['connections.closed'], 0);
    assert.ok((metrics.rtt.max ?? Number.NaN) >= 150, `max ${metrics.rtt.max} ms`);
  });
});
