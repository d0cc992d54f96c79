// Whatever a target does to messages and connections, the series sum to the counters and the books balance.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nowUs } from '../../lib/load/clock.ts';
import type { ConnectSpec, Driver, MessageTemplate, Sink } from '../../lib/load/drivers/driver.ts';
import { seededRandom } from '../../lib/load/pacer.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { stress, stressPlan, typedTarget } from '../fixtures/stress-plan.ts';

/** A target inside the driver that answers, delays, repeats, refuses, pushes and hangs up at random. */
function unruly(seed: number): Driver {
  const random = seededRandom(seed);
  const open = (_spec: ConnectSpec, sink: Sink) => {
    let isOpen = false;
    let isGivenUp = false;
    const queued: string[] = [];
    const say = (text: string, afterMs: number): void => {
      setTimeout(() => {
        const buf = Buffer.from(text);
        if (isOpen) sink.message(buf, 0, buf.length, 1, nowUs());
      }, afterMs);
    };
    const end = (code: number, by: 'us' | 'peer' | 'none', clean: boolean): void => {
      if (!isOpen) return;
      isOpen = false;
      setImmediate(() => sink.closed(code, by, clean, ''));
    };
    const answer = (text: string) => {
      const { id } = JSON.parse(text) as { id: string };
      const reply = JSON.stringify({ type: 'ECHO', id });
      const dice = random();
      if (dice < 0.02) return;
      if (dice < 0.04) return say(reply, 250 + 200 * random());
      if (dice < 0.06) {
        say(reply, 1);
        return say(reply, 400 * random());
      }
      if (dice < 0.09) return say(JSON.stringify({ type: 'ERROR', id, payload: { code: 'X' } }), 1);
      if (dice < 0.12) say('{"type":"PING"}', 1);
      if (dice < 0.14) say('{"type":"ECHO","id":"of-somebody-else"}', 1);
      if (dice > 0.997) return end(1006, 'none', false);
      if (dice > 0.994) return end(1000, 'peer', true);
      say(reply, 20 * random());
    };
    setTimeout(() => {
      if (isGivenUp) return;
      if (random() < 0.1) return sink.failed('refused', 'connect ECONNREFUSED');
      isOpen = true;
      sink.opened({ dnsUs: null, tcpUs: 1, tlsUs: null, upgradeUs: 1, totalUs: 2, subprotocol: '' });
    }, 5 * random());
    return {
      bufferedBytes: 0,
      queue: (template: MessageTemplate, seq: number) => {
        if (!isOpen) return false;
        template.stamp(seq);
        queued.push(template.bytes.toString());
        return true;
      },
      flush: () => queued.splice(0).forEach(answer),
      sendText: () => isOpen,
      queuePing: () => isOpen,
      ping: () => {},
      pause: () => {},
      resume: () => {},
      close: () => end(1000, 'us', true),
      abort: () => {
        isGivenUp = !isOpen;
        end(1006, 'us', false);
      },
    };
  };
  return { name: 'unruly', open };
}

const total = <T>(rows: readonly T[], pick: (row: T) => number): number =>
  rows.reduce((sum, row) => sum + pick(row), 0);

function assertBooks(result: StressResult, name: string): void {
  const { counters, series, metrics } = result;
  assert.deepEqual(brokenIdentities(counters, result.openAtEnd), [], name);
  for (const fate of ['matched', 'rejected', 'lost', 'unsent'] as const) {
    assert.equal(
      total(series.due, (second) => second[fate]),
      counters[`messages.${fate}`],
      `${name}: ${fate}`,
    );
  }
  for (const way of ['sent', 'received'] as const) {
    assert.equal(
      total(series.wall, (second) => second[way]),
      counters[`messages.${way}`],
      `${name}: ${way}`,
    );
  }
  assert.equal(metrics.rtt.count, counters['messages.matched'], name);
  assert.equal(metrics.rtt.censored, counters['messages.lost'] + counters['messages.unsent'], name);
  assert.equal(metrics.service.count, counters['messages.matched'], name);
  assert.equal(
    total(result.unsent, (entry) => entry.count),
    counters['messages.unsent'],
    name,
  );
  assert.equal(
    total(result.rejections, (entry) => entry.count),
    counters['messages.rejected'],
    name,
  );
  const throughput = (result.derived.throughput ?? 0) * (result.phases.measureMs / 1000);
  assert.ok(throughput <= counters['messages.matched'] + (result.warmup?.matched ?? 0) + 1e-6, name);
  assert.ok((result.derived.uptime ?? 0) <= 1, name);
}

describe('books', { concurrency: 6 }, () => {
  for (let seed = 1; seed <= 18; seed++) {
    const model = seed % 3 === 0 ? 'closed' : 'open';
    const stopAfterMs = seed % 4 === 0 ? 150 + 60 * seed : undefined;
    const name = `seed ${seed}, ${model} model${stopAfterMs === undefined ? '' : `, stopped after ${stopAfterMs} ms`}`;
    test(name, { timeout: 20_000 }, async () => {
      const controller = new AbortController();
      if (stopAfterMs !== undefined) setTimeout(() => controller.abort('SIGINT'), stopAfterMs);
      const plan = stressPlan('ws://127.0.0.1:1/', {
        target: typedTarget,
        targetKnown: true,
        connections: 3 + seed,
        model,
        depth: 1 + (seed % 4),
        ratePerSecond: 700,
        arrival: seed % 2 === 0 ? 'poisson' : 'constant',
        durationMs: 1500 + 10 * seed,
        timeoutMs: 200,
        seed,
      });
      const result = await stress(plan, controller.signal, undefined, unruly(seed));
      assertBooks(result, name);
      if (stopAfterMs !== undefined) return;
      const { counters } = result;
      assert.ok(counters['messages.late'] > 0 && counters['messages.duplicate'] > 0, name);
      assert.ok(counters['messages.push'] > 0 && counters['messages.unexpected'] > 0, name);
    });
  }
});

describe('books of connections that come and go', { concurrency: 6 }, () => {
  for (let seed = 1; seed <= 12; seed++) {
    const model = seed % 3 === 0 ? 'closed' : 'open';
    const stopAfterMs = seed % 4 === 0 ? 250 + 80 * seed : undefined;
    test(`seed ${seed}, ${model} model`, { timeout: 20_000 }, async () => {
      const controller = new AbortController();
      if (stopAfterMs !== undefined) setTimeout(() => controller.abort('SIGINT'), stopAfterMs);
      const rate = model === 'open' ? { ratePerSecond: 900 } : {};
      const plan = stressPlan('ws://127.0.0.1:1/', {
        target: typedTarget,
        targetKnown: true,
        connections: 5,
        model,
        ratePerSecond: 400,
        stages: [
          { durationMs: 400, connections: 5 + seed, ...rate },
          { durationMs: 300, connections: 2 },
          { durationMs: 0, connections: 9 },
          { durationMs: 400 },
          { durationMs: 300, connections: 1 },
        ],
        durationMs: 1400,
        churnPerSecond: seed % 2 === 0 ? 25 : 0,
        messagesPerConnection: seed % 5 < 3 ? 12 + seed : 0,
        thinkTimeMs: model === 'closed' ? [1, 8] : [0, 0],
        slowConsumers: seed % 4 === 1 ? 0.3 : 0,
        timeoutMs: 200,
        seed,
      });
      const result = await stress(plan, controller.signal, undefined, unruly(seed));
      assertBooks(result, `seed ${seed}`);
      assert.ok(result.counters['connections.opened'] > 2);
    });
  }
});
