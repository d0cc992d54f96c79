// Typed refusals, and conditions that are any of several. Pure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileMatcher, describeMatcher, matcherSchema, receivedText } from '../../lib/target/matcher.ts';
import { compileRefusal } from '../../lib/target/refusal.ts';

const either = {
  any: [
    { pointer: '/type', equals: 'error' },
    { pointer: '/payload/errors', exists: true as const },
  ],
};

// biome-ignore format: a table
const rows: [string, string | string[] | undefined, string | null][] = [
  ['{"type":"error","payload":[{"message":"no"}]}', ['/payload/0/message', '/payload/errors/0/message'], 'no'],
  ['{"type":"next","payload":{"errors":[{"message":"broken"}]}}', ['/payload/0/message', '/payload/errors/0/message'], 'broken'],
  ['{"type":"next","payload":{"data":{}}}', '/type', null],
  ['{"type":"error","code":-32601}', '/code', '-32601'],
  ['{"type":"error","code":""}', '/code', ''],
  ['{"type":"error","code":{}}', '/code', ''],
  ['{"type":"error"}', undefined, ''],
  ['error', undefined, null],
];
for (const [text, code, refusal] of rows) {
  test(`${text} with its code at ${code}: ${refusal}`, () => {
    assert.equal(
      compileRefusal({ ...either, ...(code === undefined ? {} : { code }) })(receivedText(text)),
      refusal,
    );
  });
}

test('nothing is a refusal where none is described', () => {
  assert.equal(compileRefusal(undefined)(receivedText('{"type":"error"}')), null);
});

test('any of several conditions: met by one, said in words, checked', () => {
  const matches = compileMatcher(matcherSchema.parse(either));
  assert.equal(matches(receivedText('{"type":"error"}')), true);
  assert.equal(matches(receivedText('{"type":"next"}')), false);
  assert.equal(describeMatcher(either), '/type = "error" or something at /payload/errors');
  for (const wrong of [
    { any: [] },
    { any: [{ pointer: '/a' }] },
    { any: [{ starts: 'a' }], equals: 'b' },
    { any: [{ starts: 'a' }], pointer: '/b' },
  ]) {
    assert.equal(matcherSchema.safeParse(wrong).success, false, JSON.stringify(wrong));
  }
});
