// What RFC 6455 §5–§8 and RFC 7692 §6–§7 demand of a peer and a receiver can see: rule → bytes → result.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageInflater } from '../../lib/protocol/deflate.ts';
import { encodeFrame, type FrameSpec } from '../../lib/protocol/frame.ts';
import type { ReceiverOptions } from '../../lib/protocol/message.ts';
import { type RuleId, rules } from '../../lib/protocol/rules.ts';
import { bytewise, receive } from './receive.ts';

const key = Buffer.from('37fa213d', 'hex');
const bytes = (...specs: FrameSpec[]): string => Buffer.concat(specs.map(encodeFrame)).toString('hex');
const text = (payload: string, more: Partial<FrameSpec> = {}): FrameSpec => ({
  opcode: 1,
  payload: Buffer.from(payload),
  ...more,
});
const hex = (opcode: number, payload: string, more: Partial<FrameSpec> = {}): FrameSpec => ({
  opcode,
  payload: Buffer.from(payload, 'hex'),
  ...more,
});

interface Row {
  section: string;
  /** What must or must not be. */
  must: string;
  hex: string;
  /** The rule that is broken, or how many messages, pings, pongs and closes there are to see. */
  result: RuleId | number;
  options?: Partial<ReceiverOptions>;
}

const server = { role: 'server' } as const;
const deflate = { deflate: true } as const;

