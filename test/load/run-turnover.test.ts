// Connections that come, go and are replaced while the load goes on, as the server sees it: counts, not times.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { type PlanChanges, stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

/** What a server saw of one connection. */
interface Seen {
  texts: number;
  code: number | undefined;
}

/** An echo server, and what it saw. */
async function startSeeing(t: TestContext, accepts: () => boolean = () => true) {
  const connections: Seen[] = [];
  const closed: number[] = [];
  let [open, most] = [0, 0];
  const url = await startTalkServer(
    t,
    (socket, _request, onText) => {
      const seen: Seen = { texts: 0, code: undefined };
      const number = connections.push(seen) - 1;
      most = Math.max(most, ++open);
      onText((text) => {
        seen.texts++;
        socket.send(text);
      });
      socket.on('close', (code) => {
        seen.code = code;
        open--;
        closed.push(number);
      });
    },
    { verifyClient: (_info, answer) => (accepts() ? answer(true) : answer(false, 503)) },
  );
  return {
    url,
    connections,
    /** Numbers of connections in the order in which they ended. */
    closed,
    get most() {
      return most;
    },
  };
}

const codesOf = ({ warnings }: StressResult): string[] => warnings.map(({ code }) => code);

/** Nothing went wrong, and every connection that was closed was closed by us with 1000. */
function assertClean(result: StressResult): void {
  const { counters } = result;
  assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
  assert.equal(counters['messages.matched'], counters['messages.scheduled'], JSON.stringify(counters));
  assert.equal(counters['connections.failed'], 0);
  assert.equal(counters['connections.abnormal'], 0);
  assert.equal(result.derived.errors, 0);
  assert.deepEqual(codesOf(result), []);
  assert.deepEqual(result.closes, [
    { code: 1000, by: 'us', clean: true, count: counters['connections.opened'] },
  ]);
}

const up = [
  { durationMs: 400, connections: 12 },
  { durationMs: 300 },
  { durationMs: 400, connections: 3 },
  { durationMs: 200 },
];
const ramp: PlanChanges = {
  connections: 3,
  stages: up,
  durationMs: 1300,
  ratePerSecond: 300,
  timeoutMs: 4000,
};

