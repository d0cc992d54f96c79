// Heartbeats of the application's own, on connections under load.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

const beatMs = 300;

/** Says `{"beat": n}` every 300 ms, and drops a connection that does not answer with the number before the next. Echoes. */
function startStrict(t: Parameters<typeof startTalkServer>[0]): Promise<string> {
  return startTalkServer(t, (socket, _request, onText) => {
    let beats = 0;
    let answered = true;
    const timer = setInterval(() => {
      if (!answered) return socket.close(4408, 'no heartbeat');
      answered = false;
      socket.send(JSON.stringify({ beat: ++beats }));
    }, beatMs);
    socket.on('close', () => clearInterval(timer));
    onText((text) => {
      if (text.startsWith('wsbench')) return socket.send(text);
      answered = JSON.parse(text).alive === beats;
    });
  });
}

const answers: Target = targetSchema.parse({
  name: 'strict',
  heartbeat: { reply: [{ when: { pointer: '/beat', exists: true }, send: { alive: '{{ /beat }}' } }] },
  request: 'wsbench {{ id }}',
  match: { by: 'marker' },
  echoes: true,
});
const plan = { targetKnown: true, connections: 4, ratePerSecond: 100, durationMs: 3000 };

describe('heartbeats', { concurrency: 4 }, () => {
  test('those of the target are answered: the connections live, and nothing is unexpected', {
    timeout: 20_000,
  }, async (t) => {
    const result = await stress(stressPlan(await startStrict(t), { ...plan, target: answers }));
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.equal(result.derived.uptime, 1);
    assert.equal(counters['connections.closed'], 0);
    assert.equal(counters['messages.unexpected'], 0);
    assert.equal(counters['messages.matched'], 300);
    // 4 connections, one every 300 ms of 3 s.
    assert.ok(
      counters['messages.push'] >= 32 && counters['messages.push'] <= 44,
      `${counters['messages.push']}`,
    );
    assert.equal(counters['bytes.sent'], 300 * Buffer.byteLength('wsbench xxxxxxxx-000000000000'));
  });

  test('without the reply in the target file the connections are lost', { timeout: 20_000 }, async (t) => {
    const target = { ...answers, heartbeat: { reply: [] } };
    const result = await stress(stressPlan(await startStrict(t), { ...plan, target }));
    assert.ok((result.derived.uptime ?? 1) < 0.5);
    assert.equal(result.counters['connections.abnormal'], 4);
    assert.ok(result.counters['messages.unexpected'] > 0);
    assert.equal(result.closes.find(({ code }) => code === 4408)?.count, 4);
  });

  test('they are answered while the connection is made ready, too', { timeout: 20_000 }, async (t) => {
    const heard: string[] = [];
    const url = await startTalkServer(t, (socket, _request, onText) => {
      socket.send('{"beat":1}');
      onText((text) => {
        if (text.startsWith('wsbench')) return socket.send(text);
        heard.push(text);
        if (text === '{"alive":1}') socket.send('welcome');
      });
    });
    const target = { ...answers, join: [{ expect: { equals: 'welcome' } }] };
    const result = await stress(stressPlan(url, { ...plan, target, durationMs: 300, warmupMs: 0 }));
    assert.equal(result.counters['connections.opened'], 4);
    assert.deepEqual(heard, Array(4).fill('{"alive":1}'));
  });

  test('our own are sent on each connection, spread, and are no traffic', { timeout: 20_000 }, async (t) => {
    const beats: { connection: number; atMs: number }[] = [];
    let connections = 0;
    const url = await startTalkServer(t, (socket, _request, onText) => {
      const connection = connections++;
      onText((text) => {
        if (text.startsWith('beat')) beats.push({ connection, atMs: performance.now() });
        // The last messages are never answered: the heartbeats go on while the run waits for them.
        else if (!text.endsWith('99')) socket.send(text);
      });
    });
    const heartbeat = { every: 400, send: 'beat {{ connection }}', reply: [] };
    const target = { ...answers, request: 'wsbench {{ id }}', heartbeat };
    const changes = { target, targetKnown: true, connections: 4, warmupMs: 0, settleMs: 0, timeoutMs: 1200 };
    const result = await stress(stressPlan(url, { ...changes, ratePerSecond: 100, durationMs: 1000 }));
    assert.equal(result.counters['messages.sent'], 100);
    assert.equal(result.counters['bytes.sent'], 100 * Buffer.byteLength('wsbench xxxxxxxx-000000000000'));
    assert.equal(result.counters['messages.unexpected'], 0);
    assert.equal(result.counters['messages.lost'], 1);
    assert.ok(result.phases.drainMs > 900);
    for (const connection of [0, 1, 2, 3]) {
      const own = beats.filter((beat) => beat.connection === connection);
      // 2.2 s of load and drain, the first after 100 to 400 ms.
      assert.ok(own.length >= 4 && own.length <= 6, `${own.length} heartbeats of connection ${connection}`);
    }
    const firsts = [0, 1, 2, 3].map((n) => beats.find((beat) => beat.connection === n)?.atMs ?? 0);
    const spread = Math.max(...firsts) - Math.min(...firsts);
    assert.ok(spread > 200, `${spread} ms between the first ones`);
  });
});
