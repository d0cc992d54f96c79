// The stand-in for a Phoenix server, held against the official client: what the phoenix preset is tested on is Phoenix's protocol.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { type Channel, type Push, Socket } from 'phoenix';
import { WebSocket } from 'ws';
import { type PeerOptions, startPeer } from '../fixtures/server-process.ts';

const secret = 'a secret that only tests know, long enough';

function token(lifeSeconds: number, key = secret): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + lifeSeconds;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ role: 'authenticated', exp })}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

async function connect(
  t: TestContext,
  vsn: string,
  options: PeerOptions['phoenix'] = {},
  params: Record<string, string> = {},
): Promise<Socket> {
  const server = await startPeer(t, 'phoenix', options);
  const socket = new Socket(`${server.url}/socket`, {
    vsn,
    params,
    transport: WebSocket as never,
    heartbeatIntervalMs: 300,
    rejoinAfterMs: () => 50,
    reconnectAfterMs: () => 50,
    ...(vsn.startsWith('2.') ? {} : objects),
  });
  t.after(() => new Promise<void>((resolve) => socket.disconnect(resolve)));
  socket.connect();
  return socket;
}

// The client of today speaks version 2 by itself; of version 1 it spoke nothing but these objects.
const objects = {
  encode: (payload: object, done: (text: string) => void) => done(JSON.stringify(payload)),
  decode: (payload: string, done: (message: object) => void) => done(JSON.parse(payload) as object),
};

/** How a push ends: its status and what came with it. */
function outcome(push: Push): Promise<{ status: string; response: unknown }> {
  return new Promise((resolve) => {
    for (const status of ['ok', 'error', 'timeout'] as const) {
      push.receive(status, (response: unknown) => resolve({ status, response }));
    }
  });
}

const next = (channel: Channel, event: string): Promise<Record<string, unknown>> =>
  new Promise((resolve) => channel.on(event, resolve));

for (const vsn of ['1.0.0', '2.0.0']) {
  test(`version ${vsn}: join, replies, pushes, leave`, { timeout: 20_000 }, async (t) => {
    const socket = await connect(t, vsn);
    const room = socket.channel('room:lobby');
    const news = next(room, 'news');
    assert.deepEqual(await outcome(room.join()), { status: 'ok', response: {} });
    assert.deepEqual(await outcome(room.push('ping', { a: 1 })), { status: 'ok', response: { a: 1 } });
    assert.deepEqual(await outcome(room.push('fail', {})), {
      status: 'error',
      response: { reason: 'asked to fail' },
    });
    assert.equal(typeof (await news).at, 'number');
    const shouted = next(room, 'shout');
    room.push('shout', { words: 'all' });
    assert.deepEqual(await shouted, { words: 'all' });
    const left = new Promise((resolve) => room.onClose(resolve));
    assert.equal((await outcome(room.leave())).status, 'ok');
    await left;
    assert.deepEqual(await outcome(socket.channel('nowhere').join()), {
      status: 'error',
      response: { reason: 'unmatched topic' },
    });
  });

  test(`version ${vsn}: heartbeats keep a connection that says nothing else`, {
    timeout: 20_000,
  }, async (t) => {
    const socket = await connect(t, vsn, { idleMs: 900 });
    let opened = 0;
    socket.onOpen(() => void opened++);
    const room = socket.channel('room:lobby');
    assert.equal((await outcome(room.join())).status, 'ok');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal((await outcome(room.push('ping', {}))).status, 'ok');
    assert.equal(opened, 1);
    assert.ok((await new Promise<number>((resolve) => socket.ping(resolve))) >= 0);
  });

  test(`version ${vsn}: a channel that crashes is joined again`, { timeout: 20_000 }, async (t) => {
    const room = (await connect(t, vsn)).channel('room:lobby');
    let joins = 0;
    const again = new Promise<void>((resolve) => {
      room.join().receive('ok', () => ++joins === 2 && resolve());
    });
    const crashed = new Promise((resolve) => room.onError(resolve));
    room.push('crash', {});
    await crashed;
    await again;
    assert.equal((await outcome(room.push('ping', {}))).status, 'ok');
  });

  test(`version ${vsn}: Supabase Realtime: broadcasts, tokens, their end`, { timeout: 20_000 }, async (t) => {
    const socket = await connect(t, vsn, { secret, apikey: 'anon' }, { apikey: 'anon' });
    const config = { broadcast: { ack: true, self: true } };
    const refused = socket.channel('realtime:wrong', { config, access_token: token(60, `${secret}!`) });
    const { status, response } = await outcome(refused.join());
    assert.equal(status, 'error');
    assert.match(String((response as { reason: string }).reason), /JwtSignatureError/);
    refused.leave();

    const channel = socket.channel('realtime:one', { config, access_token: token(2) });
    assert.equal((await outcome(channel.join())).status, 'ok');
    const own = next(channel, 'broadcast');
    const message = { type: 'broadcast', event: 'hello', payload: { a: 1 } };
    assert.deepEqual(await outcome(channel.push('broadcast', message)), { status: 'ok', response: {} });
    assert.deepEqual(await own, message);
    // Renewed before it ends, so it outlives its first token, and ends with the second.
    const ended = next(channel, 'system');
    const startedAt = Date.now();
    channel.push('access_token', { access_token: token(4) });
    assert.deepEqual(
      { ...(await ended), channel: undefined },
      { extension: 'system', status: 'error', message: 'Token has expired', channel: undefined },
    );
    assert.ok(Date.now() - startedAt > 2200, 'the channel ended with its first token');
  });
}

test('an upgrade without the API key is refused with 401', { timeout: 20_000 }, async (t) => {
  const server = await startPeer(t, 'phoenix', { apikey: 'anon' });
  const ws = new WebSocket(`${server.url}/realtime/v1/websocket?vsn=1.0.0`);
  const status = new Promise((resolve) => {
    ws.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode);
      response.destroy();
    });
  });
  assert.equal(await status, 401);
});
