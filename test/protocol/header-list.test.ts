// The grammar of Sec-WebSocket-Extensions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ExtensionElement, isToken, parseExtensions } from '../../lib/protocol/header-list.ts';

const element = (name: string, ...parameters: [string, string | true][]): ExtensionElement => ({
  name,
  parameters,
});

// biome-ignore format: a table
const rows: [text: string, result: ExtensionElement[] | undefined][] = [
  ['', []],
  ['foo', [element('foo')]],
  [' foo\t', [element('foo')]],
  ['foo, bar;baz=2', [element('foo'), element('bar', ['baz', '2'])]],
  ['foo; bar; baz', [element('foo', ['bar', true], ['baz', true])]],
  ['foo ;bar = 1', [element('foo', ['bar', '1'])]],
  ['foo;bar="1"', [element('foo', ['bar', '1'])]],
  ['foo;bar="\\1\\0"', [element('foo', ['bar', '10'])]],
  ['foo;a=1;a=2', [element('foo', ['a', '1'], ['a', '2'])]],
  ['foo,foo', [element('foo'), element('foo')]],
  ['foo,,bar', [element('foo'), element('bar')]],
  [', foo ,', [element('foo')]],
  ['foo;', undefined],
  ['foo;=1', undefined],
  ['foo;bar=', undefined],
  ['foo;bar=""', undefined],
  ['foo;bar="a b"', undefined],
  ['foo;bar="1', undefined],
  ['foo bar', undefined],
  ['foo;bar baz', undefined],
  ['"foo"', undefined],
  [';foo', undefined],
  ['foo;bar=1=2', undefined],
  ['föö', undefined],
];
for (const [text, result] of rows) {
  test(JSON.stringify(text), () => assert.deepEqual(parseExtensions(text), result));
}

test('what is a token', () => {
  for (const text of ['a', 'x-y_z.1', "!#$%&'*+.^_`|~"]) assert.ok(isToken(text), text);
  for (const text of ['', ' a', 'a b', 'a,b', 'a;b', '"a"', 'é', 'a/b', 'a\n'])
    assert.ok(!isToken(text), text);
});

test('any text is read or refused, in time', { timeout: 20_000 }, () => {
  const signs = fc.string({
    unit: fc.constantFrom('a', ';', ',', '=', '"', '\\', ' ', '\t'),
    maxLength: 200,
  });
  fc.assert(
    fc.property(signs, (text) => {
      const elements = parseExtensions(text);
      const written = elements?.map(({ name, parameters }) =>
        [name, ...parameters.map(([key, value]) => (value === true ? key : `${key}=${value}`))].join('; '),
      );
      // What was read and written is read alike.
      if (written) assert.deepEqual(parseExtensions(written.join(', ')), elements);
    }),
    { numRuns: 10_000 },
  );
  for (const sign of [' ', ',', 'a;', '"', '\\', 'a="', '; ']) parseExtensions(sign.repeat(100_000));
});
