// What is said before a connection counts as open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TokenPlace } from '../../lib/target/credential.ts';
import { receivedText } from '../../lib/target/matcher.ts';
import { Opening, OpeningPlan } from '../../lib/target/opening.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';

const header: TokenPlace = { in: 'header' };
const message: TokenPlace = { in: 'message' };

function target(parts: object): Target {
  return targetSchema.parse({ name: 'x', request: 'hi', match: { by: 'order' }, ...parts });
}

/** What is sent, line by line, at the start and after each message; then the state. */
function play(
  described: Target | null,
  place: TokenPlace,
  token: string | undefined,
  messages: string[],
): unknown[] {
  const opening = new Opening(new OpeningPlan(described, place, token !== undefined), {
    token,
    connection: 7,
  });
  const sent = [opening.start(), ...messages.map((text) => opening.receive(receivedText(text)))];
  return [...sent, opening.state];
}

const ack = { pointer: '/t', equals: 'ack' };
const no = { pointer: '/t', equals: 'no' };
const login = { send: { t: 'login', token: '{{ token }}', n: '{{ connection }}' }, expect: ack, refuse: no };
const loginText = '{"t":"login","token":"T","n":7}';
const withMessage = target({ auth: { in: 'message', message: login }, join: [{ send: 'join' }] });
const challenge = target({
  join: [
    { expect: { pointer: '/nonce', exists: true } },
    {
      send: { answer: '{{ /nonce }}', deep: '{{ /a/0 }}', none: '{{ /b }}', text: 'x{{ /nonce }}' },
      expect: ack,
    },
  ],
});
const optional = target({
  vars: { room: '', list: [] },
  join: [
    { if: 'token', send: 'with' },
    { unless: 'token', send: 'without' },
    { if: 'room', send: 'room' },
    { unless: 'room', send: 'lobby' },
    { if: 'list', send: 'list' },
  ],
});

// biome-ignore format: a table
const rows: [what: string, described: Target | null, place: TokenPlace, token: string | undefined, messages: string[], seen: unknown[]][] = [
  ['nothing to say', null, header, 'T', [], [[], 'ready']],
  ['the token, then join', withMessage, message, 'T', ['{"t":"ack"}'], [[loginText], ['join'], 'ready']],
  ['other messages are passed over', withMessage, message, 'T', ['x', '{"t":"hi"}', '{"t":"ack"}'], [[loginText], [], [], ['join'], 'ready']],
  ['refused', withMessage, message, 'T', ['{"t":"no"}', '{"t":"ack"}'], [[loginText], [], [], 'refused']],
  ['no token, no message', withMessage, message, undefined, [], [['join'], 'ready']],
  ['the token elsewhere', withMessage, header, 'T', [], [['join'], 'ready']],
  ['a message of the command line', withMessage, { in: 'message', value: 'AUTH {{ token }} {{ token.base64url }}' }, 'T', [], [['AUTH T VA', 'join'], 'ready']],
  ['a message in short', target({ auth: { in: 'message', value: 'AUTH {{ token }}' } }), { in: 'message', value: 'AUTH {{ token }}' }, 'T', [], [['AUTH T'], 'ready']],
  ['no description, a message of the command line', null, { in: 'message', value: '{{ token }}' }, 'T', [], [['T'], 'ready']],
  ['conditions with a token', optional, header, 'T', [], [['with', 'lobby', 'list'], 'ready']],
  ['conditions without one', optional, header, undefined, [], [['without', 'lobby', 'list'], 'ready']],
  ['a challenge', challenge, header, undefined, ['hi', '{"nonce":5,"a":[null]}', '{"t":"ack"}', '{"t":"ack"}'], [[], [], ['{"answer":5,"deep":null,"none":"","text":"x5"}'], [], [], 'ready']],
];
for (const [what, described, place, token, messages, seen] of rows) {
  test(`opening: ${what}`, () => assert.deepEqual(play(described, place, token, messages), seen));
}

test('opening: says what it waits for', () => {
  const opening = new Opening(new OpeningPlan(withMessage, message, true), { token: 'T', connection: 0 });
  opening.start();
  assert.equal(opening.waitsFor, '/t = "ack"');
  opening.receive(receivedText('{"t":"ack"}'));
  assert.equal(opening.waitsFor, '');
});

test('opening: takes any messages, and sends nothing after the end', { timeout: 60_000 }, () => {
  const text = fc.oneof(
    fc.constantFrom(
      '{"t":"ack"}',
      '{"t":"no"}',
      '{"nonce":{"a":1}}',
      '{"t":["ack"]}',
      '[]',
      'null',
      '',
      '{"__proto__":1}',
    ),
    fc.json(),
    fc.string({ unit: 'binary' }),
  );
  const matcher = fc.constantFrom(
    ack,
    no,
    { equals: '' },
    { starts: '{' },
    { pointer: '/nonce/a', exists: true },
  );
  const step = fc.record(
    { send: fc.constantFrom('a', { x: '{{ /nonce }}{{ /t }}' }), expect: matcher, refuse: matcher },
    { requiredKeys: ['expect'] },
  );
  const steps = fc.array(step, { maxLength: 4 }).map((all) => [{ expect: { starts: '{' } }, ...all]);
  fc.assert(
    fc.property(steps, fc.array(text, { maxLength: 12 }), (join, texts) => {
      const plan = new OpeningPlan(target({ join }), header, false);
      const opening = new Opening(plan, { connection: 0 });
      let sent = opening.start().length;
      for (const one of texts) {
        const before = opening.state;
        const now = opening.receive(receivedText(one));
        if (before !== 'waiting') assert.deepEqual(now, []);
        if (before !== 'waiting') assert.equal(opening.state, before);
        if (opening.state === 'refused') assert.deepEqual(now, []);
        sent += now.length;
      }
      assert.ok(sent <= plan.steps.length);
    }),
    { numRuns: 500 },
  );
});
