// Targets that want to be talked to before a connection is of use: the opening in the load engine.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

/** Asks for a token by message, then for a room, and echoes. */
const room: Target = targetSchema.parse({
  name: 'room',
  auth: {
    in: 'message',
    message: {
      send: { type: 'auth', token: '{{ token }}' },
      expect: { pointer: '/type', equals: 'hello' },
      refuse: { pointer: '/type', equals: 'denied' },
    },
  },
  join: [
    { send: { type: 'join', as: '{{ /name }}', n: '{{ connection }}' } },
    { expect: { pointer: '/type', equals: 'joined' } },
  ],
  request: 'say {{ id }}',
  match: { by: 'marker' },
  echoes: true,
});

interface Behaviour {
  answerAuth?: string;
  answerJoin?: string | 'close' | 'vanish' | 'nothing' | 'bad-frame';
  joinDelayMs?: number;
  /** Only connections from this number on are let in. */
  from?: number;
}

/** The server of {@link room}, and what it was told. */
async function startRoom(
  t: Parameters<typeof startTalkServer>[0],
  behaviour: Behaviour = {},
): Promise<{ url: string; heard: string[] }> {
  const heard: string[] = [];
  let connections = 0;
  const url = await startTalkServer(t, (socket, _request, onText) => {
    const number = connections++;
    onText((text) => {
      if (!text.startsWith('{')) return socket.send(text);
      heard.push(text);
      const { type } = JSON.parse(text) as { type: string };
      const letIn = behaviour.from === undefined || number >= behaviour.from;
      if (type === 'auth') {
        socket.send('{"type":"notice","text":"wait"}');
        return socket.send((letIn && behaviour.answerAuth) || `{"type":"hello","name":"c${number}"}`);
      }
      const answer = letIn ? (behaviour.answerJoin ?? '{"type":"joined"}') : 'close';
      if (answer === 'close')
        return socket.close(4401, 'who are you? eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln');
      if (answer === 'vanish') return socket.terminate();
      if (answer === 'bad-frame') {
        const { _socket } = socket as unknown as { _socket: { write(bytes: Buffer): void } };
        return _socket.write(Buffer.from([0x83, 0x00]));
      }
      if (answer !== 'nothing') setTimeout(() => socket.send(answer), behaviour.joinDelayMs ?? 0);
    });
  });
  return { url, heard };
}

const short = {
  target: room,
  targetKnown: true,
  connections: 3,
  ratePerSecond: 60,
  durationMs: 500,
  warmupMs: 0,
};
const withTokens = { ...short, tokens: ['t-0', 't-1'], tokenPlace: { in: 'message' as const } };

function assertBalanced(result: StressResult): void {
  assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
  assert.ok(!result.reasons.some(({ code }) => code === 'bug'), JSON.stringify(result.reasons));
}

