// Messages that are none, that are too much, or that mean something else than they seem to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvelope } from '../../reference-server/envelope.ts';
import { guards } from '../../reference-server/guards.ts';
import { type ErrorCode, serverMessages } from '../../reference-server/messages.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from '../reference-server/client.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { framesOf, intrude, text, until } from './siege.ts';

const timeout = 30_000;
const options = { heartbeat: noHeartbeat };

/** The fastest of many runs in ms: what the work costs, without what else the machine does. */
function fastestMs(run: () => void): number {
  const times = Array.from({ length: 25 }, () => {
    const startedMs = performance.now();
    run();
    return performance.now() - startedMs;
  });
  return Math.min(...times);
}

const notJson = ['{{{', '', '\ufeff{}', 'NaN', "{'type':'PING'}", '{"type":"PING",}'];

test('MS-01 what is not JSON is INVALID_JSON without an id; the fifth in a row closes with 4400', {
  timeout,
}, async (t) => {
  const server = await listening(t, options);
  const honest = await Client.open(`${server.url}/ws`);
  const client = await Client.open(`${server.url}/ws`);
  for (const bad of notJson) {
    client.send(bad);
    const { id, payload } = await client.next('ERROR');
    assert.deepEqual([id, payload.for, payload.code], [undefined, null, 'INVALID_JSON'], bad);
    // What is JSON in between begins the count anew.
    assert.equal((await client.request('PING')).type, 'PONG');
  }
  for (let n = 0; n < 5; n++) client.send('{{{');
  assert.deepEqual(await client.closed, { code: 4400, reason: 'BAD_REQUEST' });
  assert.equal(client.inbox.filter(({ type }) => type === 'ERROR').length, 5);
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('MS-01 without maxInvalidInRow: the same client goes on for ever', { timeout }, async (t) => {
  const server = await unguarded(t, { maxInvalidInRow: Number.POSITIVE_INFINITY }, options);
  const client = await Client.open(`${server.url}/ws`);
  for (let n = 0; n < 500; n++) client.send('{{{');
  for (let n = 0; n < 500; n++) await client.next('ERROR');
  assert.equal((await client.request('PING')).type, 'PONG');
});

// biome-ignore format: a table
const wrongShapes: [message: string, pointer: string][] = [
  ['null',                                                                      ''],
  ['1',                                                                         ''],
  ['"x"',                                                                       ''],
  ['[]',                                                                        ''],
  ['{}',                                                                        '/type: '],
  ['{"type":5}',                                                                '/type: '],
  ['{"type":"PING","id":7}',                                                    '/id: '],
  [`{"type":"PING","id":"${'x'.repeat(10 * 1024)}"}`,                           '/id: '],
  ['{"type":"PING","payload":7}',                                               '/payload: '],
  ['{"type":"SUBSCRIBE","payload":{}}',                                         '/payload/channel: '],
  ['{"type":"SUBSCRIBE","payload":{"channel":7}}',                              '/payload/channel: '],
  ['{"type":"SUBSCRIBE","payload":{"channel":"c","since":{"epoch":"e","offset":-1}}}', '/payload/since/offset: '],
  ['{"type":"AGENT_STATUS","payload":{"status":"away"}}',                       '/payload/status: '],
  ['{"type":"ECHO","payload":{"a/b~c":[0,1e400]}}',                             '/payload/a~1b~0c/1: '],
];

test('MS-02 the wrong shape is INVALID_MESSAGE, with the JSON Pointer of the fault and no trace of the code', {
  timeout,
}, async (t) => {
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  for (const [message, pointer] of wrongShapes) {
    client.send(message);
    const { payload } = await client.next('ERROR');
    assert.equal(payload.code, 'INVALID_MESSAGE', message);
    assert.ok(payload.message.startsWith(pointer), `${message}: ${payload.message}`);
    assert.ok(payload.message.length <= 320 && !/\n|\.[jt]s\b|node:/.test(payload.message), payload.message);
  }
  client.send({ type: 'PING', id: 'extra', more: { keys: 1 } });
  assert.equal((await client.next('PONG')).id, 'extra');
});

test('MS-03 inherited names are no types', { timeout }, async (t) => {
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`);
  for (const type of [
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
  ]) {
    assert.equal((await client.error(type)).code, 'UNKNOWN_TYPE', type);
  }
  assert.equal((await client.request('PING')).type, 'PONG');
});

test('MS-04 keys of a message never reach a prototype or a role', { timeout }, async (t) => {
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  const polluted =
    '{"__proto__":{"role":"admin","roles":["agent"]},"constructor":{"prototype":{"role":"admin"}}}';
  for (const type of ['SUBSCRIBE', 'PUBLISH', 'ECHO', 'PING', 'COMMAND', 'DASHBOARD_CONNECT']) {
    for (const payload of [
      polluted,
      `{"channel":"c","agentId":"g","command":"x","data":${polluted},"args":${polluted},${polluted.slice(1)}`,
    ]) {
      client.send(`{"type":"${type}","id":"${type}","payload":${payload},${polluted.slice(1)}`);
      await client.take(({ id }) => id === type, type);
    }
  }
  assert.deepEqual(
    [Object.keys(Object.prototype), ({} as { role?: string }).role, ({} as { roles?: string }).roles],
    [[], undefined, undefined],
  );
  assert.equal((await client.error('AGENT_CONNECT', { agentId: 'g' })).code, 'FORBIDDEN');
  const [connection] = server.app.connections.open;
  assert.deepEqual(connection?.identity?.roles, ['dashboard']);
});

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

test('MS-05 deep JSON is TOO_DEEP, at once, and others are served', { timeout }, async (t) => {
  const server = await listening(t, options);
  const honest = await Client.open(`${server.url}/ws`);
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  const deepest = '{"type":"ECHO","id":"deep","payload":PAYLOAD}';
  for (const depth of [32, 5000, 32_000]) {
    client.send(deepest.replace('PAYLOAD', nested(depth)));
    const answer = await client.take(({ id }) => id === 'deep');
    assert.equal(answer.type === 'ERROR' && answer.payload.code, 'TOO_DEEP', String(depth));
  }
  client.send(deepest.replace('PAYLOAD', nested(31)));
  assert.equal((await client.take(({ id }) => id === 'deep')).type, 'ECHO');
  const ms = fastestMs(() => readEnvelope(deepest.replace('PAYLOAD', nested(32_000)), guards.maxDepth));
  t.diagnostic(`32,000 levels are refused in ${ms.toFixed(2)} ms`);
  assert.ok(ms < 5, `${ms} ms`);
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('MS-05 without maxDepth: the echo of it breaks the handler', { timeout }, async (t) => {
  const server = await unguarded(t, { maxDepth: Number.POSITIVE_INFINITY }, options);
  const client = await Client.open(`${server.url}/ws`);
  client.send(`{"type":"ECHO","id":"deep","payload":${nested(30_000)}}`);
  const answer = await client.take(({ id }) => id === 'deep');
  assert.equal(answer.type === 'ERROR' && answer.payload.code, 'INTERNAL');
});

const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`k${n}`, n])));

test('MS-06 5,000 keys are read in a moment, again and again', { timeout }, async (t) => {
  const message = `{"type":"ECHO","id":"wide","payload":${wide}}`;
  assert.ok(message.length <= guards.maxMessageBytes);
  const ms = fastestMs(() => assert.ok(readEnvelope(message, guards.maxDepth).ok));
  t.diagnostic(`5,000 keys are read in ${ms.toFixed(2)} ms`);
  assert.ok(ms < 5, `${ms} ms`);
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`);
  // Other keys every time: shapes that the engine could keep.
  for (let round = 0; round < 50; round++) {
    const payload = wide.replaceAll('k', String.fromCharCode(97 + (round % 26)));
    client.send(`{"type":"ECHO","id":"w${round}","payload":${payload}}`);
    assert.equal((await client.take(({ id }) => id === `w${round}`)).type, 'ECHO');
  }
});

test('MS-07 of two equal keys the last one counts, for everyone', { timeout }, async (t) => {
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  client.send('{"type":"PING","type":"admin.kick","id":"1"}');
  const refused = await client.take(({ id }) => id === '1');
  assert.ok(refused.type === 'ERROR' && refused.payload.for === 'admin.kick');
  assert.equal(refused.payload.code, 'UNKNOWN_TYPE');
  client.send(
    '{"type":"admin.kick","type":"SUBSCRIBE","id":"1","id":"2","payload":{"channel":"a b","channel":"good"}}',
  );
  const answer = await client.take(({ id }) => id === '2');
  assert.equal(answer.type === 'ACK' && String(answer.payload.for), 'SUBSCRIBE');
  const [connection] = server.app.connections.open;
  assert.deepEqual([...(connection?.subscriptions.keys() ?? [])], ['good']);
});

test('MS-08 numbers that would change are refused, and none comes out as something else', {
  timeout,
}, async (t) => {
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`);
  for (const id of ['1e400', '-0', '9007199254740993', '1E-400', '1.0']) {
    client.send(`{"type":"PING","id":${id}}`);
    assert.equal((await client.next('ERROR')).payload.code, 'INVALID_MESSAGE', id);
  }
  client.send('{"type":"PING","id":000}');
  assert.equal((await client.next('ERROR')).payload.code, 'INVALID_JSON');
  for (const bad of [
    '1e400',
    '-1e400',
    '9007199254740993',
    '-9007199254740993',
    '123456789012345678901234567890',
  ]) {
    client.send(`{"type":"ECHO","id":"n","payload":[0,${bad}]}`);
    const answer = await client.take(({ id }) => id === 'n');
    assert.ok(answer.type === 'ERROR' && answer.payload.message.startsWith('/payload/1: '), bad);
  }
  // A text may hold any digits, and these numbers are what they were.
  for (const good of [
    '-0',
    '1E-400',
    '1.0',
    '9007199254740991',
    '1e300',
    '-1.5e-7',
    '"9007199254740993"',
    '"1e400"',
  ]) {
    client.send(`{"type":"ECHO","id":"n","payload":${good}}`);
    const answer = await client.take(({ id }) => id === 'n');
    assert.ok(answer.type === 'ECHO', good);
    assert.ok(Object.is(answer.payload, JSON.parse(good)) || answer.payload === JSON.parse(good), good);
  }
});

test('MS-09 texts come back as they were, or are refused whole', { timeout }, async (t) => {
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  const texts = ['\ud800', 'a\u0000b', '\u202egpj.exe', '👩‍👩‍👧‍👦', 'e\u0301', '\u00e9', '\ufeffx', '\u2028'];
  for (const odd of texts) {
    const echo = await client.request('ECHO', { odd }, odd);
    assert.ok(echo.type === 'ECHO' && echo.id === odd);
    assert.deepEqual(echo.payload, { odd });
    const { code } = await client.error('SUBSCRIBE', { channel: `c${odd}` });
    assert.equal(code, 'INVALID_MESSAGE', JSON.stringify(odd));
  }
  await client.ack('SUBSCRIBE', { channel: 'c' });
  const data = texts.join('');
  await client.ack('PUBLISH', { channel: 'c', data });
  assert.equal((await client.next('MESSAGE')).payload.data, data);
  client.send(`{"type":"PING","id":"${'x'.repeat(65_000)}"}`);
  const { id, payload } = await client.next('ERROR');
  assert.deepEqual([id, payload.code], [undefined, 'INVALID_MESSAGE']);
});

test('MS-12 64 KiB and a byte is closed with 1009, whole or in pieces, and nothing of it is kept', {
  timeout,
}, async (t) => {
  const server = await listening(t, options);
  const honest = await Client.open(`${server.url}/ws`);
  const whole = await Client.open(`${server.url}/ws`);
  whole.send('x'.repeat(64 * 1024 + 1));
  assert.equal((await whole.closed).code, 1009);
  const pieces = await Client.open(`${server.url}/ws`);
  for (let n = 0; n < 64; n++) pieces.socket.send('x'.repeat(1024 ** 2), { fin: false });
  assert.equal((await pieces.closed).code, 1009);
  const exact = JSON.stringify({ type: 'ECHO', id: 'exact', payload: '' });
  honest.send({ type: 'ECHO', id: 'exact', payload: 'x'.repeat(64 * 1024 - exact.length) });
  assert.equal((await honest.take(({ id }) => id === 'exact')).type, 'ECHO');
  await until(() => server.app.capacity.unfinished.bytes === 0, 'nothing is held');
});

test('MS-12 without maxBytesBeforeAuth: an unknown client has 64 KiB of JSON read for it', {
  timeout,
}, async (t) => {
  const production = {
    ...options,
    environment: 'production',
    secret: '0123456789abcdefghijklmnopqrstuv',
  } as const;
  const large = { type: 'ECHO', id: 'large', payload: 'x'.repeat(60_000) };
  const guarded = await Client.open(`${(await listening(t, production)).url}/ws`);
  guarded.send(large);
  assert.deepEqual(await guarded.closed, { code: 1009, reason: 'TOO_LARGE_BEFORE_AUTH' });
  const open = await unguarded(t, { maxBytesBeforeAuth: Number.POSITIVE_INFINITY }, production);
  const client = await Client.open(`${open.url}/ws`);
  client.send(large);
  const answer = await client.take(({ id }) => id === 'large');
  assert.equal(answer.type === 'ERROR' && answer.payload.code, 'UNAUTHENTICATED');
});

test('MS-13 a repeated id has one effect, on this connection and on the next', { timeout }, async (t) => {
  const server = await listening(t, options);
  const token = await server.mint({ sub: 's', roles: ['dashboard', 'agent'] });
  const client = await Client.open(`${server.url}/ws`, token);
  const watcher = await Client.open(`${server.url}/ws`, token);
  await watcher.ack('SUBSCRIBE', { channel: 'c' });
  const first = await client.ack('PUBLISH', { channel: 'c', data: 1 }, 'once');
  assert.deepEqual(await client.ack('PUBLISH', { channel: 'c', data: 1 }, 'once'), {
    ...first,
    duplicate: true,
  });
  await client.close();
  const again = await Client.open(`${server.url}/ws`, token);
  assert.deepEqual(await again.ack('PUBLISH', { channel: 'c', data: 1 }, 'once'), {
    ...first,
    duplicate: true,
  });
  await watcher.settle();
  assert.equal(watcher.inbox.filter(({ type }) => type === 'MESSAGE').length, 1);
});

test('MS-14 what only the server says is UNKNOWN_TYPE from a client, and reaches nobody', {
  timeout,
}, async (t) => {
  const server = await listening(t, options);
  const token = await server.mint({ roles: ['dashboard', 'agent'] });
  const other = await Client.open(`${server.url}/ws`, token);
  await other.ack('SUBSCRIBE', { channel: 'c' });
  await other.ack('DASHBOARD_CONNECT');
  await other.next('WELCOME');
  const client = await Client.open(`${server.url}/ws`, token);
  const both = ['PING', 'PONG', 'ECHO', 'COMMAND', 'COMMAND_RESULT', 'AGENT_STATUS'];
  const own = Object.keys(serverMessages).filter((type) => !both.includes(type));
  assert.deepEqual(own.includes('ACK') && own.includes('ERROR') && own.includes('MESSAGE'), true);
  for (const type of own) {
    assert.equal(
      (await client.error(type, { for: 'PUBLISH', channel: 'c', data: 1 })).code,
      'UNKNOWN_TYPE',
      type,
    );
  }
  // The types of both directions mean what a client may mean by them.
  assert.equal(
    (await client.error('COMMAND_RESULT', { commandId: 'forged', status: 'ok' })).code,
    'INVALID_MESSAGE',
  );
  client.send({ type: 'PONG', id: 'forged' });
  assert.equal((await client.request('PING')).type, 'PONG');
  await other.settle();
  assert.deepEqual(other.inbox, []);
});

test('MS-15 what a role may not do is FORBIDDEN, and the third time within 10 s closes with 4403', {
  timeout,
}, async (t) => {
  const server = await listening(t, options);
  const dashboard = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'd', tenant: 't' }));
  const agent = await Client.open(
    `${server.url}/ws`,
    await server.mint({ sub: 'a', tenant: 't', roles: ['agent'] }),
  );
  for (const [client, requests] of [
    [
      dashboard,
      [
        ['AGENT_CONNECT', { agentId: 'g' }],
        ['AGENT_STATUS', { status: 'idle' }],
        ['COMMAND_RESULT', { commandId: 'c', status: 'ok' }],
      ],
    ],
    [
      agent,
      [
        ['DASHBOARD_CONNECT', {}],
        ['COMMAND', { agentId: 'g', command: 'x' }],
        ['DASHBOARD_CONNECT', {}],
      ],
    ],
  ] as const) {
    for (const [type, payload] of requests) {
      assert.equal((await client.error(type, payload)).code, 'FORBIDDEN', type);
    }
    assert.deepEqual(await client.closed, { code: 4403, reason: 'FORBIDDEN' });
  }
  // A channel of the same name is another tenant's own.
  const stranger = await Client.open(`${server.url}/ws`, await server.mint({ sub: 's', tenant: 'u' }));
  const member = await Client.open(`${server.url}/ws`, await server.mint({ sub: 'm', tenant: 't' }));
  await stranger.ack('SUBSCRIBE', { channel: 'secret' });
  assert.equal((await member.ack('PUBLISH', { channel: 'secret', data: 1 })).receivers, 0);
  await stranger.settle();
  assert.deepEqual(
    stranger.inbox.map(({ type }) => type),
    ['WELCOME'],
  );
});

test('MS-15 without maxForbidden: a client tries all doors', { timeout }, async (t) => {
  const server = await unguarded(t, { maxForbidden: Number.POSITIVE_INFINITY }, options);
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  for (let n = 0; n < 100; n++)
    assert.equal((await client.error('AGENT_CONNECT', { agentId: `g${n}` })).code, 'FORBIDDEN');
});

test('MS-16 markup stays text in JSON, and no answer is HTML', { timeout }, async (t) => {
  const server = await listening(t, options);
  const client = await Client.open(`${server.url}/ws`, await server.mint({ roles: ['dashboard', 'agent'] }));
  const script = '<script>alert(1)</script>';
  await client.ack('SUBSCRIBE', { channel: 'c' });
  await client.ack('PUBLISH', { channel: 'c', data: { [script]: script } });
  assert.deepEqual((await client.next('MESSAGE')).payload.data, { [script]: script });
  assert.equal((await client.error(script)).for, script);
  for (const path of [
    `/${encodeURIComponent(script)}`,
    '/healthz',
    '/metrics',
    '/api/status',
    `/ws?${script}`,
  ]) {
    const response = await fetch(`${server.httpUrl}${path}`);
    assert.match(response.headers.get('content-type') ?? '', /^(application\/json|text\/plain)/, path);
    assert.ok(!(await response.text()).includes('<script>'), path);
  }
});

/** How each code is provoked that a client can provoke at will. */
const provocations: Partial<Record<ErrorCode, string>> = {
  INVALID_JSON: '{"secret-of-mine',
  INVALID_MESSAGE: '{"type":"SUBSCRIBE","id":"i","payload":{"channel":7}}',
  UNKNOWN_TYPE: '{"type":"NOPE","id":"i"}',
  FORBIDDEN: '{"type":"AGENT_CONNECT","id":"i","payload":{"agentId":"g"}}',
  NOT_DELIVERED: '{"type":"COMMAND","payload":{"agentId":"g","command":"x"}}',
  TOO_DEEP: `{"type":"ECHO","id":"i","payload":${nested(100)}}`,
};

test('MS-17 errors say the same a thousand times over, and nothing of the inside', {
  timeout: 60_000,
}, async (t) => {
  const off = Number.POSITIVE_INFINITY;
  // Closing is another test's.
  const server = await unguarded(t, { maxForbidden: off, maxInvalidInRow: off }, options);
  const token = await server.mint();
  const client = await Client.open(`${server.url}/ws`, token);
  for (const [code, message] of Object.entries(provocations)) {
    const said = new Set<string>();
    for (let n = 0; n < 1000; n++) client.send(message);
    for (let n = 0; n < 1000; n++) {
      const { payload } = await client.next('ERROR');
      assert.deepEqual(Object.keys(payload).sort(), ['code', 'for', 'message']);
      assert.equal(payload.code, code);
      said.add(payload.message);
    }
    assert.equal(said.size, 1, code);
    const [words = ''] = said;
    assert.ok(!/\n|node_modules|\.[jt]s\b|\bat \w|\/home|\/tmp|\d+\.\d+\.\d+|secret/i.test(words), words);
    assert.ok(!words.includes(token));
  }
  // A bad token is refused in the same words, whatever is wrong inside.
  const refusal = await Client.open(`${server.url}/ws`, 'a.b.c').catch((error: unknown) => error);
  assert.ok(refusal instanceof Refused && !/\n|\.[jt]s\b|jose/i.test(refusal.body), String(refusal));
});

test('MS-18 a thousand messages in one segment are answered in their order, each once', {
  timeout,
}, async (t) => {
  const server = await listening(t, options);
  const intruder = await intrude(`${server.url}/ws`, await server.mint());
  const types = ['PING', 'ECHO', 'PUBLISH', 'SUBSCRIBE', 'NOPE', 'UNSUBSCRIBE'];
  const count = 1000;
  const messages = Array.from({ length: count }, (_, n) => {
    const payload = { channel: `c${n % 7}`, data: n };
    // Large ones wait for a turn of their own, and still nobody overtakes them.
    return {
      type: types[n % types.length],
      id: `${n}`,
      payload: n % 100 === 1 ? { pad: 'x'.repeat(5000) } : payload,
    };
  });
  intruder.socket.write(Buffer.concat(messages.map(text)));
  const ids = (): number[] =>
    framesOf(intruder.received()).flatMap(({ first, payload }) => {
      const { id, type } =
        first === 0x81 ? (JSON.parse(payload.toString()) as { id?: string; type: string }) : {};
      return id === undefined || type === 'PING' ? [] : [Number(id)];
    });
  await until(() => ids().length >= count, 'all answers');
  assert.deepEqual(
    ids(),
    Array.from({ length: count }, (_, n) => n),
  );
  intruder.socket.destroy();
});