// One after the other: server and load share a thread, and a fresh connection must be open in time.
describe('turnover', { concurrency: 1 }, () => {
  for (const workers of [1, 2]) {
    test(`a ramp of connections, ${workers} workers: each opened once, and closed with 1000`, {
      timeout: 30_000,
    }, async (t) => {
      const server = await startSeeing(t);
      const result = await stress(stressPlan(server.url, { ...ramp, workers }));
      assertClean(result);
      assert.equal(result.counters['connections.opened'], 12);
      assert.equal(result.counters['connections.closed'], 9);
      assert.equal(result.openAtEnd, 3);
      assert.equal(result.counters['messages.scheduled'], 390);
      assert.equal(server.most, 12);
      assert.ok(server.connections.every(({ code }) => code === 1000));
      // Those that were always asked for have had the most to say.
      const first = server.connections.slice(0, 3).map(({ texts }) => texts);
      const others = server.connections.slice(3).map(({ texts }) => texts);
      assert.ok(Math.min(...first) > Math.max(...others), `${first} ${others}`);
      assert.ok(Math.min(...others) > 0);
      assert.ok((result.derived.uptime ?? 0) > 0.95, `uptime ${result.derived.uptime}`);
    });

    test(`churn, ${workers} workers: the oldest is replaced by a fresh one, and no message is missed`, {
      timeout: 30_000,
    }, async (t) => {
      const server = await startSeeing(t);
      const plan = { connections: 4, churnPerSecond: 20, ratePerSecond: 100, warmupMs: 200, timeoutMs: 4000 };
      const result = await stress(stressPlan(server.url, { ...plan, durationMs: 1000, workers }));
      assertClean(result);
      assert.equal(result.counters['messages.scheduled'], 100);
      const { 'connections.closed': closed, 'connections.opened': opened } = result.counters;
      // One every 50 ms from 50 ms to 1150 ms; on a busy machine the last ones may still be on their way.
      assert.ok(closed >= 15 && closed <= 23, `${closed} replaced`);
      assert.ok(opened >= closed + 4 && opened <= 27, `${opened} opened`);
      assert.ok((result.derived.uptime ?? 0) === 1, `uptime ${result.derived.uptime}`);
      if (workers === 1) {
        const early = server.closed.slice(0, closed);
        assert.deepEqual(
          early,
          [...early].sort((a, b) => a - b),
          'the oldest first',
        );
      }
      assert.equal(result.metrics.connect.count, opened);
    });
  }

  for (const [name, changes] of [
    ['open model', { ratePerSecond: 80 }],
    ['closed model', { model: 'closed', thinkTimeMs: [10, 10] }],
  ] as const) {
    test(`messages per connection, ${name}: so many go over each, and are answered`, {
      timeout: 30_000,
    }, async (t) => {
      const server = await startSeeing(t);
      const result = await stress(
        stressPlan(server.url, {
          connections: 4,
          messagesPerConnection: 10,
          warmupMs: 500,
          durationMs: 1500,
          timeoutMs: 4000,
          thinkTimeMs: [0, 0],
          ...(changes as PlanChanges),
        }),
      );
      assertClean(result);
      const replaced = server.closed.slice(0, result.counters['connections.closed']);
      assert.ok(replaced.length >= 8, `${replaced.length} replaced`);
      for (const number of replaced) {
        // The probe is no message of the load.
        const texts = (server.connections[number]?.texts ?? 0) - (number === 0 ? 1 : 0);
        assert.equal(texts, 10, `connection ${number}`);
      }
      if (name === 'open model') {
        assert.equal(result.counters['messages.scheduled'], 120);
        assert.equal(replaced.length, 16);
      }
    });
  }

  test('one message per connection: as many connections as messages, two at a time for each place', {
    timeout: 30_000,
  }, async (t) => {
    const server = await startSeeing(t);
    const plan = {
      connections: 5,
      messagesPerConnection: 1,
      ratePerSecond: 20,
      warmupMs: 0,
      timeoutMs: 4000,
    };
    const result = await stress(stressPlan(server.url, plan));
    assertClean(result);
    assert.equal(result.counters['messages.scheduled'], 20);
    assert.equal(result.counters['connections.closed'], 20);
    assert.equal(result.openAtEnd, 10);
    assert.ok(server.most <= 15, `${server.most} at the same time`);
  });

  test('an interrupt amid a ramp and churn: nothing is opened any more, and the books balance', {
    timeout: 30_000,
  }, async (t) => {
    const server = await startSeeing(t);
    const controller = new AbortController();
    const plan = stressPlan(server.url, {
      connections: 3,
      stages: [{ durationMs: 5000, connections: 40, ratePerSecond: 2000 }],
      durationMs: 5000,
      churnPerSecond: 20,
    });
    const result = await stress(plan, controller.signal, (event) => {
      if (event.type === 'phase' && event.phase === 'measure')
        setTimeout(() => controller.abort('SIGINT'), 700);
    });
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    assert.ok(result.reasons.some(({ code }) => code === 'sigint'));
    assert.equal(result.counters['connections.abnormal'], 0);
    const { 'connections.opened': opened } = result.counters;
    assert.ok(opened > 3 && opened < 40, `${opened} opened`);
    assert.equal(result.counters['messages.lost'], 0);
  });

  test('a target that lets nobody in amid churn: the causes are counted, and who is in stays', {
    timeout: 30_000,
  }, async (t) => {
    let isFull = false;
    const server = await startSeeing(t, () => !isFull);
    const plan = { connections: 4, churnPerSecond: 20, ratePerSecond: 100, warmupMs: 200, timeoutMs: 4000 };
    const result = await stress(stressPlan(server.url, plan), undefined, (event) => {
      if (event.type === 'phase' && event.phase === 'measure') isFull = true;
    });
    const { counters, failures } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.ok(counters['connections.failed'] >= 5, `${counters['connections.failed']} failed`);
    assert.equal(failures[0]?.kind, 'http');
    assert.equal(
      failures.reduce((sum, { count }) => sum + count, 0),
      counters['connections.failed'],
    );
    assert.equal(counters['messages.matched'], 100);
    assert.equal(result.derived.uptime, 1);
    assert.equal(result.reasons[0]?.code === 'threshold' || result.outcome === 'inconclusive', true);
  });

  test('a target that ends the connections: those are abnormal, and churn brings fresh ones', {
    timeout: 30_000,
  }, async (t) => {
    let opened = 0;
    const url = await startTalkServer(t, (socket, _request, onText) => {
      // The first ones are thrown out amid the load.
      if (opened++ < 4) setTimeout(() => socket.close(4000), 600);
      onText((text) => socket.send(text));
    });
    const plan = { connections: 4, churnPerSecond: 2, ratePerSecond: 40, durationMs: 3000, warmupMs: 0 };
    const result = await stress(stressPlan(url, { ...plan, timeoutMs: 4000 }));
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.ok(counters['connections.abnormal'] >= 3, `${counters['connections.abnormal']} abnormal`);
    assert.ok(counters['messages.unsent'] > 0);
    assert.deepEqual(result.unsent, [{ reason: 'connection not open', count: counters['messages.unsent'] }]);
    assert.ok(result.openAtEnd >= 3, `${result.openAtEnd} open at the end`);
    assert.ok(codesOf(result).includes('connections-ended'));
  });
});

