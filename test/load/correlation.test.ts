// Finding the request that a reply answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CorrelationRules, Correlator, inOrder, noNumber, pushed } from '../../lib/load/correlation.ts';
import { renderMessage } from '../../lib/load/message.ts';
import { MessageView } from '../../lib/load/message-view.ts';
import { echoTarget, typedTarget } from '../fixtures/stress-plan.ts';

// One for all, as in a run.
const view = new MessageView();

const marker: CorrelationRules = { by: 'marker', prefixes: ['tag-'], markerAt: 8 };
const bare: CorrelationRules = { by: 'marker', prefixes: ['1'], markerAt: 3 };
const id: CorrelationRules = {
  by: 'id',
  prefixes: ['tag-'],
  markerAt: 0,
  pointer: '/id',
  error: typedTarget.error,
  push: typedTarget.push,
};
const seqId: CorrelationRules = { ...id, prefixes: ['1'] };
const both: CorrelationRules = { ...id, prefixes: ['tag-', '1'] };
const regex: CorrelationRules = { by: 'regex', prefixes: ['1'], markerAt: 2, pattern: '^43(\\d+)\\[' };
const rpc: CorrelationRules = {
  ...id,
  error: { pointer: '/error', exists: true, code: '/error/code' },
  push: [],
};
const textual: CorrelationRules = {
  ...marker,
  error: { starts: 'ERR ' },
  push: [{ equals: '2' }],
};
const deep: CorrelationRules = { ...id, pointer: '/a~1b/0/m~0n' };
const order: CorrelationRules = { ...id, by: 'order', pointer: undefined };

// biome-ignore format: a table
const cases: [string, CorrelationRules, string, number, string | null][] = [
  ['a marker in its place', marker, 'wsbench tag-000000000042 abc', 42, null],
  ['a marker elsewhere', marker, '{"echo":"wsbench tag-000000000042"}', 42, null],
  ['a marker after a broken one', marker, 'wsbench tag-00000 tag-000000000007', 7, null],
  ['another run’s marker', marker, 'wsbench gat-000000000042 abc', noNumber, null],
  ['a marker cut off', marker, 'wsbench tag-00000000004', noNumber, null],
  ['no marker', marker, 'hello', noNumber, null],
  ['nothing', marker, '', noNumber, null],
  ['a seq in its place', bare, 'n: 1000000000001', 1, null],
  ['a seq elsewhere', bare, '{"number":1000000000001}', 1, null],
  ['a seq in quotes', bare, '{"number":"1000000000001"}', 1, null],
  ['a seq after the time of day', bare, '{"at":1732345678901,"number":1000000000001}', 1, null],
  ['a seq within more digits', bare, '{"at":"11000000000001","or":10000000000010}', noNumber, null],
  ['digits that are no seq', bare, 'n: 0000000000001', noNumber, null],
  ['an id', id, '{"type":"ECHO","id":"tag-000000000003"}', 3, null],
  ['an id after white space', id, ' \n{"id":"tag-000000000003"}', 3, null],
  ['an id with an escape', id, '{"id":"tag\\u002d000000000003"}', 3, null],
  ['an id only in the payload', id, '{"payload":{"id":"tag-000000000003"}}', noNumber, null],
  ['an id that is a number', id, '{"id":3}', noNumber, null],
  ['a seq where an id is wanted', id, '{"id":1000000000003}', noNumber, null],
  ['an id that is a seq', seqId, '{"id":1000000000003}', 3, null],
  ['an id that is a seq as text', seqId, '{"id":"1000000000003"}', 3, null],
  ['an id that is a number, and no seq', seqId, '{"id":3}', noNumber, null],
  ['an id that is nearly a seq', seqId, '{"id":1000000000003.5}', noNumber, null],
  ['either', both, '{"id":1000000000003}', 3, null],
  ['or', both, '{"id":"tag-000000000003"}', 3, null],
  ['by a pattern', regex, '43000000000007[{}]', noNumber, null],
  ['by a pattern, a seq', regex, '431000000000007[{}]', 7, null],
  ['by a pattern, nothing found', regex, '42["news"]', noNumber, null],
  ['a refusal whose code is a number', rpc, '{"id":"tag-000000000003","error":{"code":-32601}}', 3, '-32601'],
  ['a refusal without a name or code', rpc, '{"id":"tag-000000000003","error":{}}', 3, 'error'],
  ['a push by text', textual, '2', pushed, null],
  ['a refusal by text', textual, 'ERR full tag-000000000004', 4, 'error'],
  ['a reply beside conditions on text', textual, 'OK tag-000000000004', 4, null],
  ['where pongs are replies', { ...id, by: 'pong' }, '{"id":"tag-000000000003"}', pushed, null],
  ['an id with more behind it', id, '{"id":"tag-0000000000031"}', noNumber, null],
  ['no JSON', id, '{"id":', noNumber, null],
  ['an array', id, '[]', noNumber, null],
  ['null', id, 'null', noNumber, null],
  ['an id by a pointer with escapes and an index', deep, '{"a/b":[{"m~n":"tag-000000000009"}]}', 9, null],
  ['a refusal', id, '{"type":"ERROR","id":"tag-000000000003","payload":{"code":"RATE_LIMITED"}}', 3, 'RATE_LIMITED'],
  ['a refusal without a code', id, '{"type":"ERROR","id":"tag-000000000003"}', 3, 'ERROR'],
  ['a refusal of nobody knows what', id, '{"type":"ERROR","payload":{"code":"TOO_LARGE"}}', noNumber, 'TOO_LARGE'],
  ['a push', id, '{"type":"PING","id":"tag-000000000003"}', pushed, null],
  ['__proto__ is no path', { ...id, pointer: '/__proto__/id' }, '{"id":"tag-000000000003"}', noNumber, null],
  ['in order', order, 'anything', inOrder, null],
  ['a push in order', order, '{"type":"PING"}', pushed, null],
  ['a refusal in order', order, '{"type":"ERROR","payload":{"code":"X"}}', inOrder, 'X'],
];

