// What a few clients could take from all others: memory, channels, an agent's patience, the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guards } from '../../reference-server/guards.ts';
import { handlers } from '../../reference-server/handlers/index.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client, Refused } from '../reference-server/client.ts';
import { FakeClock } from '../reference-server/fake-clock.ts';
import { listening, unguarded } from '../reference-server/servers.ts';
import { frame, type Intruder, intrude, until } from './siege.ts';

const timeout = 30_000;
const off = Number.POSITIVE_INFINITY;

/** Its timers move when told to; tokens are judged by the time of day. */
const handClock = (): FakeClock => Object.assign(new FakeClock(), { epochMs: () => Date.now() });

const pieces = (count: number, payload: string): Buffer =>
  Buffer.concat([frame(0x01, payload), ...Array.from({ length: count }, () => frame(0x00, payload))]);

for (const [id, name, payload] of [
  ['RS-01', 'fragments of one byte', 'x'],
  ['RS-02', 'empty fragments', ''],
] as const) {
  test(`${id} ${name} without an end are closed with 1008 before the 1,024th`, { timeout }, async (t) => {
    const server = await listening(t, { heartbeat: noHeartbeat });
    const honest = await Client.open(`${server.url}/ws`);
    const intruder = await intrude(`${server.url}/ws`);
    intruder.socket.write(pieces(1022, payload));
    assert.equal((await intruder.ended).code, 1008);
    assert.equal((await honest.request('PING')).type, 'PONG');
    const flood = await intrude(`${server.url}/ws`);
    flood.socket.write(pieces(100_000, payload));
    assert.equal((await flood.ended).code, 1008);
    await until(() => server.app.capacity.unfinished.bytes === 0, 'nothing is held');
    assert.equal((await honest.request('PING')).type, 'PONG');
  });

  test(`${id} without maxFragments: ${name} are taken by the thousand`, { timeout }, async (t) => {
    // ws reads 0 as no bound.
    const server = await unguarded(t, { maxFragments: 0, maxBufferedChunks: 0 }, { heartbeat: noHeartbeat });
    const intruder = await intrude(`${server.url}/ws`);
    intruder.socket.write(Buffer.concat([pieces(20_000, payload), frame(0x89, 'still there?')]));
    await until(() => intruder.received().includes('still there?'), 'a pong');
    intruder.socket.destroy();
  });
}

