// Conditions on messages, and JSON pointers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compileAny,
  compileMatcher,
  describeMatcher,
  type Matcher,
  matcherSchema,
  pathOf,
  pointerSchema,
  receivedText,
  valueAt,
} from '../../lib/target/matcher.ts';

// RFC 6901 §5
const example = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
};
// biome-ignore format: a table
const pointers: [pointer: string, value: unknown][] = [
  ['/foo', ['bar', 'baz']], ['/foo/0', 'bar'], ['/', 0], ['/a~1b', 1], ['/c%d', 2], ['/e^f', 3], ['/g|h', 4],
  ['/i\\j', 5], ['/k"l', 6], ['/ ', 7], ['/m~0n', 8], ['/~01', undefined], ['/foo/2', undefined], ['/foo/-', undefined],
  ['/foo/length', undefined], ['/constructor', undefined], ['/__proto__', undefined],
];
test('pointers: the examples of RFC 6901, and only own members', () => {
  for (const [pointer, value] of pointers) {
    assert.equal(pointerSchema.safeParse(pointer).success, true, pointer);
    assert.deepEqual(valueAt(example, pathOf(pointer)), value, pointer);
  }
  for (const wrong of ['', 'a', 'a/b', '/a~', '/a~2b'])
    assert.equal(pointerSchema.safeParse(wrong).success, false, wrong);
});

test('pointers: lead to every part of any JSON value, and nowhere else', { timeout: 60_000 }, () => {
  const walk = (value: unknown, pointer: string, visit: (pointer: string, value: unknown) => void): void => {
    if (pointer !== '') visit(pointer, value);
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      walk(inner, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, visit);
    }
  };
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.string()), (value, strange) => {
      walk(value, '', (pointer, inner) => {
        assert.equal(pointerSchema.safeParse(pointer).success, true);
        assert.equal(valueAt(value, pathOf(pointer)), inner);
      });
      assert.doesNotThrow(() => valueAt(value, strange));
    }),
  );
});

// biome-ignore format: a table
const rows: [matcher: Matcher, yes: string[], no: string[], words: string][] = [
  [{ equals: '2' }, ['2'], ['22', ' 2', ''], 'a message = "2"'],
  [{ starts: '0{' }, ['0{"sid":1}'], ['40{'], 'a message that starts with "0{"'],
  [{ matches: '^a(b|c)$' }, ['ab', 'ac'], ['abc', ''], 'a message that matches ^a(b|c)$'],
  [{ in: ['a', 'b'] }, ['a', 'b'], ['c', '"a"'], 'a message one of "a", "b"'],
  [{ pointer: '/t', equals: 'x' }, ['{"t":"x"}', ' {"u":1,"t":"x"}'], ['{"t":"y"}', '{}', 'x', '[]', 'null'], '/t = "x"'],
  [{ pointer: '/0', equals: 5 }, ['[5]'], ['["5"]', '{"1":5}', '5'], '/0 = 5'],
  [{ pointer: '/a', equals: null }, ['{"a":null}'], ['{}', '{"a":0}'], '/a = null'],
  [{ pointer: '/a', in: [1, true, null] }, ['{"a":1}', '{"a":true}', '{"a":null}'], ['{"a":"1"}', '{}'], '/a one of 1, true, null'],
  [{ pointer: '/a', exists: true }, ['{"a":null}', '{"a":0}'], ['{}', 'a', '"a"'], 'something at /a'],
  [{ pointer: '/a', exists: false }, ['{}', 'a', '[]'], ['{"a":null}'], 'nothing at /a'],
  [{ pointer: '/a', starts: 'x' }, ['{"a":"xy"}'], ['{"a":1}', 'x'], '/a that starts with "x"'],
  [{ pointer: '/a', matches: 'x' }, ['{"a":"axb"}'], ['{"a":["x"]}', 'x'], '/a that matches x'],
  [{ all: [{ pointer: '/m', exists: true }, { pointer: '/id', exists: false }] }, ['{"m":1}'], ['{"m":1,"id":2}', '{}'], 'something at /m and nothing at /id'],
];
for (const [matcher, yes, no, words] of rows) {
  test(`condition: ${words}`, () => {
    const holds = compileMatcher(matcherSchema.parse(matcher));
    for (const text of yes) assert.equal(holds(receivedText(text)), true, text);
    for (const text of no) assert.equal(holds(receivedText(text)), false, text);
    assert.equal(describeMatcher(matcher), words);
  });
}

test('conditions: any of several, none of none', () => {
  const any = compileAny([{ equals: 'a' }, { pointer: '/t', equals: 1 }]);
  assert.deepEqual(
    ['a', '{"t":1}', 'b'].map((text) => any(receivedText(text))),
    [true, true, false],
  );
  assert.equal(compileAny([])(receivedText('a')), false);
});

test('conditions: take any message', { timeout: 60_000 }, () => {
  const compiled = rows.map(([matcher]) => compileMatcher(matcher));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      for (const holds of compiled) assert.equal(typeof holds(receivedText(text)), 'boolean');
    }),
  );
});