describe('opening', { concurrency: 4 }, () => {
  test('each connection authenticates and joins before it counts', { timeout: 20_000 }, async (t) => {
    const { url, heard } = await startRoom(t, { joinDelayMs: 300 });
    const result = await stress(stressPlan(url, withTokens));
    assertBalanced(result);
    const { counters } = result;
    assert.equal(counters['connections.opened'], 3);
    assert.equal(counters['messages.matched'], 30);
    assert.equal(counters['messages.corrupt'], 0);
    // What came while the connection was made ready is no traffic.
    assert.equal(counters['messages.unexpected'], 0);
    assert.equal(counters['bytes.sent'], 30 * Buffer.byteLength('say xxxxxxxx-000000000000'));
    const auth = heard.filter((text) => text.includes('"auth"'));
    assert.deepEqual(auth.sort(), [
      '{"type":"auth","token":"t-0"}',
      '{"type":"auth","token":"t-0"}',
      '{"type":"auth","token":"t-1"}',
    ]);
    const joins = heard.filter((text) => text.includes('"join"')).map((text) => JSON.parse(text));
    assert.deepEqual(joins.map(({ n }) => n).sort(), [0, 1, 2]);
    assert.ok(joins.every(({ as }) => /^c[012]$/.test(as)));
    // The connect is timed up to the 101: the join took 300 ms.
    assert.equal(result.metrics.connect.count, 3);
    assert.ok((result.metrics.connect.max ?? 999) < 290, `${result.metrics.connect.max} ms`);
    assert.ok(result.phases.connectMs >= 290);
    assert.equal(result.derived.uptime, 1);
  });

  // biome-ignore format: a table
  const failing: [string, Behaviour, RegExp][] = [
    ['refused', { answerAuth: '{"type":"denied","why":"expired"}' },
      /^refused: "\{\\"type\\":\\"denied\\",\\"why\\":\\"expired\\"\}", waiting for \/type = "hello"$/],
    ['not answered', { answerJoin: 'nothing' },
      /^still waiting for \/type = "joined" \d+ ms after the upgrade; what came was "\{\\"type\\":\\"hello\\"/],
    ['answered otherwise', { answerJoin: '{"type":"full"}' },
      /^still waiting for \/type = "joined" \d+ ms after the upgrade; what came was "\{\\"type\\":\\"full\\"\}"$/],
    ['closed', { answerJoin: 'close' }, /^it closed with 4401 "who are you\? \[redacted\]", waiting for \/type = "joined"/],
    ['cut off', { answerJoin: 'vanish' }, /^it hung up without a close frame, waiting for \/type = "joined"/],
    ['answered with rubbish', { answerJoin: 'bad-frame' }, /^frame with the reserved opcode 0x3 .*, waiting for \/type = "joined"/],
  ];
  for (const [name, behaviour, detail] of failing) {
    test(`an opening that is ${name} is a connection that failed`, { timeout: 20_000 }, async (t) => {
      const { url } = await startRoom(t, behaviour);
      const result = await stress(stressPlan(url, { ...withTokens, connectTimeoutMs: 600 }));
      assertBalanced(result);
      const { counters, failures } = result;
      assert.equal(counters['connections.attempted'], 3);
      assert.equal(counters['connections.failed'], 3);
      assert.equal(counters['connections.opened'], 0);
      assert.equal(failures.length, 1);
      assert.equal(failures[0]?.kind, 'join');
      assert.equal(failures[0]?.count, 3);
      assert.match(failures[0]?.detail ?? '', detail);
      assert.match(failures[0]?.hint ?? '', /--token, --token-in.*join of the target file/);
      assert.equal(exitCode(result), 3);
      assert.match(
        result.reasons[0]?.message ?? '',
        /^no connection to the target: it opened, but auth or join failed: /,
      );
      assert.deepEqual(result.closes, []);
    });
  }

  test('some are let in, some are not', { timeout: 20_000 }, async (t) => {
    const { url } = await startRoom(t, { from: 1 });
    const result = await stress(stressPlan(url, { ...withTokens, thresholds: ['connections.failed<2'] }));
    assertBalanced(result);
    assert.equal(result.counters['connections.opened'], 2);
    assert.equal(result.counters['connections.failed'], 1);
    assert.equal(result.counters['messages.unsent'], 10);
    assert.equal(result.counters['messages.matched'], 20);
    assert.ok(Math.abs((result.derived.uptime ?? 0) - 2 / 3) < 1e-9);
  });

  test('a run that is stopped while its connections open leaves nothing', { timeout: 20_000 }, async (t) => {
    const { url } = await startRoom(t, { answerJoin: 'nothing' });
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => /Timeout/.test(kind)).length;
    const before = timers();
    const stop = new AbortController();
    setTimeout(() => stop.abort('SIGINT'), 300);
    const result = await stress(stressPlan(url, { ...withTokens, connectTimeoutMs: 15_000 }), stop.signal);
    assertBalanced(result);
    assert.equal(result.counters['connections.attempted'], 0);
    assert.equal(exitCode(result), 130);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(timers() <= before, `${timers()} timers, ${before} before`);
  });

  test('without a token the steps that need one are left out', { timeout: 20_000 }, async (t) => {
    const { url, heard } = await startRoom(t);
    const result = await stress(stressPlan(url, short));
    assertBalanced(result);
    assert.equal(result.counters['messages.matched'], 30);
    assert.ok(heard.every((text) => text.includes('"join"')));
  });
});
