import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readEnvelope as read } from '../../reference-server/envelope.ts';
import { guards } from '../../reference-server/guards.ts';

const { maxDepth } = guards;
const readEnvelope = (text: string) => read(text, maxDepth);

import { scanJson } from '../../reference-server/json-scan.ts';
import { clientMessages } from '../../reference-server/messages.ts';
import { typeHint } from '../../reference-server/type-hint.ts';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

// biome-ignore format: a table
const refused: [name: string, text: string, code: string, id?: string][] = [
  ['nothing',               '',                                              'INVALID_JSON'],
  ['not JSON',              'hello',                                         'INVALID_JSON'],
  ['half an object',        '{"type":"PING"',                                'INVALID_JSON'],
  ['an array',              '[]',                                            'INVALID_MESSAGE'],
  ['null',                  'null',                                          'INVALID_MESSAGE'],
  ['a number',              '1e400',                                         'INVALID_MESSAGE'],
  ['no type',               '{"id":"1"}',                                    'INVALID_MESSAGE', '1'],
  ['a type that is no text','{"type":1,"id":"1"}',                           'INVALID_MESSAGE', '1'],
  ['a numeric id',          '{"type":"PING","id":1}',                        'INVALID_MESSAGE'],
  ['an empty id',           '{"type":"PING","id":""}',                       'INVALID_MESSAGE'],
  ['an id of 65',           `{"type":"PING","id":"${'x'.repeat(65)}"}`,      'INVALID_MESSAGE'],
  ['null as id',            '{"type":"PING","id":null}',                     'INVALID_MESSAGE'],
  ['a text timestamp',      '{"type":"PING","id":"1","timestamp":"now"}',    'INVALID_MESSAGE', '1'],
  ['an unknown type',       '{"type":"NOPE_AT_ALL","id":"1"}',               'UNKNOWN_TYPE',    '1'],
  ['a server type',         '{"type":"WELCOME","id":"1"}',                   'UNKNOWN_TYPE',    '1'],
  ['constructor',           '{"type":"constructor","id":"1"}',               'UNKNOWN_TYPE',    '1'],
  ['__proto__',             '{"type":"__proto__","id":"1"}',                 'UNKNOWN_TYPE',    '1'],
  ['toString',              '{"type":"toString","id":"1"}',                  'UNKNOWN_TYPE',    '1'],
  ['an inherited type',     '{"__proto__":{"type":"PING"},"id":"1"}',        'INVALID_MESSAGE', '1'],
  ['no payload',            '{"type":"SUBSCRIBE","id":"1"}',                 'INVALID_MESSAGE', '1'],
  ['a bad channel',         '{"type":"SUBSCRIBE","id":"1","payload":{"channel":"a b"}}', 'INVALID_MESSAGE', '1'],
  ['too deep',              `{"type":"ECHO","id":"1","payload":${nested(64)}}`,     'TOO_DEEP', '1'],
  ['far too deep',          `{"type":"ECHO","id":"1","payload":${nested(30_000)}}`, 'TOO_DEEP', '1'],
];

for (const [name, text, code, id] of refused) {
  test(`${name}: ${code}`, () => {
    const envelope = readEnvelope(text);
    assert.ok(!envelope.ok);
    assert.equal(envelope.code, code);
    assert.equal(envelope.id, id);
  });
}

test('ids of 1 and 64 characters, unknown fields and the deepest allowed nesting are accepted', () => {
  for (const id of ['x', 'x'.repeat(64)])
    assert.ok(readEnvelope(JSON.stringify({ type: 'PING', id, more: 1 })).ok);
  assert.ok(readEnvelope(`{"type":"ECHO","payload":${nested(maxDepth - 1)}}`).ok);
});

test('brackets in strings do not count as depth', () => {
  assert.equal(scanJson(JSON.stringify({ a: '[[[[\\"{{{', b: ['}'] })).depth, 2);
  assert.ok(readEnvelope(JSON.stringify({ type: 'ECHO', payload: '['.repeat(1000) })).ok);
});

test('depth agrees with a recursive count on any JSON', () => {
  const depth = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
  fc.assert(fc.property(fc.jsonValue(), (value) => scanJson(JSON.stringify(value)).depth === depth(value)));
});

test('any text yields a verdict, never an exception', () => {
  fc.assert(fc.property(fc.string(), (text) => typeof readEnvelope(text).ok === 'boolean'));
  fc.assert(fc.property(fc.json(), (text) => typeof readEnvelope(text).ok === 'boolean'));
});

for (const [type, hint] of [
  ['heartbeat:ping', 'PING'],
  ['ping', 'PING'],
  ['Ping', 'PING'],
  ['heartbeat', 'PING'],
  ['PIGN', undefined],
  ['PIN', 'PING'],
  ['dashboard:connect', 'DASHBOARD_CONNECT'],
  ['DashboardConnect', 'DASHBOARD_CONNECT'],
  ['SUBSCIRBE', 'SUBSCRIBE'],
  ['unsubscribed', 'UNSUBSCRIBE'],
  ['authenticate', 'AUTH'],
  ['constructor', undefined],
  ['', undefined],
  ['XYZZY', undefined],
] as const) {
  test(`"${type}" ${hint ? `means ${hint}` : 'means nothing known'}`, () => {
    assert.equal(typeHint(type, Object.keys(clientMessages)), hint);
  });
}