for (const [name, rules, text, number, refusal] of cases) {
  test(name, () => {
    const correlator = new Correlator(rules);
    // Other messages may lie before and after it in the same buffer.
    const before = 'tag-000000000099{';
    const buf = Buffer.from(`${before}${text}tag-000000000098`);
    const start = Buffer.byteLength(before);
    view.hold(buf, start, start + Buffer.byteLength(text));
    assert.equal(correlator.read(view), number);
    assert.equal(correlator.refusal, refusal);
  });
}

test('any number survives the way into a message and back', () => {
  const plans = [
    { target: echoTarget, sizeBytes: 64, binary: false },
    { target: typedTarget, sizeBytes: 64, binary: false },
    { target: echoTarget, sizeBytes: 0, binary: true, message: '🧪 {{seq}} {{ pad }}' },
    { target: typedTarget, sizeBytes: 0, binary: false, message: '{"id":{{ seq }}}' },
    { target: { ...typedTarget, request: { n: 1, id: '{{ seq }}' } }, sizeBytes: 0, binary: false },
    {
      target: { ...typedTarget, match: { by: 'regex' as const, pattern: '"id":"([^"]+)"', repeats: false } },
      sizeBytes: 0,
      binary: false,
    },
  ];
  for (const plan of plans) {
    const message = renderMessage(plan, 'a1b2c3d4');
    const { match } = plan.target;
    const correlator = new Correlator({ ...match, ...message });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (seq) => {
        message.template.stamp(seq);
        const { bytes } = message.template;
        view.hold(bytes, 0, bytes.length);
        assert.equal(correlator.read(view), seq);
      }),
    );
  }
});

test('a number is stamped as its decimal digits, whatever was stamped before', () => {
  const message = '{{ id }} {{ seq }} {{ id }}';
  const { template } = renderMessage({ target: echoTarget, sizeBytes: 0, binary: false, message }, 'tag');
  const number = fc.oneof(
    fc.integer({ min: 0, max: 999_999_999_999 }),
    fc.integer({ min: 0, max: 20 }),
    // Where a group of digits, or a number of 32 bits, ends.
    fc.constantFrom(9999, 10_000, 99_999_999, 100_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 21_474_836_479_999),
  );
  fc.assert(
    fc.property(fc.array(number, { minLength: 1 }), (seqs) => {
      for (const seq of seqs.map((one) => one % 10 ** 12)) {
        template.stamp(seq);
        const digits = String(seq).padStart(12, '0');
        assert.equal(template.bytes.toString(), `tag-${digits} 1${digits} tag-${digits}`);
      }
    }),
  );
});

// biome-ignore format: a table
const rendered: [string, Parameters<typeof renderMessage>[0], string, string, string[]][] = [
  ['padded', { target: echoTarget, sizeBytes: 32, binary: false }, 'wsbench tag-000000000000 abcdefg', 'marker', []],
  ['just fitting', { target: echoTarget, sizeBytes: 25, binary: false }, 'wsbench tag-000000000000 ', 'marker', []],
  ['too small for a number', { target: echoTarget, sizeBytes: 24, binary: false }, 'abcdefghijklmnopqrstuvwx', 'order', ['small-message']],
  ['JSON needs what it needs', { target: typedTarget, sizeBytes: 1, binary: false }, '{"type":"ECHO","id":"tag-000000000000","payload":{"pad":""}}', 'id', ['message-size']],
  ['own text without a number', { target: typedTarget, sizeBytes: 32, binary: false, message: 'hi' }, 'hi', 'order', ['no-marker']],
  ['a seq is an id, too', { target: typedTarget, sizeBytes: 32, binary: false, message: '{"id":{{ seq }}}' }, '{"id":1000000000000}', 'id', []],
  ['a seq that is a whole value is a number', { target: { ...typedTarget, request: { id: '{{ seq }}', as: 'n{{ seq }}', '{{ seq }}': 1 } }, sizeBytes: 0, binary: false }, '{"id":1000000000000,"as":"n1000000000000","1000000000000":1}', 'id', []],
  ['a token', { target: { ...typedTarget, request: { id: '{{ id }}', key: 'T {{ token }}' } }, sizeBytes: 0, binary: false }, '{"id":"tag-000000000000","key":"T a\\"b"}', 'id', []],
  ['no room for a number where each connection has its own', { target: { ...echoTarget, request: '{{ token }} {{ id }}' }, sizeBytes: 4, binary: false }, 'a"b tag-000000000000', 'marker', ['message-size']],
  ['a token for a subprotocol', { target: { ...typedTarget, request: '{{ id }} {{ token.base64url }} {{ connection }}' }, sizeBytes: 0, binary: false }, 'tag-000000000000 YSJi 0', 'id', []],
  ['no number is needed for pongs', { target: { ...typedTarget, match: { by: 'pong' } }, sizeBytes: 0, binary: false, message: 'hi' }, 'hi', 'pong', []],
];
for (const [name, plan, text, by, codes] of rendered) {
  test(`a message: ${name}`, () => {
    const message = renderMessage(plan, 'tag', 'a"b');
    assert.equal(message.template.bytes.toString(), text);
    assert.equal(message.by, by);
    assert.deepEqual(
      message.warnings.map((warning) => warning.code),
      codes,
    );
  });
}