test('RS-03 a message that grows beyond 64 KiB is closed with 1009, whatever it would have become', {
  timeout,
}, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const honest = await Client.open(`${server.url}/ws`);
  const intruder = await intrude(`${server.url}/ws`);
  const { rss } = process.memoryUsage();
  intruder.socket.write(frame(0x01, Buffer.alloc(60 * 1024, 'x')));
  for (let n = 0; n < 63; n++) intruder.socket.write(frame(0x00, Buffer.alloc(1024 ** 2, 'x')));
  assert.equal((await intruder.ended).code, 1009);
  assert.ok(process.memoryUsage().rss - rss < 2 * 64 * 1024 ** 2);
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('RS-03 without maxMessageBytes: 8 MiB of it are kept', { timeout }, async (t) => {
  const server = await unguarded(t, { maxMessageBytes: 0 }, { heartbeat: noHeartbeat });
  const intruder = await intrude(`${server.url}/ws`);
  intruder.socket.write(frame(0x01, Buffer.alloc(1024 ** 2, 'x')));
  for (let n = 0; n < 7; n++) intruder.socket.write(frame(0x00, Buffer.alloc(1024 ** 2, 'x')));
  await until(() => server.app.capacity.unfinished.bytes >= 8 * 1024 ** 2, '8 MiB are held');
  intruder.socket.destroy();
});

const half = frame(0x01, Buffer.alloc(60 * 1024, 'x'));

test('RS-04 a message that is not whole within 10 s is closed with 1008', { timeout }, async (t) => {
  const clock = new FakeClock();
  const server = await listening(t, { heartbeat: noHeartbeat, clock });
  const honest = await Client.open(`${server.url}/ws`);
  const { unfinished } = server.app.capacity;
  const intruder = await intrude(`${server.url}/ws`);
  intruder.socket.write(half);
  await until(() => unfinished.bytes === half.length, 'half a message');
  clock.advance(5000);
  // Neither a ping nor more of the message buys more time.
  intruder.socket.write(Buffer.concat([frame(0x89, 'ping'), frame(0x00, 'more')]));
  await until(() => unfinished.bytes > half.length, 'more of it');
  clock.advance(4900);
  await honest.settle();
  assert.equal(server.app.connections.open.size, 2);
  clock.advance(200);
  assert.deepEqual(await intruder.ended, { code: 1008, reason: 'MESSAGE_TIMEOUT' });
  await until(() => unfinished.bytes === 0, 'nothing is held');
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('RS-04 the raw echo waits 10 s for the next byte of a large message, not for all of it', {
  timeout,
}, async (t) => {
  const clock = new FakeClock();
  const server = await listening(t, { heartbeat: noHeartbeat, clock });
  const { unfinished } = server.app.capacity;
  const slow = await intrude(`${server.url}/ws/echo`);
  for (let n = 0; n < 5; n++) {
    slow.socket.write(frame(n === 0 ? 0x02 : 0x00, 'x'));
    await until(() => unfinished.bytes === 7 * (n + 1), 'a fragment');
    clock.advance(8000);
  }
  assert.equal(server.app.connections.open.size, 1);
  clock.advance(2100);
  assert.equal((await slow.ended).reason, 'MESSAGE_TIMEOUT');
});

/** A hundred connections with 60 KiB of an unfinished message each, and what became of them. */
async function parked(url: string): Promise<Intruder[]> {
  const intruders = await Promise.all(Array.from({ length: 100 }, () => intrude(`${url}/ws`)));
  for (const { socket } of intruders) socket.write(half);
  return intruders;
}

test('RS-04 all unfinished messages together have a budget, and who holds most goes first', {
  timeout,
}, async (t) => {
  const maxUnfinishedBytes = 4 * 1024 ** 2;
  assert.equal(guards.maxUnfinishedBytes, 128 * 1024 ** 2);
  const server = await unguarded(t, { maxUnfinishedBytes, unfinishedMs: 2000 }, { heartbeat: noHeartbeat });
  const honest = await Client.open(`${server.url}/ws`);
  const { unfinished } = server.app.capacity;
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, unfinished.bytes);
  }, 1);
  t.after(() => clearInterval(look));
  const intruders = await parked(server.url);
  const ends = await Promise.all(intruders.map(({ ended }) => ended));
  const shed = ends.filter(({ reason }) => reason === 'OVERLOADED').length;
  const late = ends.filter(({ reason }) => reason === 'MESSAGE_TIMEOUT').length;
  t.diagnostic(`${shed} shed, ${late} timed out, ${most} bytes at most`);
  // A reset overtakes what its receiver has not read: a few may never see the close frame.
  assert.ok(shed + late >= 90, `${shed} shed, ${late} timed out`);
  assert.ok(late <= Math.floor(maxUnfinishedBytes / half.length), `${late} stayed to the end`);
  assert.ok(most <= maxUnfinishedBytes, `${most} bytes`);
  assert.equal((await honest.request('PING')).type, 'PONG');
});

test('RS-04 without unfinishedMs and maxUnfinishedBytes: all of it is held for ever', {
  timeout,
}, async (t) => {
  const server = await unguarded(
    t,
    { maxUnfinishedBytes: off, unfinishedMs: off },
    { heartbeat: noHeartbeat },
  );
  const intruders = await parked(server.url);
  await until(() => server.app.capacity.unfinished.bytes === 100 * half.length, 'all is held');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(server.app.capacity.unfinished.bytes, 100 * half.length);
  for (const { socket } of intruders) socket.destroy();
});