describe('load over time', { concurrency: 2 }, () => {
  // biome-ignore format: a table
  const counts: [string, PlanChanges, number][] = [
    ['a jump of the rate', { ratePerSecond: 100, stages: [{ durationMs: 300 }, { durationMs: 0, ratePerSecond: 500 }, { durationMs: 300 }], durationMs: 600 }, 180],
    ['a ramp of the rate from nothing', { stages: [{ durationMs: 0, ratePerSecond: 0 }, { durationMs: 1000, ratePerSecond: 400 }], durationMs: 1000 }, 200],
    ['a ramp down to nothing', { ratePerSecond: 400, stages: [{ durationMs: 500, ratePerSecond: 0 }, { durationMs: 200 }], durationMs: 700 }, 100],
    ['so many messages', { ratePerSecond: 200, messages: 77, durationMs: 60_000 }, 77],
    ['so many random ones', { ratePerSecond: 200, messages: 77, durationMs: 60_000, arrival: 'poisson' }, 77],
    ['so many on a ramp', { ratePerSecond: 1, stages: [{ durationMs: 60_000, ratePerSecond: 60_000 }], durationMs: 60_000, messages: 99 }, 99],
    ['so many in the closed model', { model: 'closed', messages: 77, durationMs: 60_000 }, 77],
    ['so many by two workers', { model: 'closed', messages: 77, durationMs: 60_000, workers: 2 }, 77],
  ];
  for (const [name, changes, messages] of counts) {
    test(name, { timeout: 30_000 }, async (t) => {
      const server = await startSeeing(t);
      const result = await stress(stressPlan(server.url, { timeoutMs: 4000, ...changes }));
      assertClean(result);
      assert.equal(result.counters['messages.scheduled'], messages);
      assert.ok(result.phases.measureMs < 20_000);
      assert.equal(result.run.complete, true);
    });
  }

  test('think time: no connection sends before its pause is over', { timeout: 30_000 }, async (t) => {
    const gaps: number[] = [];
    const url = await startTalkServer(t, (socket, _request, onText) => {
      let [repliedMs, replies] = [0, 0];
      onText((text) => {
        // What comes first may be the probe, after which nobody thinks.
        if (replies++ >= 2) gaps.push(performance.now() - repliedMs);
        socket.send(text);
        repliedMs = performance.now();
      });
    });
    const plan = stressPlan(url, { model: 'closed', thinkTimeMs: [60, 90], timeoutMs: 4000, warmupMs: 0 });
    const result = await stress(plan);
    assertClean(result);
    const least = Math.min(...gaps);
    assert.ok(least >= 50, `${least} ms after a reply`);
    const { 'messages.scheduled': scheduled } = result.counters;
    assert.ok(scheduled >= 12 && scheduled <= 4 * 17, `${scheduled} messages`);
  });

  test('a connect rate opens connections one by one, with random arrivals at random times', {
    timeout: 30_000,
  }, async (t) => {
    for (const arrival of ['constant', 'poisson'] as const) {
      const server = await startSeeing(t);
      const result = await stress(
        stressPlan(server.url, { connections: 20, connectRatePerSecond: 50, arrival, durationMs: 300 }),
      );
      assert.equal(result.counters['connections.opened'], 20);
      assert.ok(
        result.phases.connectMs >= (arrival === 'constant' ? 375 : 100),
        `${result.phases.connectMs} ms`,
      );
    }
  });

  test('a load that rises until a threshold fails says how far it got', { timeout: 30_000 }, async (t) => {
    const server = await startSeeing(t);
    const stages = [
      { durationMs: 0, ratePerSecond: 0, connections: 2 },
      { durationMs: 10_000, ratePerSecond: 2000, connections: 22 },
    ];
    const changes = { stages, durationMs: 10_000, abortOnFail: true, timeoutMs: 4000 };
    const result = await stress(stressPlan(server.url, { ...changes, thresholds: ['messages.sent<100'] }));
    const [reason] = result.reasons.filter(({ code }) => code === 'threshold');
    const [, rate, connections] =
      /^aborted after [\d.]+ s at (\d+)\/s, (\d+) connections: messages\.sent \d+, wanted < 100$/.exec(
        reason?.message ?? '',
      ) ?? [];
    // 100 messages are sent after a second, at 200/s and 4 connections; it looks once a second.
    assert.ok(Number(rate) >= 195 && Number(rate) < 1500, reason?.message);
    assert.ok(Math.abs(Number(connections) - 2 - Number(rate) / 100) <= 1, reason?.message);
    assert.equal(result.run.complete, false);
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  });

  test('spinning: the same messages, and the same books', { timeout: 30_000 }, async (t) => {
    const server = await startSeeing(t);
    const result = await stress(
      stressPlan(server.url, { spin: true, ratePerSecond: 500, durationMs: 500, timeoutMs: 4000 }),
    );
    assertClean(result);
    assert.equal(result.counters['messages.scheduled'], 250);
  });
});

