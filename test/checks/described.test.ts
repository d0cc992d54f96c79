// Targets that a file describes: requests matched by every rule, and each fault said as what it is.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import type { QuickPlan } from '../../lib/checks/index.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { planFor, quick, verdicts } from './quick-plan.ts';

type Described = Parameters<typeof targetSchema.parse>[0] & object;

/** A description as a file would have it. */
function target(parts: Described): Target {
  return targetSchema.parse({ name: 'other', request: '{{ id }}', match: { by: 'marker' }, ...parts });
}

/** A plain server on ws that does this to every connection. */
async function serve(t: TestContext, onSocket: (socket: WebSocket, index: number) => void): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 4096 });
  let count = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    onSocket(socket, count++);
  });
  await once(server, 'listening');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** The verdict on one check. */
async function verdictOf(
  id: string,
  url: string,
  described: Target,
  changes: Partial<QuickPlan> = {},
): Promise<{ status: string; detail: string }> {
  const plan = planFor(url, { target: described, only: [id], timeoutMs: 400, ...changes });
  const { result } = await quick(plan);
  const record = result.checks.find((check) => check.id === id) ?? result.checks[0];
  return { status: record?.status ?? 'none', detail: record?.detail ?? '' };
}

/** Answers every message by what `reply` makes of it. */
const answering =
  (reply: (text: string) => string | readonly string[]) =>
  (socket: WebSocket): void => {
    socket.on('message', (data) => {
      for (const text of [reply(String(data))].flat()) socket.send(text);
    });
  };

/** Answers in pairs: the second of two first; a single one after a while. */
function reversed(socket: WebSocket): void {
  const waiting: string[] = [];
  socket.on('message', (data) => {
    waiting.unshift(String(data));
    setTimeout(() => {
      for (const text of waiting.splice(0)) socket.send(`re ${text}`);
    }, 30);
  });
}

const numbered = target({
  request: { n: '{{ seq }}' },
  match: { by: 'id', pointer: '/n' },
  error: { pointer: '/error', exists: true, code: '/error/code' },
  push: [{ pointer: '/news', exists: true }],
});
const inOrder = target({ match: { by: 'order' } });
const echoing = target({ request: 'a {{ id }} {{ pad }}', echoes: true, size: 200 });
const repeating = target({
  request: { id: '{{ id }}' },
  match: { by: 'id', pointer: '/id', repeats: true },
});