// biome-ignore format: a table
const table: Row[] = [
  // §5.1
  { section: '5.1', must: 'a server must not mask', hex: bytes(text('a', { mask: key })), result: 'mask-from-server' },
  { section: '5.1', must: 'a server must not mask a ping', hex: bytes({ opcode: 9, mask: key }), result: 'mask-from-server' },
  { section: '5.1', must: 'a client must mask', hex: bytes(text('a')), result: 'no-mask-from-client', options: server },
  { section: '5.1', must: 'a client must mask what is empty, too', hex: bytes({ opcode: 1 }), result: 'no-mask-from-client', options: server },
  { section: '5.1', must: 'a client that masks is heard', hex: bytes(text('a', { mask: key })), result: 1, options: server },
  { section: '5.3', must: 'a mask of zeros is a mask', hex: bytes(text('a', { mask: Buffer.alloc(4) })), result: 1, options: server },
  // §5.2
  { section: '5.2', must: 'RSV1 must be 0 without an extension', hex: bytes(text('a', { rsv: 4 })), result: 'rsv' },
  { section: '5.2', must: 'RSV2 must be 0', hex: bytes(text('a', { rsv: 2 })), result: 'rsv' },
  { section: '5.2', must: 'RSV3 must be 0', hex: bytes(text('a', { rsv: 1 })), result: 'rsv' },
  { section: '5.2', must: 'RSV2 must be 0 with permessage-deflate, too', hex: bytes(text('a', { rsv: 6 })), result: 'rsv', options: deflate },
  { section: '5.2', must: 'RSV1 must be 0 on a ping', hex: bytes({ opcode: 9, rsv: 4 }), result: 'rsv' },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Row => (
    { section: '5.2', must: `opcode ${opcode} is reserved`, hex: bytes({ opcode }), result: 'opcode' })),
  { section: '5.2', must: '125 bytes are written in 7 bits', hex: bytes(hex(2, '00'.repeat(125), { lengthForm: 16 })), result: 'length-not-minimal' },
  { section: '5.2', must: '65,535 bytes are written in 16 bits', hex: bytes(hex(2, '', { lengthForm: 64, claimedLength: 65_535 })), result: 'length-not-minimal' },
  { section: '5.2', must: 'leniently, any form is taken', hex: bytes(hex(2, '00', { lengthForm: 64 })), result: 1, options: { strict: false } },
  { section: '5.2', must: '126 bytes in 16 bits', hex: bytes(hex(2, '00'.repeat(126))), result: 1 },
  { section: '5.2', must: '65,536 bytes in 64 bits', hex: bytes(hex(2, '00'.repeat(65_536))), result: 1 },
  { section: '5.2', must: 'the top bit of a length must be 0', hex: bytes(hex(2, '', { claimedLength: 2n ** 63n })), result: 'length-top-bit' },
  // §5.4
  { section: '5.4', must: 'a message may not begin with a continuation', hex: bytes({ opcode: 0 }), result: 'continuation-without-start' },
  { section: '5.4', must: 'a finished message cannot be continued', hex: bytes(text('a'), { opcode: 0 }), result: 'continuation-without-start' },
  { section: '5.4', must: 'fragments of messages must not be interleaved', hex: bytes(text('a', { fin: false }), text('b')), result: 'message-within-message' },
  { section: '5.4', must: 'nor of another type', hex: bytes(text('a', { fin: false }), hex(2, '00', { fin: false })), result: 'message-within-message' },
  { section: '5.4', must: 'control frames may come between fragments', hex: bytes(text('a', { fin: false }), { opcode: 9 }, { opcode: 10 }, hex(0, '62')), result: 3 },
  { section: '5.4', must: 'fragments may be empty', hex: bytes(text('', { fin: false }), hex(0, '', { fin: false }), hex(0, '')), result: 1 },
  { section: '5.4', must: 'a close may come between fragments', hex: bytes(text('a', { fin: false }), hex(8, '03e8')), result: 1 },
  // §5.5
  { section: '5.5', must: 'control frames must not be fragmented: close', hex: bytes(hex(8, '', { fin: false })), result: 'control-fragmented' },
  { section: '5.5', must: 'control frames must not be fragmented: ping', hex: bytes(hex(9, '', { fin: false })), result: 'control-fragmented' },
  { section: '5.5', must: 'control frames must not be fragmented: pong', hex: bytes(hex(10, '', { fin: false })), result: 'control-fragmented' },
  { section: '5.5', must: 'control frames have 125 bytes at most', hex: bytes(hex(9, '00'.repeat(126))), result: 'control-too-long' },
  { section: '5.5', must: 'even where the length is not minimal', hex: bytes(hex(9, '00', { lengthForm: 16 })), result: 'control-too-long', options: { strict: false } },
  { section: '5.5', must: '125 bytes are fine', hex: bytes(hex(9, '00'.repeat(125))), result: 1 },
  { section: '5.5.1', must: 'a close body has two bytes of code, or none', hex: bytes(hex(8, '03')), result: 'close-length' },
  { section: '5.5.1', must: 'an empty close is one', hex: bytes({ opcode: 8 }), result: 1 },
  { section: '5.5.1', must: 'the reason is UTF-8', hex: bytes(hex(8, '03e8ff')), result: 'close-utf8' },
  { section: '5.5.1', must: 'the reason is whole UTF-8', hex: bytes(hex(8, '03e8e282')), result: 'close-utf8' },
  { section: '5.5.1', must: 'no data after a close', hex: bytes(hex(8, '03e8'), text('late')), result: 1 },
  { section: '5.5.3', must: 'pongs may come unasked', hex: bytes(hex(10, '6869')), result: 1 },
  // §7
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((code): Row => (
    { section: '7.4', must: `${code} must not be sent`, hex: bytes(hex(8, code.toString(16).padStart(4, '0'))), result: 'close-code' })),
  ...[1012, 1013, 1014].map((code): Row => (
    { section: '7.4', must: `${code} was not legal when Autobahn was written`, hex: bytes(hex(8, code.toString(16).padStart(4, '0'))), result: 'close-code', options: { closeRegistry: 'autobahn' } })),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map((code): Row => (
    { section: '7.4', must: `${code} may be sent`, hex: bytes(hex(8, code.toString(16).padStart(4, '0'))), result: 1 })),
  // §8.1
  { section: '8.1', must: 'text is UTF-8', hex: bytes(hex(1, 'cebae1bdb9cf83cebcceb5eda080656469746564')), result: 'utf8' },
  { section: '8.1', must: 'at the first wrong byte, before the message is whole', hex: bytes(hex(1, 'f490', { fin: false })), result: 'utf8' },
  { section: '8.1', must: 'before the frame is whole', hex: bytes(hex(1, 'ff00000000')).slice(0, 6), result: 'utf8' },
  { section: '8.1', must: 'a text does not end within a code point', hex: bytes(hex(1, 'e282')), result: 'utf8' },
  { section: '8.1', must: 'nor when its last fragment is empty', hex: bytes(hex(1, 'e282', { fin: false }), { opcode: 0 }), result: 'utf8' },
  { section: '8.1', must: 'a fragment may', hex: bytes(hex(1, 'e282', { fin: false }), hex(0, 'ac')), result: 1 },
  { section: '8.1', must: 'binary may be anything', hex: bytes(hex(2, 'ff')), result: 1 },
  // §10.4
  { section: '10.4', must: 'a message has a bound', hex: bytes(hex(2, '', { claimedLength: 11 })), result: 'too-large', options: { maxMessageBytes: 10 } },
  { section: '10.4', must: 'over all fragments', hex: bytes(hex(2, '00'.repeat(6), { fin: false }), hex(0, '00'.repeat(5))), result: 'too-large', options: { maxMessageBytes: 10 } },
  { section: '10.4', must: 'even a length that no memory has room for', hex: bytes(hex(2, '', { claimedLength: 2n ** 63n - 1n })), result: 'too-large' },
  { section: '10.4', must: 'at the bound it is taken', hex: bytes(hex(2, '00'.repeat(10))), result: 1, options: { maxMessageBytes: 10 } },
  { section: '10.4', must: 'fragments have a bound', hex: bytes(text('', { fin: false }), hex(0, '', { fin: false }), hex(0, '')), result: 'too-many-fragments', options: { maxFragments: 2 } },
  // RFC 7692
  { section: '7692 6.1', must: 'RSV1 on the first frame of a message', hex: bytes(hex(1, 'f248cdc9c90700', { rsv: 4 })), result: 1, options: deflate },
  { section: '7692 6.1', must: 'not on a continuation', hex: bytes(hex(1, 'f248cd', { rsv: 4, fin: false }), hex(0, 'c9c90700', { rsv: 4 })), result: 'rsv1-continuation', options: deflate },
  { section: '7692 6.1', must: 'not on a continuation of a message that is not compressed', hex: bytes(text('a', { fin: false }), hex(0, '00', { rsv: 4 })), result: 'rsv1-continuation', options: deflate },
  { section: '7692 6.1', must: 'not on a control frame', hex: bytes(hex(9, '', { rsv: 4 })), result: 'rsv', options: deflate },
  { section: '7692 6.1', must: 'not on a close frame', hex: bytes(hex(8, '', { rsv: 4 })), result: 'rsv', options: deflate },
  { section: '7692 6', must: 'a message may go uncompressed', hex: bytes(text('plain')), result: 1, options: deflate },
  { section: '7692 6.2', must: 'a compressed message may be fragmented anywhere', hex: bytes(hex(1, 'f248cd', { rsv: 4, fin: false }), hex(0, 'c9c90700')), result: 1, options: deflate },
  { section: '7692 7.2.2', must: 'a block of the reserved type', hex: bytes(hex(1, '0700', { rsv: 4 })), result: 'inflate', options: deflate },
  { section: '7692 7.2.2', must: 'a stored block whose length does not match', hex: bytes(hex(1, '0005000000', { rsv: 4 })), result: 'inflate', options: deflate },
  { section: '7692 7.2.2', must: 'a payload that breaks off', hex: bytes(hex(1, 'f248cd', { rsv: 4 })), result: 'inflate', options: deflate },
  { section: '7692 7.2.2', must: 'a payload without a block', hex: bytes(hex(1, '', { rsv: 4 })), result: 'inflate', options: deflate },
  { section: '7692 7.2.2', must: 'a reference further back than there are bytes', hex: bytes(hex(1, 'f200110000', { rsv: 4 })), result: 'inflate', options: deflate },
];