test('slow consumers: what they are sent piles up at the target, and the others notice nothing', {
  timeout: 30_000,
}, async (t) => {
  const chunk = 'x'.repeat(128 * 1024);
  const piles = new Map<object, number>();
  const url = await startTalkServer(t, (socket, _request, onText) => {
    onText((text) => socket.send(text));
    const timer = setInterval(() => {
      if (socket.bufferedAmount < 16 * 1024 * 1024) socket.send(chunk);
      piles.set(socket, socket.bufferedAmount);
    }, 10);
    socket.on('close', () => clearInterval(timer));
  });
  const plan = { connections: 4, slowConsumers: 0.25, ratePerSecond: 80, timeoutMs: 6000, durationMs: 2000 };
  let atEnd: number[] = [];
  const result = await stress(stressPlan(url, { ...plan, warmupMs: 0 }), undefined, (event) => {
    if (event.type === 'phase' && event.phase === 'drain') atEnd = [...piles.values()];
  });
  const { counters, slowConsumers } = result;
  assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
  const piled = atEnd.filter((bytes) => bytes > 1024 * 1024);
  assert.equal(piled.length, 1, `${atEnd}`);
  assert.equal(counters['messages.scheduled'], 120);
  assert.equal(counters['messages.matched'], 120);
  assert.equal(slowConsumers?.connections, 1);
  assert.equal((slowConsumers?.sent ?? 0) + (slowConsumers?.unsent ?? 0), 40);
  assert.ok((slowConsumers?.matched ?? 40) < 40, JSON.stringify(slowConsumers));
  assert.equal(result.derived.error_rate, 0);
});
