// docs/asyncapi.yaml is a valid AsyncAPI document, says what the schemas say, and nothing else passes between server and clients.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { closes } from '../../reference-server/close-codes.ts';
import { readEnvelope } from '../../reference-server/envelope.ts';
import { guards } from '../../reference-server/guards.ts';
import { clientMessages, type ServerType, serverMessages } from '../../reference-server/messages.ts';
import { asyncapiText as written } from '../../tools/asyncapi-text.ts';
import { asyncapi, asyncapiText, fits, keysOf, protocolText, resolve } from './asyncapi-document.ts';

const require = createRequire(import.meta.url);
const messages = Object.entries(asyncapi.components.messages);
const isOfClient = (key: string): boolean => key.startsWith('client.');

/** What our own schemas say of a message; they are the ones that the server goes by. */
function fitsZod(key: string, name: string, value: unknown): boolean {
  if (isOfClient(key)) {
    const envelope = readEnvelope(JSON.stringify(value), guards.maxDepth);
    return envelope.ok && envelope.type === name;
  }
  const isAsked = !key.startsWith('ack.') || key === `ack.${forOf(value)}`;
  return isAsked && serverMessages[name as ServerType].safeParse(value).success;
}

function forOf(value: unknown): unknown {
  return (value as { payload?: { for?: unknown } | null } | null)?.payload?.for;
}

test('docs/asyncapi.yaml is what the tool writes', () => {
  assert.ok(asyncapiText === written(protocolText), 'run: node dist/tools/write-asyncapi.js');
});

test('docs/asyncapi.yaml is valid by the official schema of AsyncAPI 3.0', { timeout: 20_000 }, () => {
  const official = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object;
  // The schema of others: not by the strict rules for ours, and with formats that only say what kind of text it is.
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(official);
  assert.ok(validate(asyncapi), JSON.stringify(validate.errors));
  assert.ok(!validate({ ...asyncapi, channels: { ws: { address: 1 } } }));
});

test('docs/asyncapi.yaml: references lead somewhere, operations use the messages of their channel, all of them', () => {
  const follow = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('$ref' in value) resolve(value as { $ref: string });
    for (const each of Object.values(value)) follow(each);
  };
  follow(asyncapi);
  for (const [name, channel] of Object.entries(asyncapi.channels)) {
    const own = Object.entries(asyncapi.operations).filter(([id]) => id.startsWith(`${name}.`));
    const used = own.flatMap(([id, operation]) =>
      [operation, ...(operation.reply ? [operation.reply] : [])].flatMap((listed) => {
        assert.equal(listed.channel.$ref, `#/channels/${name}`, id);
        for (const { $ref } of listed.messages)
          assert.ok($ref.startsWith(`#/channels/${name}/messages/`), $ref);
        return keysOf(listed);
      }),
    );
    assert.deepEqual([...new Set(used)].sort(), Object.keys(channel.messages).sort(), name);
  }
  assert.deepEqual(
    Object.values(asyncapi.channels).map(({ address }) => address),
    ['/ws', '/ws/dashboard', '/ws/agent'],
  );
});

test('docs/asyncapi.yaml has every message, and its examples are messages', () => {
  const names = (isClient: boolean): string[] => [
    ...new Set(messages.filter(([key]) => isOfClient(key) === isClient).map(([, { name }]) => name)),
  ];
  assert.deepEqual(names(true).sort(), Object.keys(clientMessages).sort());
  assert.deepEqual(names(false).sort(), Object.keys(serverMessages).sort());
  for (const [key, { name, examples }] of messages) {
    assert.ok(examples.length > 0, `${key} has no example`);
    for (const { payload } of examples) {
      assert.ok(fitsZod(key, name, payload), `${key}: ${JSON.stringify(payload)}`);
      const fitting = messages.filter(
        ([other]) => isOfClient(other) === isOfClient(key) && fits(other, payload),
      );
      assert.deepEqual(
        fitting.map(([other]) => other),
        [key],
        JSON.stringify(payload),
      );
    }
  }
});

/** The value with one thing changed, in every way that is tried. */
function* changed(value: unknown): Generator<unknown> {
  // 1e300 and not 2 ** 53: integers that a double rounds are refused wherever they stand, which no schema can say.
  yield* [null, true, -1, 1.5, 1e300, '', 'wrong!', 'x'.repeat(65), 'x'.repeat(257), [], {}, ['x']];
  if (typeof value !== 'object' || value === null) return;
  const isArray = Array.isArray(value);
  for (const [name, inner] of Object.entries(value)) {
    for (const other of changed(inner))
      yield isArray ? value.with(Number(name), other) : { ...value, [name]: other };
    if (!isArray) {
      const { [name]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
    }
  }
  if (!isArray) yield { ...value, another: 1 };
}

test('docs/asyncapi.yaml and the server agree on what is no message', { timeout: 20_000 }, (t) => {
  const counts = { good: 0, bad: 0 };
  for (const [key, { name, examples }] of messages) {
    for (const { payload } of examples) {
      for (const message of changed(payload)) {
        const isGood = fitsZod(key, name, message);
        assert.equal(fits(key, message), isGood, `${key}: ${JSON.stringify(message)}`);
        counts[isGood ? 'good' : 'bad'] += 1;
      }
    }
  }
  t.diagnostic(`${counts.good} messages that both take, ${counts.bad} that both refuse`);
  assert.ok(counts.good > 500 && counts.bad > 1000, JSON.stringify(counts));
});

test('docs/asyncapi.yaml has every close code, and the refusals of docs/protocol.md', () => {
  for (const { code, reason } of Object.values(closes)) {
    const row = asyncapi['x-close-codes'].find((each) => each.code === code);
    assert.ok(row?.reasons.includes(reason), `${code} ${reason}`);
  }
  const paragraph = /^A handshake is refused[\s\S]*?\n\n/m.exec(protocolText)?.[0] ?? '';
  const statuses = [...new Set(paragraph.match(/\b[45]\d\d\b/g)?.map(Number))].sort();
  assert.ok(statuses.length > 10);
  assert.deepEqual(
    asyncapi['x-handshake-refusals'].map(({ status }) => status),
    statuses,
  );
});
