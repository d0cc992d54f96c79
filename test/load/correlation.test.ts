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

const marker: CorrelationRules = { by: 'marker', prefix: 'tag-', markerAt: 8 };
const bare: CorrelationRules = { by: 'marker', prefix: '', markerAt: 3 };
const id: CorrelationRules = {
  by: 'id',
  prefix: 'tag-',
  markerAt: 0,
  pointer: '/id',
  error: typedTarget.error,
  push: typedTarget.push,
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
  ['bare digits in their place', bare, 'n: 000000000001', 1, null],
  ['bare digits elsewhere', bare, 'number 000000000001.', 1, null],
  ['an id', id, '{"type":"ECHO","id":"tag-000000000003"}', 3, null],
  ['an id after white space', id, ' \n{"id":"tag-000000000003"}', 3, null],
  ['an id with an escape', id, '{"id":"tag\\u002d000000000003"}', 3, null],
  ['an id only in the payload', id, '{"payload":{"id":"tag-000000000003"}}', noNumber, null],
  ['an id that is a number', id, '{"id":3}', noNumber, null],
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
  ];
  for (const plan of plans) {
    const message = renderMessage(plan, 'a1b2c3d4');
    const { match } = plan.target;
    const correlator = new Correlator({ ...message, pointer: match.by === 'id' ? match.pointer : undefined });
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

// biome-ignore format: a table
const rendered: [string, Parameters<typeof renderMessage>[0], string, string, string[]][] = [
  ['padded', { target: echoTarget, sizeBytes: 32, binary: false }, 'wsbench tag-000000000000 abcdefg', 'marker', []],
  ['just fitting', { target: echoTarget, sizeBytes: 25, binary: false }, 'wsbench tag-000000000000 ', 'marker', []],
  ['too small for a number', { target: echoTarget, sizeBytes: 24, binary: false }, 'abcdefghijklmnopqrstuvwx', 'order', ['small-message']],
  ['JSON needs what it needs', { target: typedTarget, sizeBytes: 1, binary: false }, '{"type":"ECHO","id":"tag-000000000000","payload":{"pad":""}}', 'id', ['message-size']],
  ['own text without a number', { target: typedTarget, sizeBytes: 32, binary: false, message: 'hi' }, 'hi', 'order', ['no-marker']],
  ['an id is wanted, not a seq', { target: typedTarget, sizeBytes: 32, binary: false, message: '{{ seq }}' }, '000000000000', 'order', ['no-marker']],
];
for (const [name, plan, text, by, codes] of rendered) {
  test(`a message: ${name}`, () => {
    const message = renderMessage(plan, 'tag');
    assert.equal(message.template.bytes.toString(), text);
    assert.equal(message.by, by);
    assert.deepEqual(
      message.warnings.map((warning) => warning.code),
      codes,
    );
  });
}
