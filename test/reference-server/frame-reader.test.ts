import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, type LengthForm } from '../../lib/protocol/frame.ts';
import { FrameReader } from '../../reference-server/frame-reader.ts';

/** Whether the lengths are minimal in bytes that come in pieces of the given sizes, again and again. */
function watched(bytes: Buffer, sizes: readonly number[]): boolean {
  const reader = new FrameReader();
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    reader.read(bytes.subarray(at, at + size));
    at += size;
  }
  return reader.isMinimal;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const legal = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
  fin: fc.boolean(),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(125, 126, 65_535, 65_536).map((length) => new Uint8Array(length).fill(0xfe)),
  ),
  mask: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined }),
});

test('frames of minimal lengths pass, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(legal, { maxLength: 6 }), sizes, (frames, cut) => {
      assert.ok(watched(Buffer.concat(frames.map(encodeFrame)), cut));
    }),
    { numRuns: 200 },
  );
});

test('one length that is too long is found behind any frames, however they are cut', () => {
  const long = fc.oneof(
    fc.record({ length: fc.integer({ min: 0, max: 125 }), form: fc.constantFrom<LengthForm>(16, 64) }),
    fc.record({ length: fc.integer({ min: 126, max: 65_535 }), form: fc.constant<LengthForm>(64) }),
  );
  fc.assert(
    fc.property(fc.array(legal, { maxLength: 4 }), long, sizes, (frames, { length, form }, cut) => {
      const bad = encodeFrame({
        opcode: 1,
        lengthForm: form,
        claimedLength: length,
        mask: new Uint8Array(4),
      });
      assert.ok(!watched(Buffer.concat([...frames.map(encodeFrame), bad]), cut));
    }),
    { numRuns: 200 },
  );
});

test('lengths that no number holds are passed over', () => {
  const reader = new FrameReader();
  reader.read(Buffer.from('82ffffffffffffffffff00000000', 'hex'));
  reader.read(Buffer.from('81fe0003', 'hex'));
  assert.ok(reader.isMinimal);
});
