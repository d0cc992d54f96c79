// The requests of the checks: the same placeholders mean the same as under load.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestMaker } from '../../lib/checks/request-maker.ts';
import { renderMessage } from '../../lib/load/message.ts';
import { targetSchema } from '../../lib/target/target.ts';

// biome-ignore format: a table
const requests: [string, unknown, RegExp][] = [
  ['text', '{{ id }} {{ connection }} {{ token }}', /^[\w-]+ 3 a"b$/],
  ['a token for a subprotocol', '{{ id }} {{ token.base64url }}', /^[\w-]+ YSJi$/],
  ['JSON', { id: '{{ id }}', n: '{{ seq }}', c: '{{ connection }}', t: 'as {{ token }}' }, /^\{"id":"[\w-]+","n":1\d{12},"c":3,"t":"as a\\"b"\}$/],
];
for (const [name, request, expected] of requests) {
  test(`a request: ${name}`, () => {
    const target = targetSchema.parse({ name: 'x', request, match: { by: 'marker' } });
    const made = new RequestMaker(target, { token: 'a"b', connection: 3 }, () => 7).make();
    assert.match(made.text, expected);
    const underLoad = renderMessage({ target, sizeBytes: 0, binary: false }, 'a1b2c3d4', 'a"b', 3);
    assert.match(underLoad.template.bytes.toString(), expected);
  });
}