const refusal = async (opening: Promise<unknown>): Promise<Refused> => {
  const refused = await opening.then(
    () => assert.fail('opened'),
    (error: unknown) => error,
  );
  assert.ok(refused instanceof Refused, String(refused));
  return refused;
};

test('RS-07 a full server refuses with 503 and Retry-After, and has room again when somebody leaves', {
  timeout,
}, async (t) => {
  const server = await unguarded(t, { maxConnections: 50 }, { heartbeat: noHeartbeat });
  const clients = await Promise.all(Array.from({ length: 50 }, () => Client.open(`${server.url}/ws`)));
  const { status, headers, body } = await refusal(Client.open(`${server.url}/ws`));
  assert.equal(status, 503);
  assert.ok(Number(headers['retry-after']) > 0);
  assert.ok(body.includes('TOO_MANY_CONNECTIONS'));
  assert.equal((await fetch(`${server.httpUrl}/healthz`)).status, 200);
  for (const client of clients) assert.equal((await client.request('PING')).type, 'PONG');
  await clients[0]?.close();
  await until(() => server.app.connections.open.size === 49, 'one has left');
  assert.equal((await (await Client.open(`${server.url}/ws`)).request('PING')).type, 'PONG');
});

test('RS-07 an address has its share under production limits: 429 above it', { timeout }, async (t) => {
  assert.equal(guards.maxConnectionsPerIp, 1000);
  const production = { heartbeat: noHeartbeat, limits: 'production' } as const;
  const server = await unguarded(t, { maxConnectionsPerIp: 5 }, production);
  const tokens = await Promise.all(Array.from({ length: 6 }, (_, n) => server.mint({ sub: `s${n}` })));
  const clients: Client[] = [];
  for (const token of tokens.slice(1)) clients.push(await Client.open(`${server.url}/ws`, token));
  const { status, headers, body } = await refusal(Client.open(`${server.url}/ws`, tokens[0]));
  assert.equal(status, 429);
  assert.ok(Number(headers['retry-after']) > 0);
  assert.ok(body.includes('TOO_MANY_CONNECTIONS'));
  for (const client of clients) assert.equal((await client.request('PING')).type, 'PONG');
});

test('RS-07 without maxConnections and maxConnectionsPerIp: one address opens what it likes', {
  timeout,
}, async (t) => {
  const server = await unguarded(
    t,
    { maxConnections: off, maxConnectionsPerIp: off },
    { heartbeat: noHeartbeat, limits: 'production' },
  );
  // Twenty is what the rate of upgrades lets through at once.
  const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(`${server.url}/ws`)));
  assert.equal(server.app.connections.open.size, clients.length);
});

test('RS-09 a connection may hold 100 channels with names of 64 characters', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  for (let n = 0; n < 100; n++) await client.ack('SUBSCRIBE', { channel: `c${n}` });
  for (let n = 100; n < 300; n++) {
    assert.equal((await client.error('SUBSCRIBE', { channel: `c${n}` })).code, 'LIMIT_EXCEEDED');
  }
  assert.equal((await client.error('SUBSCRIBE', { channel: 'x'.repeat(65) })).code, 'INVALID_MESSAGE');
  const megabyte = await Client.open(`${server.url}/ws`, await server.mint());
  megabyte.send({ type: 'SUBSCRIBE', payload: { channel: 'x'.repeat(1024 ** 2) } });
  assert.equal((await megabyte.closed).code, 1009);
  assert.equal([...server.app.connections.open][0]?.subscriptions.size, 100);
  await client.ack('UNSUBSCRIBE', { channel: 'c7' });
  await client.ack('SUBSCRIBE', { channel: 'new' });
});

