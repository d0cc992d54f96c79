// Upgrades all at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGuardedServer } from '../fixtures/server-process.ts';
import { isLong } from '../require.ts';
import { isServed, upgradeRequest, WireClient } from './wire-client.ts';

const timeout = 60_000;

for (const limits of ['off', 'test'] as const) {
  test(`HS-21 a storm of 2,000 connections, limits ${limits}: each gets an answer`, {
    timeout,
  }, async (t) => {
    const server = await startGuardedServer(t, { server: { limits } });
    await server.figures();
    const startedMs = performance.now();
    const clients = Array.from({ length: 2000 }, () => new WireClient(server));
    for (const client of clients) client.write(upgradeRequest('/ws/echo'));
    const heads = await Promise.all(clients.map((client) => client.head()));
    const tookMs = performance.now() - startedMs;
    const { loopP99Ms, loopMaxMs } = await server.figures();
    const refused = heads.filter((head) => /^HTTP\/1\.1 429 .*\r\n[\s\S]*^retry-after: \d+\r$/im.test(head));
    const taken = heads.filter((head) => head.startsWith('HTTP/1.1 101 '));
    t.diagnostic(
      `${taken.length} taken, ${refused.length} refused in ${Math.round(tookMs)} ms; loop delay p99 ${loopP99Ms.toFixed(1)} ms, at most ${loopMaxMs.toFixed(1)} ms`,
    );
    assert.equal(taken.length + refused.length, 2000);
    if (limits === 'off') assert.equal(taken.length, 2000);
    else assert.ok(taken.length >= 20 && taken.length < 2000, `${taken.length} were taken`);
    const metrics = await (await fetch(`${server.url.replace('ws', 'http')}/metrics`)).text();
    const counted = Number(/^wsbench_upgrades_refused_total\{status="429"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    assert.equal(counted, refused.length);
    // Ten times as much on a machine that does other things at the same time.
    assert.ok(loopP99Ms < (isLong ? 200 : 2000), `loop delay p99 ${loopP99Ms} ms`);
    for (const client of clients) client.destroy();
    if (limits === 'off') await isServed(server);
  });
}
