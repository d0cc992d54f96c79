// Variables of target files: where they come from, what they may be made of, what they may not break.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactText } from '../../lib/result/redact.ts';
import { resolveTarget, targetAddress } from '../../lib/target/resolve.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { placeholdersIn, substitute } from '../../lib/target/template.ts';

function target(parts: object): Target {
  return targetSchema.parse({ name: 'x', request: 'hi', match: { by: 'order' }, ...parts });
}

function resolve(
  parts: object,
  given: Record<string, string> = {},
  env: Record<string, string> = {},
): Target {
  return resolveTarget(target(parts), { given, env });
}

test('variables: defaults, values of the command line, types', () => {
  const parts = {
    vars: { text: '1', list: [], flag: true, any: null },
    request: {
      a: '{{ text }}',
      b: '{{ list }}',
      c: '{{ flag }}',
      d: '{{ any }}',
      e: '<{{ list }}{{text}}>',
      f: '{{ id }}',
    },
  };
  assert.deepEqual(resolve(parts).request, { a: '1', b: [], c: true, d: null, e: '<[]1>', f: '{{ id }}' });
  const given = { text: '2', list: '[1,{"a":2}]', flag: 'no', any: '{"b":1}' };
  assert.deepEqual(resolve(parts, given).request, {
    a: '2',
    b: [1, { a: 2 }],
    c: 'no',
    d: { b: 1 },
    e: '<[1,{"a":2}]2>',
    f: '{{ id }}',
  });
});

test('variables: made of others, of the environment and of what a message brings', () => {
  const parts = {
    vars: { room: 'lobby', topic: 'room:{{ room }}', body: { n: '{{ seq }}', u: '{{ env.WHO }}' } },
    request: { t: '{{ topic }}', b: '{{ body }}' },
  };
  const filled = resolve(parts, { room: 'blue' }, { WHO: 'tester-7' });
  assert.deepEqual(filled.request, { t: 'room:blue', b: { n: '{{ seq }}', u: 'tester-7' } });
  assert.deepEqual(filled.vars, {
    room: 'blue',
    topic: 'room:blue',
    body: { n: '{{ seq }}', u: 'tester-7' },
  });
});

// biome-ignore format: a table
const wrong: [what: string, parts: object, given: Record<string, string>, code: string, message: RegExp][] = [
  ['unknown', { vars: { room: '' } }, { rom: '1' }, 'USAGE', /-e rom: the target "x" has no such variable; did you mean "room"\?/],
  ['none at all', {}, { a: '1' }, 'USAGE', /it has none/],
  ['no such environment', { request: '{{ env.NOPE }}' }, {}, 'CONFIG', /the environment has no NOPE, which \{\{ env.NOPE \}\} stands for/],
  ['of itself', { vars: { a: '' }, request: '{{ a }}' }, { a: '{{ a }}' }, 'CONFIG', /one level too many/],
  ['two levels', { vars: { a: '', b: '{{ c }}', c: '' } }, { a: '{{ b }}' }, 'CONFIG', /-e a: \{\{ b \}\} is made of \{\{ c \}\}/],
  ['unknown placeholder in a value', { vars: { a: '' }, request: 'x {{ a }}' }, { a: '{{ nope }}' }, 'CONFIG', /request: \{\{ nope \}\} means nothing here/],
  ['id outside of the request', { vars: { a: '' }, join: [{ send: '{{ a }}' }] }, { a: '{{ id }}' }, 'CONFIG', /join.0.send: .*belongs in the request/],
  ['line break in a header', { vars: { a: '' }, connect: { headers: { 'X-A': '{{ a }}' } } }, { a: 'b\r\nX-B: c' }, 'CONFIG', /connect.headers.X-A: its value has control characters/],
  ['subprotocol', { vars: { a: '' }, connect: { subprotocols: ['{{ a }}'] } }, { a: 'b c' }, 'CONFIG', /subprotocol cannot have/],
  ['too large', { vars: { a: '' }, request: '{{ a }}'.repeat(100) }, { a: 'x'.repeat(1_000_000) }, 'CONFIG', /larger than 16 MiB/],
];
for (const [what, parts, given, code, message] of wrong) {
  test(`variables: ${what} is refused`, () => {
    assert.throws(() => resolve(parts, given), { code, message });
  });
}

test('variables: texts stay texts, empty ones are left out of the upgrade', () => {
  const parts = {
    vars: { n: 5, none: '' },
    connect: {
      path: '/r/{{ n }}',
      query: { v: '{{ n }}', key: '{{ none }}', empty: '' },
      headers: { 'X-N': '{{ n }}', 'X-None': '{{ none }}' },
      subprotocols: ['v{{ n }}', '{{ none }}'],
    },
  };
  const { connect } = resolve(parts);
  assert.deepEqual(connect, {
    path: '/r/5',
    query: { v: '5', empty: '' },
    headers: { 'X-N': '5' },
    subprotocols: ['v5'],
  });
});

test('variables: secrets of the environment and of the file are masked from then on', () => {
  resolve(
    {
      vars: { password: 'file-hunter-1', plain: 'not-a-secret' },
      connect: { headers: { Authorization: 'Basic file-hunter-2' }, query: { key: '{{ env.KEY }}' } },
      join: [{ send: { type: 'login', secret: 'file-hunter-3' } }],
    },
    { password: 'given-hunter-4' },
    { KEY: 'env-hunter-5' },
  );
  const said = redactText('file-hunter-2 file-hunter-3 given-hunter-4 env-hunter-5 not-a-secret');
  assert.equal(said, '[redacted] [redacted] [redacted] [redacted] not-a-secret');
});

test('address: path when there is none, query beside what is there, signed parts untouched', () => {
  const described = target({ connect: { path: '/ws', query: { v: '1', w: 'a b' } } });
  assert.equal(targetAddress('ws://h', described), 'ws://h/ws?v=1&w=a%20b');
  assert.equal(targetAddress('ws://h/other?v=2&s=%2F+x', described), 'ws://h/other?v=2&s=%2F+x&w=a%20b');
  assert.equal(targetAddress('ws://h/', null), 'ws://h/');
});

test('template: every placeholder that is found is replaced, wherever it stands', { timeout: 60_000 }, () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('{{ a }}', 'x{{b}}y', '{{ a }}{{ c.d }}', '{{', '}}', '{{ }}'),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.constantFrom(null, 1, true),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('any'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).any;
  fc.assert(
    fc.property(value, (given) => {
      const before = structuredClone(given);
      const filled = substitute(given, () => 'z');
      assert.deepEqual(given, before);
      assert.deepEqual(
        placeholdersIn(filled).filter(({ path }) =>
          path.every((step) => (typeof step === 'string' ? !step.includes('{{') : true)),
        ),
        [],
      );
      assert.equal(JSON.stringify(substitute(given, () => undefined)), JSON.stringify(given));
      for (const { path, name } of placeholdersIn(given)) {
        const held = path.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], given);
        assert.match(String(held), /\{\{/);
        assert.doesNotMatch(name, /[{}\s]/);
      }
    }),
    { numRuns: 500 },
  );
});
