import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { closes } from '../../reference-server/close-codes.ts';
import type { ReferenceServer } from '../../reference-server/index.ts';
import {
  acks,
  clientMessages,
  errorCodes,
  type ServerType,
  serverMessages,
} from '../../reference-server/messages.ts';
import { type Block, blocksOf } from '../../tools/protocol-document.ts';
import { Client } from './client.ts';
import { listening } from './servers.ts';

// From dist/test/reference-server to the root of the package.
const text = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

const blocks = blocksOf(text);
const placeholder = /^<(\w+)>$/;

/** Puts what was seen before in the place of `<name>`. */
function filled(value: unknown, seen: ReadonlyMap<string, string>): unknown {
  return JSON.parse(JSON.stringify(value), (_key, item: unknown) => {
    const name = typeof item === 'string' ? placeholder.exec(item)?.[1] : undefined;
    if (name === undefined) return item;
    const known = seen.get(name);
    assert.ok(known !== undefined, `<${name}> is used before it is known`);
    return known;
  });
}

/** The same fields, types and texts; learns what stands in the place of `<name>`. */
function assertAlike(real: unknown, example: unknown, seen: Map<string, string>, path: string): void {
  if (typeof example === 'string') {
    assert.equal(typeof real, 'string', path);
    const name = placeholder.exec(example)?.[1];
    if (name === undefined || seen.has(name))
      assert.equal(real, name === undefined ? example : seen.get(name), path);
    else seen.set(name, String(real));
  } else if (Array.isArray(example)) {
    assert.ok(Array.isArray(real) && real.length === example.length, path);
    for (const [index, item] of example.entries()) assertAlike(real[index], item, seen, `${path}/${index}`);
  } else if (typeof example === 'object' && example !== null) {
    const object = real as Record<string, unknown>;
    assert.deepEqual(Object.keys(object).sort(), Object.keys(example).sort(), path);
    for (const [key, item] of Object.entries(example)) assertAlike(object[key], item, seen, `${path}/${key}`);
  } else assert.equal(typeof real, typeof example, path);
}

async function connect(server: ReferenceServer, persona: string): Promise<Client> {
  const who = { sub: persona, tenant: 'acme' };
  if (persona === 'guest') return Client.open(`${server.url}/ws`);
  if (persona === 'agent')
    return Client.open(`${server.url}/ws/agent`, await server.mint({ ...who, roles: ['agent'] }));
  if (persona === 'brief')
    return Client.open(`${server.url}/ws`, await server.mint({ ...who, expiresInS: 30 }));
  return Client.open(`${server.url}/ws/dashboard`, await server.mint(who));
}

test('docs/protocol.md is what happens', { timeout: 30_000 }, async (t) => {
  const server = await listening(t, {
    limits: 'development',
    heartbeat: { intervalMs: 300, timeoutMs: 5000 },
  });
  const seen = new Map([['token', await server.mint({ sub: 'guest' })]]);
  const clients = new Map<string, Client>();
  for (const { from, persona, times, line, message } of blocks) {
    const client = clients.get(persona) ?? (await connect(server, persona));
    clients.set(persona, client);
    if (from === 'client') {
      for (let n = 0; n < times; n++) client.send(filled(message, seen));
      continue;
    }
    if (message.type === 'DRAIN') void server.close();
    const id = message.id !== undefined && placeholder.test(message.id) ? undefined : message.id;
    const real = await client.take(
      (candidate) => candidate.type === message.type && (id === undefined || candidate.id === id),
      `${message.type} of line ${line}`,
    );
    assertAlike(real, message, seen, `line ${line} ${message.type}`);
  }
  for (const [persona, client] of clients) {
    await client.closed;
    const unread = client.inbox.filter(({ type }) => !['WELCOME', 'PING', 'DRAIN', 'PONG'].includes(type));
    const allowed = persona === 'dashboard' ? ['AGENT_STATUS'] : [];
    assert.deepEqual(
      unread.filter(({ type }) => !allowed.includes(type)),
      [],
      `${persona} got more than documented`,
    );
  }
});

test('every example fits its schema', () => {
  for (const { from, line, message } of blocks) {
    const schema =
      from === 'server'
        ? serverMessages[message.type as ServerType]
        : Object.hasOwn(clientMessages, message.type)
          ? clientMessages[message.type as keyof typeof clientMessages]
          : undefined;
    if (schema) assert.ok(schema.safeParse(message).success, `line ${line}`);
    else assert.equal(message.type, 'heartbeat:ping', `line ${line}`);
  }
});

test('every message, ACK, error code and close code is documented', () => {
  const has = (from: Block['from'], type: string): boolean =>
    blocks.some((block) => block.from === from && block.message.type === type);
  for (const type of Object.keys(clientMessages)) assert.ok(has('client', type), `client ${type}`);
  for (const type of Object.keys(serverMessages)) assert.ok(has('server', type), `server ${type}`);
  for (const type of Object.keys(acks)) {
    const documented = blocks.some(({ message }) => message.type === 'ACK' && message.payload?.for === type);
    assert.ok(documented, `ACK for ${type}`);
  }
  for (const code of errorCodes) assert.match(text, new RegExp(`^\\| \`${code}\` +\\|`, 'm'));
  for (const { code, reason } of Object.values(closes)) {
    const row = text.split('\n').find((line) => new RegExp(`^\\| ${code} +\\|`).test(line));
    assert.ok(row?.includes(`\`${reason}\``), `${code} ${reason}`);
  }
});