/** What is seen: the rule that was broken, or how many events there were. Compressed messages are inflated. */
function resultOf(chunks: Buffer[], options: Partial<ReceiverOptions> = {}): RuleId | number {
  const events = receive(chunks, options);
  const inflater = new MessageInflater({ windowBits: 15, contextTakeover: true }, 1000);
  for (const event of events) {
    if (event.type === 'violation') return event.rule as RuleId;
    if (event.type !== 'compressed') continue;
    const message = inflater.inflate(Buffer.from(event.hex, 'hex'));
    if ('rule' in message) return message.rule;
  }
  return events.length;
}

describe('rule by rule', () => {
  for (const { section, must, hex: sent, result, options } of table) {
    test(`§${section}: ${must}`, () => {
      assert.equal(resultOf([Buffer.from(sent, 'hex')], options), result);
      assert.equal(resultOf(bytewise(Buffer.from(sent, 'hex')), options), result, 'byte by byte');
    });
  }
});

test('every rule that there is stands in the table', () => {
  const seen = new Set(table.map(({ result }) => result));
  assert.deepEqual(
    Object.keys(rules).filter((id) => !seen.has(id as RuleId)),
    [],
  );
});

// biome-ignore format: a table
const codes: [RuleId, number][] = [
  ['rsv', 1002], ['opcode', 1002], ['mask-from-server', 1002], ['no-mask-from-client', 1002], ['length-not-minimal', 1002],
  ['length-top-bit', 1002], ['control-fragmented', 1002], ['control-too-long', 1002], ['continuation-without-start', 1002],
  ['message-within-message', 1002], ['utf8', 1007], ['close-length', 1002], ['close-code', 1002], ['close-utf8', 1007],
  ['too-large', 1009], ['too-many-fragments', 1008], ['rsv1-continuation', 1002], ['inflate', 1007],
];

test('the close code that answers each rule', () => {
  assert.deepEqual(
    Object.fromEntries(codes),
    Object.fromEntries(Object.entries(rules).map(([id, { closeCode }]) => [id, closeCode])),
  );
});

test('what was seen stands in the reason', () => {
  const reasonOf = (sent: string, options?: Partial<ReceiverOptions>): string => {
    const last = receive([Buffer.from(sent, 'hex')], options).at(-1);
    return last?.type === 'violation' ? last.reason : '';
  };
  assert.match(reasonOf(bytes(hex(1, '61e28261'))), /not UTF-8 \(at byte 3\)/);
  assert.match(reasonOf(bytes({ opcode: 11 })), /reserved opcode \(0xb\)/);
  assert.match(reasonOf(bytes({ opcode: 1, rsv: 5 })), /\(RSV1 and RSV3\)/);
  assert.match(reasonOf(bytes(hex(8, '03ed'))), /\(1005\)/);
  assert.match(reasonOf(bytes(hex(2, '00', { lengthForm: 16 }))), /\(1 in 16 bits\)/);
});
