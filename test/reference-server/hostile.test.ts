import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RawData, WebSocket } from 'ws';
import { handlers } from '../../reference-server/handlers/index.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { noHeartbeat } from '../fixtures/no-heartbeat.ts';
import { Client } from './client.ts';
import { listening } from './servers.ts';

const timeout = 30_000;

test('whatever JSON a client sends, it gets one answer and keeps its connection', { timeout }, async (t) => {
  const errors: LogEntry[] = [];
  const server = await listening(t, { heartbeat: noHeartbeat, logger: (entry) => errors.push(entry) });
  const client = await Client.open(`${server.url}/ws`, await server.mint({ roles: ['dashboard', 'agent'] }));
  await client.next('WELCOME');
  const types = [
    ...Object.keys(handlers).filter((type) => type !== 'PONG'),
    '__proto__',
    'constructor',
    'valueOf',
  ];
  const messages = fc.sample(
    fc.record({ type: fc.constantFrom(...types), payload: fc.option(fc.jsonValue(), { nil: undefined }) }),
    { numRuns: 500, seed: 7 },
  );
  let pushes = 0;
  for (const [index, message] of messages.entries()) {
    // AUTH with garbage ends the connection, as it should.
    if (message.type === 'AUTH') message.payload = { token: 7 };
    const id = `fuzz-${index}`;
    client.send({ ...message, id });
    const answer = await client.take((m) => m.id === id, `answer to ${JSON.stringify(message)}`);
    assert.ok(['ACK', 'ERROR', 'PONG', 'ECHO'].includes(answer.type));
    assert.ok(!(answer.type === 'ERROR' && answer.payload.code === 'INTERNAL'), JSON.stringify(message));
    pushes += client.inbox.filter(({ id: of }) => of === id).length;
  }
  assert.equal(pushes, 0, 'more than one answer');
  assert.deepEqual(errors, []);
});