const requests: readonly [
  name: string,
  described: Target,
  server: (socket: WebSocket) => void,
  verdict: RegExp,
][] = [
  ['a marker', target({}), answering((text) => `got ${text}!`), /^passed 5 of 5 .*4 at once, .*marker/],
  ['a number at a JSON pointer', numbered, answering((text) => text), /^passed .*by the id at \/n/],
  [
    'a number that comes back as text',
    numbered,
    answering((text) => JSON.stringify({ n: String((JSON.parse(text) as { n: number }).n) })),
    /^passed/,
  ],
  [
    'the group of an expression',
    target({ request: '42{{ seq }}[]', match: { by: 'regex', pattern: '^43(\\d+)\\[' } }),
    answering((text) => text.replace('42', '43')),
    /^passed/,
  ],
  ['the order', inOrder, answering((text) => text.toUpperCase()), /^passed .*in order/],
  [
    'the order, without a marker',
    target({ request: 'time?', match: { by: 'order' } }),
    answering(() => 'now'),
    /^passed/,
  ],
  [
    'a pong behind it',
    target({ match: { by: 'pong' } }),
    () => {},
    /^passed 5 of 5 requests answered, shown/,
  ],
  ['an echo of 200 bytes', echoing, answering((text) => text), /^passed/],
  ['a subscription', repeating, answering((text) => [text, text]), /^passed/],
  ['pushes beside it', numbered, answering((text) => ['{"news":1}', text, '{"news":2}']), /^passed/],
  [
    'twice',
    numbered,
    answering((text) => [text, text]),
    /^failed .*exactly one.*got 2 replies to request 1 of/,
  ],
  [
    'twice in order',
    inOrder,
    answering((text) => [text, text]),
    /exactly one.*got 2 replies to request 1 of/,
  ],
  [
    'twice in order, without a marker',
    target({ request: 'time?', match: { by: 'order' } }),
    answering(() => ['now', 'now']),
    /^failed .*got \d+ replies to 5 requests/,
  ],
  ['wrong order', inOrder, reversed, /^failed .*wrong order: reply 2 belongs to request 5/],
  ['any order where it does not matter', target({}), reversed, /^passed/],
  ['altered', echoing, answering((text) => `${text}?`), /byte by byte; got request 1 of 5 as "a [\da-f]{8}-/],
  ['nothing', numbered, () => {}, /^failed .*got no reply$/],
  ['something else', numbered, answering(() => '{"n":7}'), /no reply; 1 that answers none: .*n\\":7/],
  [
    'a typed refusal with a number as its code',
    numbered,
    answering((text) => JSON.stringify({ ...JSON.parse(text), error: { code: -32601 } })),
    /^failed .*got request 1 of 5 refused: -32601/,
  ],
  [
    'a typed refusal that names no request',
    numbered,
    answering(() => '{"n":null,"error":{"code":"PARSE"}}'),
    /a refusal that names no request: PARSE/,
  ],
];

describe('checks of a described target', { concurrency: 4 }, () => {
  for (const [name, described, server, verdict] of requests) {
    test(`request: ${name}`, { timeout: 15_000 }, async (t) => {
      const { status, detail } = await verdictOf('request', await serve(t, server), described);
      assert.match(`${status} ${detail}`, verdict);
    });
  }

  test('request: only the first of those at once is answered', { timeout: 15_000 }, async (t) => {
    const url = await serve(t, (socket) => {
      let busyUntilMs = 0;
      socket.on('message', (data) => {
        if (performance.now() < busyUntilMs) return;
        busyUntilMs = performance.now() + 100;
        setTimeout(() => socket.send(String(data)), 100);
      });
    });
    const { detail } = await verdictOf('request', url, numbered);
    assert.match(detail, /got no reply to [34] of 5, 4 of them at once/);
  });

  test('request: a connection that is closed meanwhile', { timeout: 15_000 }, async (t) => {
    const url = await serve(t, (socket) => socket.on('message', () => socket.close(4000, 'go away')));
    assert.match((await verdictOf('request', url, numbered)).detail, /no reply; close code 4000 \(go away\)/);
  });

  const joining = target({
    request: { id: '{{ id }}' },
    match: { by: 'id', pointer: '/id' },
    join: [
      {
        send: { join: 'room' },
        expect: { pointer: '/joined', equals: 'room' },
        refuse: { pointer: '/error', exists: true },
      },
    ],
  });

  const joins: readonly [name: string, server: (socket: WebSocket) => void, verdict: RegExp][] = [
    [
      'it succeeds',
      answering((text) => (text.includes('join') ? ['{"hello":1}', '{"joined":"room"}'] : text)),
      /^passed 101/,
    ],
    [
      'it is refused',
      answering(() => '{"error":"full"}'),
      /join that succeeds; got it opened, but auth or join failed: the join waits for \/joined = "room" and was refused, "\{\\"error\\":\\"full\\"\}"/,
    ],
    ['nothing comes', () => {}, /the join waits for \/joined = "room"; nothing came in 400 ms/],
    [
      'something else comes',
      answering(() => '{"hello":1}'),
      /waits for \/joined = "room"; 1 other message came, last "\{\\"hello\\":1\}" in 400 ms/,
    ],
    [
      'it is closed',
      (socket) => socket.on('message', () => socket.close(4403, 'no')),
      /waits for \/joined = "room"; close code 4403 \(no\)/,
    ],
  ];

  for (const [name, server, verdict] of joins) {
    test(`connect: of a join, ${name}`, { timeout: 15_000 }, async (t) => {
      const { status, detail } = await verdictOf('connect', await serve(t, server), joining);
      assert.match(`${status} ${detail}`, verdict);
    });
  }

  test('every connection joins before anything else is asked of it', { timeout: 15_000 }, async (t) => {
    const url = await serve(t, (socket) => {
      let joined = false;
      socket.on('message', (data) => {
        const text = String(data);
        if (text.includes('"join"')) {
          joined = true;
          socket.send('{"joined":"room"}');
        } else if (joined) socket.send(text);
        else socket.close(4403);
      });
    });
    const { result } = await quick(planFor(url, { target: joining, timeoutMs: 1000 }));
    const seen = verdicts(result);
    for (const id of ['connect', 'request', 'simultaneous', 'ping-frame', 'clean-close', 'bad-frame']) {
      assert.equal(seen[id], 'passed', id);
    }
    assert.equal(result.outcome, 'passed');
  });

  const beating = target({ heartbeat: { every: '50ms', send: { type: 'beat' } } });

  for (const [name, server, verdict] of [
    ['answered', answering(() => 'ok'), /^passed 3 heartbeats sent, something came back after each/],
    ['not answered', () => {}, /^passed 3 heartbeats sent, 0 answered, the connection lives/],
    [
      'closed upon',
      (socket: WebSocket) => socket.on('message', () => socket.close(1008)),
      /^failed .*live on after a heartbeat; got close code 1008 \(policy violation\) after 1 of 3/,
    ],
  ] as const) {
    test(`heartbeat: ${name}`, { timeout: 15_000 }, async (t) => {
      const quiet = target({ heartbeat: { every: '10s', send: { type: 'beat' } } });
      const { status, detail } = await verdictOf('heartbeat', await serve(t, server), quiet);
      assert.match(`${status} ${detail}`, verdict);
    });
  }

  test('heartbeats are sent on every connection, and the target’s own are answered', {
    timeout: 15_000,
  }, async (t) => {
    const got: string[] = [];
    const url = await serve(t, (socket) => {
      socket.send('{"ping":7}');
      socket.on('message', (data) => got.push(String(data)));
    });
    const described = {
      ...beating,
      heartbeat: {
        ...beating.heartbeat,
        reply: [{ when: { pointer: '/ping', exists: true as const }, send: { pong: '{{ /ping }}' } }],
      },
    };
    // A check that waits for as long as one reply may take.
    await verdictOf('request', url, described);
    assert.ok(got.includes('{"pong":7}'), JSON.stringify(got));
    assert.ok(got.filter((text) => text === '{"type":"beat"}').length >= 3, JSON.stringify(got));
  });

  const sized = (parts: Described): Target => target({ limits: { size: '4k' }, ...parts });

  for (const [name, described, server, verdict] of [
    [
      'closed with 1009',
      sized({ request: '{{ id }}{{ pad }}' }),
      answering((text) => text),
      /^passed 4096 bytes/,
    ],
    ['closed, nothing to pad', sized({}), answering((text) => text), /^passed 4097 closed with 1009/],
    [
      'the largest is not served',
      target({ request: '{{ id }}{{ pad }}', limits: { size: '8k' } }),
      answering((text) => text),
      /^failed expected a message of 8192 bytes to be answered/,
    ],
    [
      'more is served',
      target({ request: '{{ id }}{{ pad }}', limits: { size: '1k' } }),
      answering((text) => text),
      /^failed expected close code 1009 after a message of 1025 bytes; got the connection stayed open/,
    ],
    [
      'a typed refusal',
      target({
        request: { id: '{{ id }}', pad: '{{ pad }}' },
        match: { by: 'id', pointer: '/id' },
        error: { pointer: '/error', exists: true, code: '/error' },
        limits: { size: '1k' },
      }),
      answering((text) => (text.length > 1024 ? '{"error":"TOO_BIG"}' : text)),
      /^passed 1024 bytes served, 1025 refused: TOO_BIG/,
    ],
  ] as const) {
    test(`message-too-large: ${name}`, { timeout: 15_000 }, async (t) => {
      const { status, detail } = await verdictOf('message-too-large', await serve(t, server), described);
      assert.match(`${status} ${detail}`, verdict);
    });
  }

  /** Treats messages beyond ten in a second as it likes. */
  const limiting =
    (beyond: (socket: WebSocket, text: string) => void) =>
    (socket: WebSocket): void => {
      const sentMs: number[] = [];
      socket.on('message', (data) => {
        const text = String(data);
        const nowMs = performance.now();
        sentMs.push(nowMs);
        if (sentMs.filter((atMs) => atMs > nowMs - 1000).length <= 10) socket.send(text);
        else beyond(socket, text);
      });
    };

  const limited = target({
    request: { id: '{{ id }}' },
    match: { by: 'id', pointer: '/id' },
    error: { pointer: '/error', exists: true, code: '/error' },
    limits: { messages: '10/s' },
  });

  for (const [name, beyond, verdict] of [
    [
      'a typed refusal by id',
      (socket: WebSocket, text: string) => socket.send(JSON.stringify({ ...JSON.parse(text), error: 429 })),
      /^passed \d+ refused of 30 at once: 429/,
    ],
    [
      'a typed refusal of all',
      (socket: WebSocket) => socket.send('{"error":"SLOW_DOWN"}'),
      /^passed refused of 30 at once: SLOW_DOWN/,
    ],
    [
      'a close',
      (socket: WebSocket) => socket.close(1008, 'slow'),
      /^passed 30 at once: close code 1008 \(slow\)/,
    ],
    ['a crash', (socket: WebSocket) => socket.close(1011), /^failed .*got close code 1011/],
    ['a drop', (socket: WebSocket) => socket.terminate(), /^failed .*got TCP dropped without a close frame/],
    ['silence', () => {}, /^failed .*\d+ were answered, \d+ were dropped without a word/],
    [
      'acceptance',
      (socket: WebSocket, text: string) => socket.send(text),
      /^failed expected a typed refusal or a close code .* got all 30 messages were accepted/,
    ],
  ] as const) {
    test(`rate-limit-messages: ${name}`, { timeout: 15_000 }, async (t) => {
      const url = await serve(t, limiting(beyond));
      const { status, detail } = await verdictOf('rate-limit-messages', url, limited);
      assert.match(`${status} ${detail}`, verdict);
    });
  }

  test('checks that are not about limits keep within those that are described', {
    timeout: 20_000,
  }, async (t) => {
    const url = await serve(
      t,
      limiting((socket) => socket.close(1008)),
    );
    const { result } = await quick(planFor(url, { target: limited, timeoutMs: 2000 }));
    assert.equal(result.outcome, 'passed', JSON.stringify(result.reasons));
    assert.equal(verdicts(result).request, 'passed');
  });

  test('simultaneous: no more connections than the description allows', { timeout: 15_000 }, async (t) => {
    let open = 0;
    const url = await serve(t, (socket) => {
      if (++open > 3) socket.close(1013);
      socket.on('close', () => open--);
      answering((text) => text)(socket);
    });
    const three = target({ limits: { connections: 3 } });
    const { detail } = await verdictOf('simultaneous', url, three);
    assert.equal(detail, '3 of 3 open at once, each answered its own request');
  });

  for (const speaks of ['echo', 'other'] as const) {
    test(`echo: no message is larger than the description allows, speaks ${speaks}`, {
      timeout: 15_000,
    }, async (t) => {
      let largest = 0;
      const server = (socket: WebSocket): unknown =>
        socket.on('message', (data: Buffer, binary) => {
          largest = Math.max(largest, data.length);
          socket.send(data, { binary });
        });
      const described = { ...echoing, speaks, limits: { size: 300 } };
      const { status, detail } = await verdictOf('echo', await serve(t, server), described);
      assert.equal(status, 'passed', detail);
      assert.equal(largest, 300);
    });
  }

  test('echo: a request that the description says is echoed', { timeout: 15_000 }, async (t) => {
    const good = await verdictOf(
      'echo',
      await serve(
        t,
        answering((text) => text),
      ),
      echoing,
    );
    assert.equal(good.detail, 'the request, the request with 4 KiB: all came back unchanged');
    const cut = await verdictOf(
      'echo',
      await serve(
        t,
        answering((text) => text.slice(0, 100)),
      ),
      echoing,
    );
    assert.match(cut.detail, /expected the request back unchanged, once; got "a [\da-f]/);
  });
});
