// Frames as bytes, with the examples of RFC 6455 §5.7.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { applyMask, encodeFrame, type FrameSpec, opcodes } from '../../lib/protocol/frame.ts';
import { cut, parse, receive } from './receive.ts';

const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const hello = Buffer.from('Hello');

// biome-ignore format: a table
const examples: [name: string, spec: FrameSpec, header: string, payload: string][] = [
  ['unmasked text', { opcode: 1, payload: hello }, '8105', '48656c6c6f'],
  ['masked text', { opcode: 1, payload: hello, mask }, '818537fa213d', '7f9f4d5158'],
  ['first fragment', { opcode: 1, fin: false, payload: Buffer.from('Hel') }, '0103', '48656c'],
  ['last fragment', { opcode: 0, payload: Buffer.from('lo') }, '8002', '6c6f'],
  ['unmasked ping', { opcode: 9, payload: hello }, '8905', '48656c6c6f'],
  ['masked pong', { opcode: 10, payload: hello, mask }, '8a8537fa213d', '7f9f4d5158'],
  ['256 bytes of binary', { opcode: 2, payload: Buffer.alloc(256, 7) }, '827e0100', '07'.repeat(256)],
  ['64 KiB of binary', { opcode: 2, payload: Buffer.alloc(65536, 7) }, '827f0000000000010000', '07'.repeat(65536)],
];

describe('the examples of RFC 6455 §5.7', () => {
  for (const [name, spec, header, payload] of examples) {
    test(name, () => {
      const bytes = encodeFrame(spec);
      assert.equal(bytes.toString('hex'), header + payload);
      const role = spec.mask ? 'server' : 'client';
      const { frames } = parse([Buffer.from(bytes)], { role });
      assert.deepEqual(frames, [
        {
          fin: spec.fin ?? true,
          rsv: 0,
          opcode: spec.opcode,
          length: spec.payload?.length,
          payload: Buffer.from(spec.payload ?? []).toString('hex'),
          ended: true,
        },
      ]);
    });
  }

  test('a fragmented message', () => {
    const bytes = Buffer.concat(examples.slice(2, 4).map(([, spec]) => encodeFrame(spec)));
    assert.deepEqual(receive([bytes]), [{ type: 'text', hex: hello.toString('hex') }]);
  });
});

// biome-ignore format: a table
const illegal: [name: string, spec: FrameSpec, hex: string][] = [
  ['all reserved bits', { opcode: 1, rsv: 7 }, 'f100'],
  ['a reserved opcode', { opcode: 15 }, '8f00'],
  ['16 bits for 5 bytes', { opcode: 2, payload: hello, lengthForm: 16 }, '827e000548656c6c6f'],
  ['64 bits for 5 bytes', { opcode: 2, payload: hello, lengthForm: 64 }, '827f000000000000000548656c6c6f'],
  ['64 bits with a mask', { opcode: 2, lengthForm: 64, mask }, '82ff000000000000000037fa213d'],
  ['a length that is not there', { opcode: 2, claimedLength: 1000 }, '827e03e8'],
  ['the largest length', { opcode: 2, claimedLength: 0xffff_ffff_ffff_ffffn }, '827fffffffffffffffff'],
  ['less than is there', { opcode: 2, payload: hello, claimedLength: 2 }, '820248656c6c6f'],
  ['a long ping', { opcode: 9, payload: Buffer.alloc(126) }, `897e007e${'00'.repeat(126)}`],
  ['a fragmented ping', { opcode: 9, fin: false }, '0900'],
];

describe('what must not be sent, for tests', () => {
  for (const [name, spec, hex] of illegal) {
    test(name, () => assert.equal(encodeFrame(spec).toString('hex'), hex));
  }
});

// biome-ignore format: a table
const mistakes: [name: string, spec: FrameSpec][] = [
  ['opcode 16', { opcode: 16 }],
  ['opcode −1', { opcode: -1 }],
  ['half an opcode', { opcode: 1.5 }],
  ['reserved bits 8', { opcode: 1, rsv: 8 }],
  ['a mask of 3 bytes', { opcode: 1, mask: Buffer.alloc(3) }],
  ['126 bytes in 7 bits', { opcode: 2, payload: Buffer.alloc(126), lengthForm: 7 }],
  ['65,536 bytes in 16 bits', { opcode: 2, claimedLength: 65536, lengthForm: 16 }],
  ['a length of −1', { opcode: 2, claimedLength: -1 }],
  ['a length of 2^64', { opcode: 2, claimedLength: 2n ** 64n }],
];

describe('what no frame has room for is refused', () => {
  for (const [name, spec] of mistakes) test(name, () => assert.throws(() => encodeFrame(spec), RangeError));
});

const frames = fc.record({
  fin: fc.boolean(),
  rsv: fc.integer({ min: 0, max: 7 }),
  opcode: fc.constantFrom(...Object.values(opcodes)),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 130 }),
    fc.integer({ min: 0, max: 70_000 }).map((size) => new Uint8Array(size).fill(size)),
  ),
  mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  masked: fc.boolean(),
  lengthForm: fc.constantFrom('minimal' as const, 16 as const, 64 as const),
});

test('what is encoded is parsed again', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(200), { maxLength: 5 }), (frame, places) => {
      const { masked, mask: key, ...rest } = frame;
      const control = frame.opcode >= 8;
      const spec: FrameSpec = {
        ...rest,
        fin: control || frame.fin,
        rsv: control ? 0 : frame.rsv,
        payload: control ? frame.payload.subarray(0, 125) : frame.payload,
        lengthForm: control || frame.payload.length > 65_535 ? 'minimal' : frame.lengthForm,
        mask: masked ? key : undefined,
      };
      const before = Buffer.from(spec.payload ?? []).toString('hex');
      const bytes = encodeFrame(spec);
      const chunks = cut(
        bytes,
        places.map((place) => Math.min(place, bytes.length)),
      );
      const seen = parse(chunks, { role: masked ? 'server' : 'client', strict: false, allowedRsv: 7 });
      assert.deepEqual(seen, {
        frames: [
          {
            fin: spec.fin,
            rsv: spec.rsv,
            opcode: spec.opcode,
            length: spec.payload?.length,
            payload: before,
            ended: true,
          },
        ],
        violation: undefined,
      });
      assert.equal(Buffer.from(spec.payload ?? []).toString('hex'), before, 'the payload was changed');
    }),
    { numRuns: 2000 },
  );
});

test('masking goes by the place in the payload, wherever the bytes lie', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.nat(9),
      fc.nat(300),
      (payload, key, shift, place) => {
        const expected = payload.map((byte, index) => byte ^ (key[index % 4] ?? 0));
        const room = new Uint8Array(shift + payload.length);
        room.set(payload, shift);
        const middle = Math.min(place, payload.length);
        applyMask(room, shift, shift + middle, key, 0);
        applyMask(room, shift + middle, room.length, key, middle);
        assert.deepEqual(room.subarray(shift), expected);
      },
    ),
    { numRuns: 2000 },
  );
});