test('any text at all is answered by an ERROR without an id', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`);
  const texts = fc.sample(fc.oneof(fc.string(), fc.json()), { numRuns: 300, seed: 11 });
  texts.push('', '\\u0000', '[', '{', '"', 'NaN', '-0', '1e999', '{"type":"PING","type":"NOPE","id":"d"}');
  for (const text of texts) {
    client.send(text);
    // Five texts in a row that are no JSON would close.
    client.send({ type: 'PING' });
  }
  for (const text of texts) {
    const { payload } = await client.next('ERROR');
    assert.ok(
      ['INVALID_JSON', 'INVALID_MESSAGE', 'UNKNOWN_TYPE'].includes(payload.code),
      `${text}: ${payload.code}`,
    );
  }
  assert.equal((await client.request('PING')).type, 'PONG');
});

test('deep JSON is TOO_DEEP, with the id, and costs nothing more', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  for (const depth of [100, 5000, 32_000]) {
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    for (const type of ['ECHO', 'PUBLISH', 'NOPE']) {
      client.send(`{"type":"${type}","id":"${type}${depth}","payload":${deep}}`);
      const answer = await client.take(({ id }) => id === `${type}${depth}`);
      assert.equal(answer.type === 'ERROR' && answer.payload.code, 'TOO_DEEP');
    }
  }
});

/** Opens, does something bad, and returns the close code that the client saw. */
async function closeCode(url: string, misbehave: (socket: WebSocket) => void): Promise<number> {
  const socket = new WebSocket(url, { autoPong: true });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  misbehave(socket);
  return closed;
}

/** Writes bytes past the client's own encoder. */
function writeRaw(socket: WebSocket, bytes: readonly number[]): void {
  (socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(Buffer.from(bytes));
}

const mask = [0, 0, 0, 0];

// biome-ignore format: a table
const violations: [name: string, path: string, code: number, misbehave: (socket: WebSocket) => void][] = [
  ['64 KiB and a byte',             '/ws',      1009, (s) => s.send('x'.repeat(64 * 1024 + 1))],
  ['1 MiB',                         '/ws',      1009, (s) => s.send('x'.repeat(1024 ** 2))],
  ['1 MiB in fragments',            '/ws',      1009, (s) => { for (let n = 0; n < 64; n++) s.send('x'.repeat(16_384), { fin: false }); }],
  ['a flood of empty fragments',    '/ws',      1008, (s) => { for (let n = 0; n < 500; n++) s.send('', { fin: false }); }],
  ['64 KiB and a byte at the sink', '/ws/sink', 1009, (s) => s.send('x'.repeat(64 * 1024 + 1))],
  ['16 MiB declared, not sent',     '/ws/echo', 1009, (s) => writeRaw(s, [0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, ...mask])],
];

for (const [name, path, code, misbehave] of violations) {
  test(`${name}: ${code}`, { timeout }, async (t) => {
    const server = await listening(t, { heartbeat: noHeartbeat });
    const innocent = await Client.open(`${server.url}/ws`);
    assert.equal(await closeCode(server.url + path, misbehave), code);
    assert.equal((await innocent.request('PING')).type, 'PONG');
  });
}

test('64 KiB exactly is taken', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const client = await Client.open(`${server.url}/ws`);
  const frame = JSON.stringify({ type: 'ECHO', id: 'big', payload: '' });
  client.send({ type: 'ECHO', id: 'big', payload: 'x'.repeat(64 * 1024 - frame.length) });
  assert.equal((await client.take(({ id }) => id === 'big')).type, 'ECHO');
});

test('a client that does not read is closed with 1008, and others do not notice', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const token = await server.mint({ sub: 'one' });
  const slow = await Client.open(`${server.url}/ws`, token);
  const other = await Client.open(`${server.url}/ws`, token);
  await slow.ack('SUBSCRIBE', { channel: 'c' });
  slow.socket.pause();
  const isClosing = (): boolean => [...server.app.connections.open].some(({ isOpen }) => !isOpen);
  for (let n = 0; n < 1000 && !isClosing(); n++) {
    await other.ack('PUBLISH', { channel: 'c', data: 'x'.repeat(60_000) });
  }
  assert.ok(isClosing(), 'everything was buffered');
  slow.socket.resume();
  assert.deepEqual(await slow.closed, { code: 1008, reason: 'SLOW_CONSUMER' });
  assert.equal((await other.request('PING')).type, 'PONG');
});

test('the echo reads no faster than its client does', { timeout }, async (t) => {
  const server = await listening(t, { heartbeat: noHeartbeat });
  const socket = new WebSocket(`${server.url}/ws/echo`, { perMessageDeflate: false });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.pause();
  const chunk = Buffer.alloc(1024 ** 2);
  const count = 24;
  for (let n = 0; n < count; n++) socket.send(chunk);
  await new Promise((resolve) => setTimeout(resolve, 300));
  // What neither kernel buffers nor the server have taken still lies with us.
  assert.ok(socket.bufferedAmount > 4 * 1024 ** 2, `${socket.bufferedAmount} bytes are left`);
  const received = new Promise<void>((resolve) => {
    let bytes = 0;
    socket.on('message', (data: RawData) => {
      bytes += (data as Buffer).length;
      if (bytes === count * chunk.length) resolve();
    });
  });
  socket.resume();
  await received;
  socket.terminate();
});

test('a handler that throws costs one ERROR INTERNAL, never the process', { timeout }, async (t) => {
  const errors: LogEntry[] = [];
  const server = await listening(t, { heartbeat: noHeartbeat, logger: (entry) => errors.push(entry) });
  const client = await Client.open(`${server.url}/ws`, await server.mint());
  const table = handlers as unknown as Record<string, { handle: unknown }>;
  for (const [type, handle, payload] of [
    ['PING', () => assert.fail('sync'), undefined],
    ['PUBLISH', () => Promise.reject(new Error('async')), { channel: 'c', data: 1 }],
    ['UNSUBSCRIBE', () => undefined, { channel: 'c' }],
  ] as const) {
    const entry = table[type];
    assert.ok(entry);
    const { handle: before } = entry;
    t.after(() => {
      entry.handle = before;
    });
    entry.handle = handle;
    assert.equal((await client.error(type, payload)).code, 'INTERNAL');
    entry.handle = before;
  }
  assert.equal(errors.length, 3);
  assert.equal((await client.request('PING')).type, 'PONG');
});
