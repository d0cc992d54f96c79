// How replies find their requests, over real sockets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stress as stressTarget } from '../../lib/index.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import { exitCode } from '../../lib/result/exit-code.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { targetSchema } from '../../lib/target/target.ts';
import { startLoadServer } from '../fixtures/server-process.ts';
import { echoTarget, stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';

function assertAll(
  result: StressResult,
  messages: number,
  others: Partial<Record<'push', number>> = {},
): void {
  const { counters } = result;
  assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
  assert.equal(counters['messages.sent'], messages);
  assert.equal(counters['messages.matched'], messages);
  // On a busy machine what follows the answer to the probe may come in the measure phase.
  const { push = 0 } = others;
  const seen = counters['messages.push'];
  assert.ok(seen >= push && seen <= push + (push > 0 ? 2 : 0), `${seen} pushes`);
  for (const name of ['lost', 'late', 'duplicate', 'unexpected', 'corrupt'] as const) {
    assert.equal(counters[`messages.${name}`], 0, name);
  }
}

const short = { targetKnown: true, connections: 3, ratePerSecond: 120, durationMs: 500, warmupMs: 0 };

describe('matching', { concurrency: 4 }, () => {
  test('by an id that is a JSON number', { timeout: 20_000 }, async (t) => {
    const seen = new Set<unknown>();
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        const { id } = JSON.parse(text);
        seen.add(typeof id);
        socket.send(JSON.stringify({ at: Date.now(), id, result: 'ok' }));
      }),
    );
    const target = targetSchema.parse({
      name: 'numbers',
      request: { id: '{{ seq }}', method: 'ping' },
      match: { by: 'id', pointer: '/id' },
    });
    assertAll(await stress(stressPlan(url, { ...short, target })), 60);
    assert.deepEqual([...seen], ['number']);
  });

  test('by a pattern, refusals by a code that is a number', { timeout: 20_000 }, async (t) => {
    let count = 0;
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        const seq = /^42(\d+)/.exec(text)?.[1];
        socket.send('42["news",{}]');
        socket.send(++count % 4 === 0 ? `44${seq}[{"code":429}]` : `43${seq}["ok"]`);
      }),
    );
    const target = targetSchema.parse({
      name: 'socketish',
      request: '42{{ seq }}["ping"]',
      match: { by: 'regex', pattern: '^4[34](\\d+)\\[' },
      error: { starts: '44' },
      push: [{ starts: '42' }],
    });
    const { counters, rejections } = await stress(stressPlan(url, { ...short, target }));
    assert.equal(counters['messages.matched'] + counters['messages.rejected'], 60);
    assert.equal(counters['messages.rejected'], 15);
    // On a busy machine the push that came with the answer to the probe may come in the measure phase.
    assert.ok([60, 61].includes(counters['messages.push']), `${counters['messages.push']} pushes`);
    assert.deepEqual(rejections, [{ code: 'error', count: 15 }]);
  });

  test('more messages with an id that was answered are pushes where the target says so', {
    timeout: 20_000,
  }, async (t) => {
    const talk = (): Promise<string> =>
      startTalkServer(t, (socket, _request, onText) =>
        onText((text) => {
          const { id } = JSON.parse(text);
          for (const n of [1, 2, 3]) socket.send(JSON.stringify({ id, type: 'next', n }));
        }),
      );
    const target = (repeats: boolean) =>
      targetSchema.parse({
        name: 'subscriptions',
        request: { id: '{{ id }}', type: 'subscribe' },
        match: { by: 'id', pointer: '/id', repeats },
      });
    const changes = { ...short, settleMs: 100 };
    assertAll(await stress(stressPlan(await talk(), { ...changes, target: target(true) })), 60, {
      push: 120,
    });
    const { counters } = await stress(stressPlan(await talk(), { ...changes, target: target(false) }));
    assert.equal(counters['messages.duplicate'], 120);
    assert.equal(counters['messages.push'], 0);
  });

  for (const model of ['open', 'closed'] as const) {
    test(`by pong, ${model} model: a target that only takes messages is measured all the same`, {
      timeout: 20_000,
    }, async (t) => {
      const url = await startTalkServer(t, (socket, _request, onText) => {
        onText(() => socket.send('thank you'));
      });
      const result = await stressTarget(url, {
        noReply: true,
        message: 'take this',
        model,
        connections: 3,
        durationMs: 500,
        warmupMs: 0,
        ...(model === 'open' ? { ratePerSecond: 120 } : {}),
      });
      const { counters } = result;
      assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
      if (model === 'open') assert.equal(counters['messages.sent'], 60);
      assert.equal(counters['messages.matched'], counters['messages.sent']);
      assert.equal(counters['messages.unexpected'], 0);
      assert.ok(counters['messages.push'] > 0);
      assert.equal(result.metrics.ping.count, 0, 'each message has a ping of its own');
      assert.equal(counters['bytes.sent'], counters['messages.sent'] * 'take this'.length);
    });
  }

  test('by pong: one pong answers all pings before it', { timeout: 20_000 }, async (t) => {
    const url = await startTalkServer(
      t,
      (socket) => {
        // Only the last of each four pings is answered, and then again; and a pong comes that nobody asked for.
        const pings: Buffer[] = [];
        socket.pong(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
        socket.on('ping', (data) => {
          pings.push(data);
          // The probe waits alone.
          if (pings.length !== 1 && pings.length % 4 !== 1) return;
          socket.pong(data);
          socket.pong(data);
        });
      },
      { autoPong: false },
    );
    const target = { ...echoTarget, match: { by: 'pong' as const } };
    const changes = { ...short, connections: 1, ratePerSecond: 100, durationMs: 1000, target };
    const result = await stress(stressPlan(url, changes));
    assertAll(result, 100);
    // Three of four had to wait for the next ones, which came every 10 ms.
    assert.ok((result.metrics.rtt.p90 ?? 0) >= 20, `${result.metrics.rtt.p90} ms`);
  });

  test('by pong: what is not answered in time is lost', { timeout: 20_000 }, async (t) => {
    const url = await startTalkServer(t, () => {}, { autoPong: false });
    const target = { ...echoTarget, match: { by: 'pong' as const } };
    const result = await stress(stressPlan(url, { ...short, timeoutMs: 300, target }));
    assert.deepEqual(brokenIdentities(result.counters, result.openAtEnd), []);
    assert.equal(result.counters['messages.lost'], 60);
  });

  test('by pong: connections that the target ends take what they were asked with them', {
    timeout: 20_000,
  }, async (t) => {
    let connections = 0;
    const url = await startTalkServer(
      t,
      (socket) => {
        const isFirst = connections++ === 0;
        let pings = 0;
        // Every other ping is dropped; the first connection ends with one unanswered.
        socket.on('ping', (data) => {
          pings++;
          if (isFirst && pings === 10) return socket.close(1001);
          if (pings % 2 === 1) socket.pong(data);
        });
      },
      { autoPong: false },
    );
    for (const model of ['open', 'closed'] as const) {
      connections = 0;
      const target = { ...echoTarget, match: { by: 'pong' as const } };
      const changes = { ...short, model, depth: 2, timeoutMs: 400, target };
      const result = await stress(stressPlan(url, changes));
      const { counters } = result;
      assert.deepEqual(brokenIdentities(counters, result.openAtEnd), [], model);
      assert.equal(counters['connections.abnormal'], 1, model);
      assert.ok(counters['messages.matched'] > 20, `${counters['messages.matched']} matched, ${model}`);
      assert.ok(counters['messages.lost'] >= 1, model);
      assert.equal(counters['messages.unsent'] > 0, model === 'open', model);
    }
  });

  test('by a pattern, closed model with eight in flight: answered in any order, some twice, some late', {
    timeout: 20_000,
  }, async (t) => {
    let count = 0;
    const url = await startTalkServer(t, (socket, _request, onText) => {
      const held: string[] = [];
      onText((text) => {
        held.push(`43${/1\d{12}/.exec(text)?.[0]}["ok"]`);
        if (held.length < 4) return;
        for (const reply of held.splice(0).reverse()) {
          const dice = ++count % 20;
          if (dice === 0) setTimeout(() => socket.send(reply), 400);
          else socket.send(reply);
          if (dice === 1) socket.send(reply);
        }
      });
    });
    const target = targetSchema.parse({
      name: 'socketish',
      request: '42{{ seq }}["ping"]',
      match: { by: 'regex', pattern: '^4(?:3|6\\d+-)(?:/[^,]*,)?(\\d+)\\[' },
    });
    const changes = { ...short, model: 'closed' as const, depth: 8, timeoutMs: 250, target };
    const result = await stress(stressPlan(url, changes));
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.ok(counters['messages.matched'] > 100, `${counters['messages.matched']} matched`);
    for (const name of ['duplicate', 'reordered', 'lost', 'late'] as const) {
      assert.ok(counters[`messages.${name}`] > 0, name);
    }
    assert.equal(counters['messages.unexpected'], 0);
  });

  test('of several messages with one id, the first came too late: it is late, the others are pushes', {
    timeout: 20_000,
  }, async (t) => {
    const url = await startTalkServer(t, (socket, _request, onText) =>
      onText((text) => {
        const { id } = JSON.parse(text);
        const say = (): void => socket.send(JSON.stringify({ id, type: 'next' }));
        // The ledger forgets a message after twice the timeout: the last one answers nothing that it knows.
        for (const afterMs of [300, 320, 700]) setTimeout(say, afterMs);
      }),
    );
    const target = targetSchema.parse({
      name: 'subscriptions',
      request: { id: '{{ id }}', type: 'subscribe' },
      match: { by: 'id', pointer: '/id', repeats: true },
    });
    const changes = { ...short, ratePerSecond: 60, durationMs: 1000, timeoutMs: 150, settleMs: 900, target };
    const result = await stress(stressPlan(url, changes));
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.equal(counters['messages.lost'], 60);
    assert.ok(counters['messages.late'] > 0);
    assert.ok(counters['messages.push'] > 0);
    for (const name of ['matched', 'duplicate', 'unexpected'] as const) {
      assert.equal(counters[`messages.${name}`], 0, name);
    }
  });

  // biome-ignore format: a table
  const large: [string, object][] = [
    ['regex', { match: { by: 'regex', pattern: '^([\\da-f]{8}-\\d{12}) ' }, request: '{{ id }} {{ pad }}' }],
    ['id', { match: { by: 'id', pointer: '/id' }, request: { pad: '{{ pad }}', id: '{{ id }}' } }],
    ['marker', { match: { by: 'marker' }, request: '{{ pad }} {{ id }}', echoes: true }],
  ];
  for (const [by, rest] of large) {
    test(`messages of 1 MiB, by ${by}`, { timeout: 30_000 }, async (t) => {
      const url = await startTalkServer(t, (socket, _request, onText) => onText((text) => socket.send(text)));
      const target = targetSchema.parse({ name: 'large', ...rest });
      const changes = { ...short, connections: 2, ratePerSecond: 10, sizeBytes: 2 ** 20, timeoutMs: 5000 };
      const result = await stress(stressPlan(url, { ...changes, target }));
      assertAll(result, 5);
      assert.equal(result.counters['bytes.received'], 5 * 2 ** 20);
    });
  }

  // biome-ignore format: a table
  const own: [string, string, string][] = [
    ['id:/result/id', '{"id":"{{ id }}"}', '{"result":{"id":"ID"}}'],
    ['id:/n', '{"id":{{ seq }}}', '{"n":ID}'],
    ['regex:<(.+)>', 'do {{ id }}', 'done <ID>'],
    ['marker', 'do {{ id }}', 'did ID'],
    ['order', 'do it', 'done'],
  ];
  for (const [match, message, answer] of own) {
    test(`a message of one’s own, --match ${match}`, { timeout: 20_000 }, async (t) => {
      const url = await startTalkServer(t, (socket, _request, onText) =>
        onText((text) => {
          const id = /[\da-f]{8}-\d{12}|1\d{12}/.exec(text)?.[0] ?? '';
          socket.send(answer.replace('ID', id));
        }),
      );
      const options = { connections: 2, ratePerSecond: 100, durationMs: 300, warmupMs: 0 };
      const result = await stressTarget(url, { ...options, message, match });
      assertAll(result, 30);
      assert.equal(result.target.description, 'any');
    });
  }

  test('an echo that is described stays one, however it is matched', { timeout: 20_000 }, async (t) => {
    const server = await startLoadServer(t, { mode: 'corrupt', n: 10 });
    const options = { preset: 'echo', match: 'order', connections: 2, ratePerSecond: 100 };
    const { counters } = await stressTarget(server.url, { ...options, durationMs: 300, warmupMs: 0 });
    assert.ok(counters['messages.corrupt'] > 0);
  });

  // biome-ignore format: a table
  const wrong: [string, { match: string; message?: string; noReply?: boolean }, RegExp][] = [
    ['no way of matching', { match: 'luck' }, /--match: "luck" is none of marker, order, id:\/pointer, regex:PATTERN/],
    ['no pointer', { match: 'id' }, /--match: id: .*starts with \/.*write it like id:\/id/],
    ['a pointer without a slash', { match: 'id:id' }, /--match: id: .*write it like id:\/id/],
    ['a broken pattern', { match: 'regex:(' }, /--match: regex: not a regular expression/],
    ['a pattern without a group', { match: 'regex:\\d+' }, /--match: regex: .*group/],
    ['more than is taken', { match: 'order:/id' }, /--match: order takes nothing/],
    ['nothing to find', { match: 'id:/id', message: 'hello' }, /--match id needs \{\{ id \}\} or \{\{ seq \}\}/],
    ['two ways', { match: 'order', noReply: true }, /--match and --no-reply exclude/],
  ];
  for (const [name, options, message] of wrong) {
    test(`refused: ${name}`, async () => {
      await assert.rejects(stressTarget('ws://127.0.0.1:1', options), { code: 'USAGE', message });
    });
  }

  // biome-ignore format: a table
  const unknown: [string, { say?: string; close?: number }, RegExp][] = [
    ['Socket.IO', { say: '0{"sid":"abc","upgrades":[],"pingInterval":25000}' }, /the target speaks Socket\.IO: use --preset socket\.io -e event=NAME$/],
    ['Phoenix', { say: JSON.stringify({ topic: 'phoenix', event: 'phx_reply', ref: null, payload: { response: { text: 'x'.repeat(500) } } }) },
      /x…", which answers nothing; the target speaks Phoenix Channels: use --preset phoenix -e topic=TOPIC$/],
    ['JSON-RPC', { say: '{"jsonrpc":"2.0","error":{"code":-32700},"id":null}' }, /the target speaks JSON-RPC 2\.0: use --preset json-rpc -e method=NAME$/],
    ['graphql-ws', { close: 4406 }, /ended the connection: close code 4406 \(subprotocol not acceptable\); the target speaks GraphQL \(graphql-transport-ws\): use --preset graphql-ws -e query=/],
    ['nobody knows what', { say: 'what?' }, /--preset, --target \(docs\/targets\.md\) or --match, or --no-reply if it never answers$/],
    ['nothing', {}, /nothing came within 400 ms; say how it talks with --preset/],
  ];
  for (const [name, { say, close }, message] of unknown) {
    test(`nobody said how it talks, and it talks ${name}`, { timeout: 20_000 }, async (t) => {
      const url = await startTalkServer(t, (socket, _request, onText) =>
        onText(() => {
          if (say !== undefined) socket.send(say);
          if (close !== undefined) socket.close(close);
        }),
      );
      const result = await stress(stressPlan(url, { timeoutMs: 400 }));
      assert.equal(exitCode(result), 2);
      assert.match(result.reasons[0]?.message ?? '', message);
    });
  }
});
