// Any segmentation of the same bytes gives the same; no bytes do harm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { encodeFrame, opcodes } from '../../lib/protocol/frame.ts';
import { MessageReceiver, type ReceiverOptions } from '../../lib/protocol/message.ts';
import { FrameParser } from '../../lib/protocol/parser.ts';
import { frameSequences, randomBytes } from './bytes.ts';
import { bytewise, cut, type Event, parse, receive, receiveWithWs } from './receive.ts';

test('10,000 frame sequences parse alike whole, byte by byte and in between', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(frameSequences, fc.array(fc.nat(), { maxLength: 8 }), ({ bytes, role }, seeds) => {
      const places = seeds.map((seed) => seed % (bytes.length + 1));
      const options = { role, deflate: true, maxMessageBytes: 500 };
      const whole = receive([Buffer.from(bytes)], options);
      assert.deepEqual(receive(cut(bytes, places), options), whole);
      assert.deepEqual(receive(bytewise(bytes), options), whole);
      const parser = { role, allowedRsv: 4 };
      const frames = parse([Buffer.from(bytes)], parser);
      assert.deepEqual(parse(cut(bytes, places), parser), frames);
      assert.deepEqual(parse(bytewise(bytes), parser), frames);
    }),
    { numRuns: 10_000 },
  );
});

// Bounds that both are given.
const maxPayload = 500;
const maxFragments = 6;

type Role = 'client' | 'server';

/** Where ws and we differ: whether it is so here (compared as far as they must agree), and why. */
const differences: {
  reason: string;
  applies: (ours: Event[], theirs: Event[], bytes: Uint8Array, role: Role) => boolean;
}[] = [
  {
    reason:
      'ws judges a text when it is whole, we at the first wrong byte: what ws tells of between is left out',
    applies: (ours, theirs) => {
      const last = ours.at(-1);
      return (
        last?.type === 'violation' &&
        last.rule === 'utf8' &&
        isDeepStrictEqual(theirs.slice(0, ours.length - 1), ours.slice(0, -1))
      );
    },
  },
  {
    reason:
      'ws answers 1009 to every length of 2^53 or more; one with its top bit set breaks §5.2, which is 1002',
    applies: (ours, theirs) => {
      const [our, their] = [ours.at(-1), theirs.at(-1)];
      return (
        our?.type === 'violation' &&
        our.rule === 'length-top-bit' &&
        our.closeCode === 1002 &&
        their?.type === 'violation' &&
        their.closeCode === 1009 &&
        isDeepStrictEqual(theirs.slice(0, -1), ours.slice(0, -1))
      );
    },
  },
  {
    reason: 'ws refuses a frame that does not fit the message at its second byte, we when its length is read',
    applies: (ours, theirs, bytes, role) => {
      const more = receive([Buffer.concat([bytes, Buffer.alloc(14)])], ourOptions(role));
      return (
        theirs.length === ours.length + 1 &&
        theirs.at(-1)?.type === 'violation' &&
        isDeepStrictEqual(more.map(common), theirs.map(common))
      );
    },
  },
];

// ws takes lengths that are not minimal, which RFC 6455 §5.2 forbids; so do we if we are told to.
const ourOptions = (role: Role): Partial<ReceiverOptions> => ({
  role,
  strict: false,
  maxMessageBytes: maxPayload,
  maxFragments,
});

/** An event as both tell of it: the words for a violation are their own. */
function common(event: Event): Event {
  return event.type === 'violation' ? { ...event, rule: '', reason: '' } : event;
}

function compare(bytes: Uint8Array, role: Role): void {
  const ours = receive([Buffer.from(bytes)], ourOptions(role));
  const theirs = receiveWithWs([Buffer.from(bytes)], {
    isServer: role === 'server',
    maxPayload,
    maxFragments,
  });
  if (differences.some(({ applies }) => applies(ours, theirs, bytes, role))) return;
  assert.deepEqual(theirs.map(common), ours.map(common));
}

test('10,000 frame sequences: the same messages and close codes as ws', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(frameSequences, ({ bytes, role }) => compare(bytes, role)),
    { numRuns: 10_000 },
  );
});

test('10,000 random byte strings: the same as ws, too', { timeout: 120_000 }, () => {
  fc.assert(fc.property(randomBytes, fc.constantFrom('client' as const, 'server' as const), compare), {
    numRuns: 10_000,
  });
});

