// Targets that make a mess of the conversation beside the load: whatever they say and when, each connection and each message
// ends in one place.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WebSocket } from 'ws';
import { nowUs } from '../../lib/load/clock.ts';
import type { Driver, Sink } from '../../lib/load/drivers/driver.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

const short = { targetKnown: true, connections: 3, ratePerSecond: 60, durationMs: 500, warmupMs: 0 };

/** Greets, is asked for a room, and echoes. */
const room: Target = targetSchema.parse({
  name: 'room',
  join: [
    {
      send: 'join {{ connection }}',
      expect: { equals: 'joined' },
      refuse: { equals: 'denied' },
    },
  ],
  request: 'say {{ id }}',
  match: { by: 'marker' },
  echoes: true,
});

function assertBalanced(result: StressResult): void {
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  assert.ok(!result.reasons.some(({ code }) => code === 'bug'), JSON.stringify(result.reasons));
}

/** Frames of short texts, as bytes of one write. */
function frames(...texts: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) =>
      typeof text === 'string' ? [Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)] : [text],
    ),
  );
}
const badFrame = Buffer.from([0x83, 0x00]);
const closeFrame = Buffer.from([0x88, 0x02, 0x0f, 0xa1]);

function writeRaw(socket: WebSocket, bytes: Buffer): void {
  (socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(bytes);
}

describe('conversation', { concurrency: 4 }, () => {
  // biome-ignore format: a table
  const endings: [string, Buffer, 'opened' | 'failed'][] = [
    ['a refusal, then rubbish', frames('denied', badFrame), 'failed'],
    ['a refusal, then a close', frames('denied', closeFrame), 'failed'],
    ['a refusal, then a welcome', frames('denied', 'joined'), 'failed'],
    ['a refusal twice', frames('denied', 'denied', badFrame), 'failed'],
    ['rubbish, then a welcome', frames(badFrame, 'joined'), 'failed'],
    ['a welcome twice', frames('joined', 'joined'), 'opened'],
    ['a welcome, then a refusal', frames('joined', 'denied'), 'opened'],
    ['a welcome between others', frames('hello', 'joined', 'news'), 'opened'],
  ];
  for (const [name, bytes, end] of endings) {
    test(`an opening that is answered at once by ${name}`, { timeout: 20_000 }, async (t) => {
      const url = await startTalkServer(t, (socket, _request, onText) =>
        onText((text) => (text.startsWith('join') ? writeRaw(socket, bytes) : socket.send(text))),
      );
      const result = await stress(stressPlan(url, { ...short, target: room }));
      assertBalanced(result);
      const { counters } = result;
      assert.equal(counters['connections.attempted'], 3);
      assert.equal(counters[`connections.${end}`], 3);
      assert.equal(counters.protocol_errors, 0);
      if (end === 'opened') assert.equal(counters['messages.matched'], 30);
      else {
        assert.equal(exitCode(result), 3);
        assert.equal(result.failures.length, 1);
      }
    });
  }

  test('an answer that comes in pieces is one answer', { timeout: 20_000 }, async (t) => {
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        if (!text.startsWith('join')) return socket.send(text);
        const bytes = frames('hello', 'joined');
        for (const [at, byte] of bytes.entries()) {
          setTimeout(() => writeRaw(socket, Buffer.from([byte])), 5 * at);
        }
      }),
    );
    const result = await stress(stressPlan(url, { ...short, target: room }));
    assertBalanced(result);
    assert.equal(result.counters['messages.matched'], 30);
    assert.equal(result.counters['messages.unexpected'], 0);
  });

  test('what a step of join waits for may be a heartbeat, which is answered as well', {
    timeout: 20_000,
  }, async (t) => {
    const heard: string[] = [];
    const url = await startTalkServer(t, (socket, _request, onText) => {
      setTimeout(() => socket.send('{"beat":7}'), 50);
      onText((text) => (text.startsWith('say') ? socket.send(text) : heard.push(text)));
    });
    const target = targetSchema.parse({
      ...room,
      join: [{ expect: { pointer: '/beat', exists: true } }, { send: 'saw {{ /beat }}' }],
      heartbeat: { reply: [{ when: { pointer: '/beat', exists: true }, send: 'alive {{ /beat }}' }] },
    });
    const result = await stress(stressPlan(url, { ...short, target, connections: 1 }));
    assertBalanced(result);
    assert.equal(result.counters['connections.opened'], 1);
    assert.equal(result.counters['messages.matched'], 30);
    assert.deepEqual(heard, ['alive 7', 'saw 7']);
  });

  test('a reply that is a heartbeat, too, is both', { timeout: 20_000 }, async (t) => {
    const acks: string[] = [];
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        const { id, ack } = JSON.parse(text) as Record<string, string>;
        if (ack !== undefined) return acks.push(ack);
        return socket.send(JSON.stringify({ id, wantsAck: true }));
      }),
    );
    const target = targetSchema.parse({
      name: 'acknowledged',
      heartbeat: {
        reply: [{ when: { pointer: '/wantsAck', equals: true }, send: { ack: '{{ /id }}' } }],
      },
      request: { id: '{{ id }}' },
      match: { by: 'id', pointer: '/id' },
    });
    const result = await stress(stressPlan(url, { ...short, target }));
    assertBalanced(result);
    assert.equal(result.counters['messages.matched'], 30);
    assert.equal(result.counters['messages.push'], 0);
    // One more for the probe.
    assert.equal(new Set(acks).size, 31);
  });

  test('a reply that asks for a fresh token, too, is both', { timeout: 20_000 }, async (t) => {
    const fresh: string[] = [];
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        const { id, token } = JSON.parse(text) as Record<string, string>;
        if (token === undefined) return socket.send(JSON.stringify({ id, renew: true }));
        fresh.push(token);
        // Answered three times, the last time much later, while it drains or closes.
        for (const afterMs of [0, 0, 400]) setTimeout(() => socket.send('{"renewed":true}'), afterMs);
      }),
    );
    const target = targetSchema.parse({
      name: 'renewed',
      auth: {
        in: 'query',
        refresh: {
          when: { pointer: '/renew', equals: true },
          send: { token: '{{ token }}' },
          expect: { pointer: '/renewed', equals: true },
        },
      },
      request: { id: '{{ id }}' },
      match: { by: 'id', pointer: '/id' },
    });
    const tokens = { tokens: ['a', 'b', 'c'], tokenPlace: { in: 'query' as const } };
    const result = await stress(stressPlan(url, { ...short, ...tokens, connections: 1, target }));
    assertBalanced(result);
    assert.deepEqual(fresh, ['b']);
    assert.equal(result.counters['messages.matched'], 30);
    assert.ok(!result.warnings.some(({ code }) => code === 'token-refresh'));
  });

  test('a token that cannot be minted is a renewal that failed, and shows no secret', {
    timeout: 20_000,
  }, async (t) => {
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        socket.send('renew!');
        socket.send(text);
      }),
    );
    const target = targetSchema.parse({
      ...room,
      join: [],
      auth: { in: 'query', refresh: { when: { equals: 'renew!' }, send: 'fresh {{ token }}' } },
    });
    const mint = (): Promise<string> =>
      Promise.reject(new Error('no eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln today'));
    const tokens = { tokens: ['a'], tokenPlace: { in: 'query' as const }, mint };
    const result = await stress(stressPlan(url, { ...short, ...tokens, target }));
    assertBalanced(result);
    assert.equal(result.counters['messages.matched'], 30);
    const [warning] = result.warnings.filter(({ code }) => code === 'token-refresh');
    assert.match(warning?.message ?? '', /the first: no fresh token: no \[redacted\] today$/);
  });

  test('ramp-up: joins take longer than the steps of the ramp', { timeout: 20_000 }, async (t) => {
    let most = 0;
    let joining = 0;
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        if (!text.startsWith('join')) return socket.send(text);
        most = Math.max(most, ++joining);
        setTimeout(() => {
          joining--;
          socket.send('joined');
        }, 150);
      }),
    );
    const result = await stress(
      stressPlan(url, { ...short, target: room, connections: 10, rampUpMs: 400, durationMs: 300 }),
    );
    assertBalanced(result);
    assert.equal(result.counters['connections.opened'], 10);
    assert.equal(result.counters['messages.matched'], 18);
    assert.ok(most > 1, `${most} at once`);
    assert.ok(result.phases.connectMs >= 400, `${result.phases.connectMs} ms`);
  });

  // The driver ends a connection that was given up only after a while, as a busy machine may.
  // biome-ignore format: a table
  const given: [string, (sink: Sink) => void][] = [
    ['its time is over', () => {}],
    ['it is refused', (sink) => say(sink, 'denied')],
    ['it is let in', (sink) => say(sink, 'joined')],
    ['it breaks the protocol', (sink) => sink.failed('protocol', 'bad frame')],
  ];
  for (const [name, happen] of given) {
    test(`stopped while connections open, and only then ${name}`, { timeout: 20_000 }, async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort('SIGINT'), 100);
      const plan = stressPlan('ws://127.0.0.1:1/', { ...short, target: room, connectTimeoutMs: 200 });
      const result = await stress(plan, stop.signal, undefined, slowToEnd(happen));
      assertBalanced(result);
      const { counters } = result;
      for (const what of ['attempted', 'opened', 'failed', 'closed'] as const) {
        assert.equal(counters[`connections.${what}`], 0, what);
      }
      assert.equal(counters.protocol_errors, 0);
      assert.deepEqual(result.failures, []);
      assert.equal(exitCode(result), 130);
    });
  }
});

function say(sink: Sink, text: string): void {
  const buf = Buffer.from(text);
  sink.message(buf, 0, buf.length, 1, nowUs());
}

/** Opens at once, and ends what was given up half a second later; meanwhile something happens. */
function slowToEnd(happen: (sink: Sink) => void): Driver {
  return {
    name: 'slow to end',
    open: (_spec, sink) => {
      setImmediate(() =>
        sink.opened({ dnsUs: null, tcpUs: 1, tlsUs: null, upgradeUs: 1, totalUs: 2, subprotocol: '' }),
      );
      let isGivenUp = false;
      return {
        bufferedBytes: 0,
        queue: () => true,
        queuePing: () => true,
        flush: () => {},
        sendText: () => true,
        ping: () => {},
        pause: () => {},
        resume: () => {},
        close: () => sink.closed(1000, 'us', true, ''),
        abort: () => {
          if (isGivenUp) return;
          isGivenUp = true;
          setTimeout(() => happen(sink), 5);
          setTimeout(() => sink.closed(1006, 'us', false, ''), 500);
        },
      };
    },
  };
}
