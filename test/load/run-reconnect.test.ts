// stress --reconnect: connections that a server ends now and then come back, and nothing of the load is hidden.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { type PlanChanges, stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

/** An echo server that ends each connection after so many messages, with a code. */
async function startEnding(t: TestContext, messages: number, code: number) {
  const seen = { opened: 0, ended: 0 };
  const url = await startTalkServer(t, (socket, _request, onText) => {
    seen.opened++;
    let taken = 0;
    onText((text) => {
      socket.send(text);
      if (++taken === messages) {
        seen.ended++;
        socket.close(code);
      }
    });
  });
  return { url, seen };
}

const load: PlanChanges = { connections: 6, ratePerSecond: 120, durationMs: 2000, timeoutMs: 500 };

describe('reconnect', { concurrency: 1 }, () => {
  for (const [name, changes] of [
    ['one worker', {}],
    ['two workers', { workers: 2 }],
    ['the ws package', { driver: 'ws' }],
    ['the closed model', { model: 'closed', thinkTimeMs: [20, 20] }],
  ] as [string, PlanChanges][]) {
    test(`reconnect: ${name}: who is sent away is back at once, and the books balance`, {
      timeout: 30_000,
    }, async (t) => {
      const { url, seen } = await startEnding(t, 10, 1012);
      const result = await stress(stressPlan(url, { ...load, ...changes, reconnect: 'immediate' }));
      const { recovery, counters } = result;
      assert.ok(recovery);
      assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
      t.diagnostic(`${recovery.lost} lost, ${recovery.returned} back, gap p50 ${recovery.gap.p50} ms`);
      assert.ok(recovery.lost >= 12, `${recovery.lost} lost`);
      // What is lost in the last moments of the phase may have no time to come back, or be lost in the drain.
      assert.ok(recovery.lost <= seen.ended, `${recovery.lost} lost, the server ended ${seen.ended}`);
      assert.equal(recovery.lost, recovery.returned + recovery.missing);
      assert.equal(recovery.gap.count, recovery.returned);
      assert.equal(recovery.time.count, recovery.gap.count);
      assert.equal(recovery.storm, undefined);
      assert.equal(counters['connections.opened'], seen.opened);
      assert.deepEqual(
        recovery.closes.map(({ code, by }) => ({ code, by })),
        [{ code: 1012, by: 'peer' }],
      );
      assert.ok(counters['messages.matched'] > 0.7 * counters['messages.scheduled']);
      const lines = recovery.series.reduce((sum, row) => sum + row.attempts, 0);
      assert.equal(lines, recovery.attempts.total);
    });
  }

  test('without it a connection that is gone stays away', { timeout: 30_000 }, async (t) => {
    const { url, seen } = await startEnding(t, 10, 1012);
    const result = await stress(stressPlan(url, load));
    assert.equal(seen.opened, 6);
    assert.equal(result.recovery, undefined);
    assert.ok(result.counters['messages.unsent'] > 0);
  });

  test('what falls due while a connection is away is unsent, in the gap and in every percentile', {
    timeout: 30_000,
  }, async (t) => {
    const { url } = await startEnding(t, 10, 1012);
    const result = await stress(stressPlan(url, { ...load, reconnect: 'jitter' }));
    const { recovery, counters, metrics } = result;
    assert.ok(recovery);
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.equal(recovery.messages.unsent, counters['messages.unsent']);
    assert.ok(counters['messages.unsent'] > 0);
    assert.equal(metrics.rtt.censored, counters['messages.unsent'] + counters['messages.lost']);
  });

  test('a server that refuses everybody: each attempt is counted, and the books balance', {
    timeout: 60_000,
  }, async (t) => {
    const sockets: { terminate(): void }[] = [];
    let accepts = true;
    const url = await startTalkServer(
      t,
      (socket, _request, onText) => {
        sockets.push(socket);
        onText((text) => socket.send(text));
      },
      { verifyClient: (_info, answer) => (accepts ? answer(true) : answer(false, 503)) },
    );
    const plan = stressPlan(url, { ...load, durationMs: 1500, reconnect: 'immediate' });
    const result = await stress(plan, undefined, (event) => {
      if (!accepts || event.type !== 'phase' || event.phase !== 'measure') return;
      accepts = false;
      for (const socket of sockets) socket.terminate();
    });
    const { recovery, counters, failures } = result;
    assert.ok(recovery);
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    t.diagnostic(`${recovery.attempts.total} attempts`);
    assert.equal(recovery.missing, 6);
    assert.ok(recovery.attempts.total > 100, `${recovery.attempts.total} attempts`);
    assert.equal(failures[0]?.kind, 'http');
    assert.equal(result.openAtEnd, 0);
  });
});
