// Everything that a server and its clients said in an exchange stands in docs/asyncapi.yaml, where it says so and nowhere else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { asyncapi, fits, keysOf } from './asyncapi-document.ts';
import { eventually } from './redis-buses.ts';
import { listening } from './servers.ts';

interface Message {
  type: string;
  id?: string;
  payload?: Record<string, unknown>;
}

/** A connection to one channel that keeps what both sides said, in its order. */
class Recorded {
  readonly channel: string;
  readonly said: { by: 'client' | 'server'; message: Message }[] = [];
  readonly #socket: WebSocket;

  constructor(t: TestContext, server: ReferenceServer, channel: string, token?: string) {
    this.channel = channel;
    const url = server.url + asyncapi.channels[channel]?.address;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#socket = new WebSocket(url, { headers });
    this.#socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      this.said.push({ by: 'server', message });
      if (message.type === 'PING') this.say({ type: 'PONG', ...(message.id ? { id: message.id } : {}) });
    });
    t.after(() => this.#socket.terminate());
  }

  async opened(): Promise<this> {
    await once(this.#socket, 'open');
    return this;
  }

  say(message: Message): void {
    this.said.push({ by: 'client', message });
    this.#socket.send(JSON.stringify(message));
  }

  /** Says it, and waits for its answer. */
  async ask(type: string, id: string, payload?: Record<string, unknown>): Promise<Message> {
    const before = this.said.length;
    this.say({ type, id, ...(payload ? { payload } : {}) });
    return this.heard((message) => message.id === id && message.type !== 'PING', `answer to ${type}`, before);
  }

  async heard(wanted: (message: Message) => boolean, what: string, from = 0): Promise<Message> {
    const find = () => this.said.slice(from).find(({ by, message }) => by === 'server' && wanted(message));
    await eventually(() => find() !== undefined, what);
    return find()?.message as Message;
  }
}

/** The key of the one message among these that it is. */
function only(keys: readonly string[], message: Message): string {
  const fitting = keys.filter((key) => fits(key, message));
  const [key] = fitting;
  assert.ok(key !== undefined && fitting.length === 1, `${fitting} of ${keys}: ${JSON.stringify(message)}`);
  return key;
}

/** Holds an exchange against the operations of its channel, and tells which messages were in it. */
function judged({ channel, said }: Recorded): string[] {
  const own = Object.entries(asyncapi.operations).filter(([id]) => id.startsWith(`${channel}.`));
  const sent = own.flatMap(([, operation]) => (operation.action === 'send' ? [operation] : []));
  const asked = new Map<string, string[]>();
  return said.map(({ by, message }) => {
    const { type, id } = message;
    if (by === 'server') {
      const replies = id === undefined || type === 'PING' ? undefined : asked.get(id);
      return only(replies ?? sent.flatMap(keysOf), message);
    }
    const operation = asyncapi.operations[`${channel}.${type}`];
    if (!operation) {
      assert.equal(type, 'PONG');
      return only(
        sent.flatMap(({ reply }) => (reply ? keysOf(reply) : [])),
        message,
      );
    }
    assert.equal(operation.action, 'receive');
    if (id !== undefined) asked.set(id, operation.reply ? keysOf(operation.reply) : []);
    return only(keysOf(operation), message);
  });
}

test('an exchange of every kind of message is valid by docs/asyncapi.yaml', {
  timeout: 30_000,
}, async (t) => {
  const server = await listening(t, {
    limits: 'development',
    heartbeat: { intervalMs: 300, timeoutMs: 5000 },
  });
  const who = { sub: 'alice', tenant: 'acme' };
  const token = await server.mint(who);
  const guest = await new Recorded(t, server, 'ws').opened();
  const dashboard = await new Recorded(t, server, 'dashboard', token).opened();
  const agentToken = await server.mint({ ...who, roles: ['agent'], expiresInS: 30 });
  const agent = await new Recorded(t, server, 'agent', agentToken).opened();

  await guest.ask('PING', '1');
  await guest.ask('ECHO', '2', { deep: [{ er: null }] });
  assert.equal((await guest.ask('SUBSCRIBE', '3', { channel: 'news' })).type, 'ERROR');
  await guest.ask('AUTH', '4', { token });
  const { epoch } = (await guest.ask('SUBSCRIBE', '5', { channel: 'news' })).payload as { epoch: string };
  await guest.ask('PUBLISH', '6', { channel: 'news', data: [1] });
  assert.equal((await guest.ask('PUBLISH', '6', { channel: 'news', data: [1] })).payload?.duplicate, true);
  await guest.ask('SUBSCRIBE', '7', { channel: 'news', since: { epoch, offset: 0 } });
  await guest.ask('SUBSCRIBE', '8', { channel: 'news', since: { epoch: 'another', offset: 0 } });
  await guest.ask('UNSUBSCRIBE', '9', { channel: 'news' });
  await dashboard.ask('DASHBOARD_CONNECT', 'd1');
  await dashboard.ask('COMMAND', 'd2', { agentId: 'builder-1', command: 'build' });
  await agent.ask('AGENT_CONNECT', 'g1', { agentId: 'builder-1' });
  await agent.ask('AGENT_STATUS', 'g2', { status: 'busy', detail: 'compiling' });
  await dashboard.ask('COMMAND', 'd3', { agentId: 'builder-1', command: 'build', args: { all: true } });
  const command = await agent.heard(({ type }) => type === 'COMMAND', 'COMMAND');
  const { commandId } = command.payload as { commandId: string };
  await agent.ask('COMMAND_RESULT', 'g3', { commandId, status: 'ok', result: 42 });
  await dashboard.heard(({ type }) => type === 'COMMAND_RESULT', 'COMMAND_RESULT');
  for (const each of [guest, dashboard, agent]) await each.heard(({ type }) => type === 'PING', 'PING');
  for (let n = 0; n < 60; n++) guest.say({ type: 'PING', id: `f${n}` });
  await guest.heard(({ payload }) => payload?.code === 'RATE_LIMITED', 'RATE_LIMITED');
  void server.close();
  for (const each of [guest, dashboard, agent]) await each.heard(({ type }) => type === 'DRAIN', 'DRAIN');

  const seen = [guest, dashboard, agent].flatMap(judged);
  t.diagnostic(`${seen.length} messages`);
  const all = Object.keys(asyncapi.components.messages);
  assert.deepEqual(
    all.filter((key) => !seen.includes(key)),
    [],
  );
});
