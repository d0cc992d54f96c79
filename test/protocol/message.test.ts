// What receiving costs the heap: nothing for messages that lie whole in one read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, opcodes } from '../../lib/protocol/frame.ts';
import { MessageReceiver, type MessageSink } from '../../lib/protocol/message.ts';

const nothing = (): void => {};
let messages = 0;
const counting: MessageSink = {
  message: () => {
    messages++;
  },
  compressed: nothing,
  ping: nothing,
  pong: nothing,
  close: nothing,
  violation: ({ reason }) => assert.fail(reason),
};

/** Bytes of heap for each of many messages: the median of rounds, as some have a garbage collection in them. */
function heapPerMessage(read: Buffer, messagesPerRead: number): number {
  const receiver = new MessageReceiver(counting);
  const rounds = 41;
  const deltas = new Float64Array(rounds);
  for (let round = 0; round < rounds; round++) {
    const before = process.memoryUsage().heapUsed;
    for (let time = 0; time < 50; time++) receiver.push(read);
    deltas[round] = process.memoryUsage().heapUsed - before;
  }
  return (deltas.sort()[20] ?? Number.NaN) / (50 * messagesPerRead);
}

for (const [name, opcode, size] of [
  ['text', opcodes.text, 32],
  ['text', opcodes.text, 400],
  ['binary', opcodes.binary, 32],
  ['binary', opcodes.binary, 1024],
  ['a ping', opcodes.ping, 4],
] as const) {
  test(`${name} of ${size} bytes: no allocation`, { timeout: 30_000 }, () => {
    const frame = encodeFrame({ opcode, payload: Buffer.alloc(size, 'x') });
    const read = Buffer.alloc(200 * frame.length, frame);
    const perMessage = heapPerMessage(read, 200);
    assert.ok(perMessage < 2, `${perMessage} bytes each`);
  });
}

test('a room for large messages is given back, and used by the next connection', () => {
  const frame = encodeFrame({ opcode: opcodes.binary, payload: Buffer.alloc(300_000) });
  const [head, rest] = [frame.subarray(0, 200_000), frame.subarray(200_000)];
  const receivers = Array.from({ length: 50 }, () => new MessageReceiver(counting));
  const before = process.memoryUsage().arrayBuffers;
  messages = 0;
  for (const receiver of receivers) {
    receiver.push(head);
    receiver.push(rest);
  }
  assert.equal(messages, 50);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 2 ** 20, 'each kept its own');
});