/** Eleven dashboards with a hundred commands each for one agent that never answers; counts the answers by kind. */
async function commands(server: Awaited<ReturnType<typeof listening>>): Promise<{
  answers: Record<string, number>;
  bosses: Client[];
  agent: Client;
}> {
  const agent = await Client.open(
    `${server.url}/ws`,
    await server.mint({ sub: 'a', tenant: 't', roles: ['agent'] }),
  );
  await agent.ack('AGENT_CONNECT', { agentId: 'g' });
  const answers: Record<string, number> = {};
  const bosses: Client[] = [];
  for (let n = 0; n < 11; n++) {
    const boss = await Client.open(`${server.url}/ws`, await server.mint({ sub: `d${n}`, tenant: 't' }));
    bosses.push(boss);
    for (let m = 0; m < 100; m++)
      boss.send({ type: 'COMMAND', id: `c${m}`, payload: { agentId: 'g', command: 'x' } });
    for (let m = 0; m < 100; m++) {
      const answer = await boss.take(({ id }) => id === `c${m}`);
      const kind = answer.type === 'ERROR' ? answer.payload.code : answer.type;
      answers[kind] = (answers[kind] ?? 0) + 1;
    }
  }
  return { answers, bosses, agent };
}

test('RS-10 an agent that never answers has 1,000 commands waiting, and each sender hears of it', {
  timeout,
}, async (t) => {
  const clock = handClock();
  const server = await listening(t, { heartbeat: noHeartbeat, clock, commandTimeoutMs: 10_000 });
  const { answers, bosses, agent } = await commands(server);
  assert.deepEqual(answers, { ACK: 1000, NOT_DELIVERED: 100 });
  clock.advance(10_001);
  for (const boss of bosses.slice(0, 10)) {
    for (let n = 0; n < 100; n++) assert.equal((await boss.next('COMMAND_RESULT')).payload.status, 'timeout');
  }
  // What has timed out takes no place any more.
  assert.ok(bosses[0]);
  const { commandId } = await bosses[0].ack('COMMAND', { agentId: 'g', command: 'again' });
  const ofAgent = [...server.app.connections.open].find((connection) => connection.agent);
  assert.deepEqual([...(ofAgent?.agent?.pendingCommands.keys() ?? [])], [commandId]);
  await agent.ack('COMMAND_RESULT', { commandId, status: 'ok' });
  assert.equal(ofAgent?.agent?.pendingCommands.size, 0);
});

test('RS-10 without maxPendingPerAgent: the pile grows with every sender', { timeout }, async (t) => {
  const server = await unguarded(
    t,
    { maxPendingPerAgent: off },
    { heartbeat: noHeartbeat, clock: handClock() },
  );
  assert.deepEqual((await commands(server)).answers, { ACK: 1100 });
});

test('RS-13 what a handler throws costs one ERROR INTERNAL with its id, never the process', {
  timeout,
}, async (t) => {
  const log: LogEntry[] = [];
  const server = await listening(t, { heartbeat: noHeartbeat, logger: (entry) => log.push(entry) });
  const honest = await Client.open(`${server.url}/ws`);
  const table = handlers as unknown as Record<string, { handle: unknown }>;
  for (const [type, handle, payload] of [
    ['PING', () => assert.fail('sync'), undefined],
    ['PUBLISH', () => Promise.reject(new Error('async')), { channel: 'c', data: 1 }],
    [
      'PUBLISH',
      () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 10)),
      { channel: 'c', data: 1 },
    ],
    ['PUBLISH', () => Promise.reject(undefined), { channel: 'c', data: 1 }],
  ] as const) {
    const entry = table[type];
    assert.ok(entry);
    const { handle: before } = entry;
    entry.handle = handle;
    try {
      const client = await Client.open(`${server.url}/ws`, await server.mint());
      const { code, message } = await client.error(type, payload, 'the-id');
      assert.deepEqual([code, message], ['INTERNAL', 'the server failed to handle this']);
    } finally {
      entry.handle = before;
    }
    assert.equal((await honest.request('PING')).type, 'PONG');
  }
  assert.equal(log.filter(({ level }) => level === 'error').length, 4);
});