test('10,000 random byte strings, in pieces: nothing is thrown, little is kept', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(
      randomBytes,
      fc.array(fc.nat(), { maxLength: 4 }),
      fc.constantFrom('client' as const, 'server' as const),
      (bytes, seeds, role) => {
        const whole = receive([Buffer.from(bytes)], { role, deflate: true, maxMessageBytes: 200 });
        const places = seeds.map((seed) => seed % (bytes.length + 1));
        assert.deepEqual(receive(cut(bytes, places), { role, deflate: true, maxMessageBytes: 200 }), whole);
        const ends = whole.findIndex(({ type }) => type === 'violation' || type === 'close');
        assert.ok(ends === -1 || ends === whole.length - 1, 'something follows the end');
        for (const event of whole) if ('hex' in event) assert.ok(event.hex.length <= 400);
      },
    ),
    { numRuns: 10_000 },
  );
});

test('a header that promises much costs nothing until it comes', () => {
  const before = process.memoryUsage().arrayBuffers;
  const nothing = (): void => {};
  const sink = {
    message: nothing,
    compressed: nothing,
    ping: nothing,
    pong: nothing,
    close: nothing,
    violation: nothing,
  };
  const header = encodeFrame({ opcode: opcodes.binary, claimedLength: 16 * 2 ** 20 });
  const receivers = Array.from({ length: 200 }, () => new MessageReceiver(sink));
  for (const receiver of receivers) receiver.push(Buffer.concat([header, Buffer.alloc(10)]));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
  assert.ok(receivers.every(({ isOver }) => !isOver));
});

test('after a close frame nothing counts', () => {
  const after = [
    encodeFrame({ opcode: 1, payload: Buffer.from('late') }),
    Buffer.from('ff'.repeat(20), 'hex'),
  ];
  const bytes = Buffer.concat([encodeFrame({ opcode: 8 }), ...after]);
  assert.deepEqual(receive([bytes]), [{ type: 'close', code: 1005, reason: '' }]);
  assert.deepEqual(receive(bytewise(bytes)), [{ type: 'close', code: 1005, reason: '' }]);
});

test('who receives may stop within a read', () => {
  const frame = encodeFrame({ opcode: 1, payload: Buffer.from('x') });
  let messages = 0;
  const nothing = (): void => {};
  const receiver: MessageReceiver = new MessageReceiver({
    message: () => {
      if (++messages === 2) receiver.end();
    },
    compressed: nothing,
    ping: nothing,
    pong: nothing,
    close: nothing,
    violation: nothing,
  });
  receiver.push(Buffer.concat([frame, frame, frame, frame]));
  assert.equal(messages, 2);
  assert.ok(receiver.isOver);
});

test('a sink that returns false stops the parser', () => {
  for (const at of ['frame', 'payload', 'frameEnd'] as const) {
    const calls: string[] = [];
    const call = (name: string) => (): boolean => {
      calls.push(name);
      return name !== at;
    };
    const parser = new FrameParser(
      { frame: call('frame'), payload: call('payload'), frameEnd: call('frameEnd'), violation: () => {} },
      { role: 'client', strict: true, allowedRsv: 0 },
    );
    const frame = encodeFrame({ opcode: 1, payload: Buffer.from('x') });
    parser.push(Buffer.concat([frame, frame]));
    assert.equal(calls.at(-1), at);
    assert.equal(calls.length, ['frame', 'payload', 'frameEnd'].indexOf(at) + 1);
    assert.ok(parser.isOver);
  }
});

test('a message in many reads and fragments, with control frames in between', () => {
  const part = (opcode: number, fin: boolean, text: string): Buffer =>
    encodeFrame({ opcode, fin, payload: Buffer.from(text) });
  const bytes = Buffer.concat([
    part(1, false, 'a'.repeat(3000)),
    part(9, true, 'ping'),
    part(0, false, ''),
    part(10, true, ''),
    part(0, true, 'é'.repeat(5000)),
    part(2, true, 'next'),
  ]);
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  const expected: Event[] = [
    { type: 'ping', hex: hex('ping') },
    { type: 'pong', hex: '' },
    { type: 'text', hex: hex('a'.repeat(3000) + 'é'.repeat(5000)) },
    { type: 'binary', hex: hex('next') },
  ];
  assert.deepEqual(receive([bytes]), expected);
  assert.deepEqual(receive(bytewise(bytes)), expected);
});
