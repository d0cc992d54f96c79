// Bytes that peers might send: sequences of frames, mostly legal, and anything at all.
import fc from 'fast-check';
import { encodeFrame, type FrameSpec } from '../../lib/protocol/frame.ts';

const text = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .map((value) => new Uint8Array(Buffer.from(value)));
const payload = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 130 }) },
  { weight: 1, arbitrary: fc.nat(400).map((size) => new Uint8Array(size).fill(0x61)) },
);
const closing = fc
  .tuple(
    fc.constantFrom(0, 999, 1000, 1001, 1003, 1005, 1007, 1011, 1012, 1014, 1015, 2999, 3000, 4999, 5000),
    text,
  )
  .map(([code, reason]) => Uint8Array.from([code >> 8, code & 255, ...reason]).subarray(0, 125));

/** Frames as most peers send them. */
const legal: fc.Arbitrary<FrameSpec> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ opcode: fc.constantFrom(1, 2), payload }) },
  { weight: 4, arbitrary: fc.record({ opcode: fc.constantFrom(1, 2), fin: fc.constant(false), payload }) },
  { weight: 6, arbitrary: fc.record({ opcode: fc.constant(0), fin: fc.boolean(), payload }) },
  {
    weight: 3,
    arbitrary: fc.record({
      opcode: fc.constantFrom(9, 10),
      payload: payload.map((bytes) => bytes.subarray(0, 125)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ opcode: fc.constant(8), payload: fc.oneof(closing, payload) }) },
);

const odd: fc.Arbitrary<FrameSpec> = fc.record({
  opcode: fc.nat(15),
  fin: fc.boolean(),
  rsv: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) }),
  payload,
});

const frame = fc.oneof({ weight: 12, arbitrary: legal }, { weight: 1, arbitrary: odd });

/** A message in fragments, with control frames in between. */
const message: fc.Arbitrary<FrameSpec[]> = fc
  .record({
    opcode: fc.constantFrom(1, 2),
    parts: fc.array(payload, { minLength: 1, maxLength: 4 }),
    control: fc.constantFrom(9, 10),
    controlAt: fc.nat(8),
  })
  .map(({ opcode, parts, control, controlAt }) =>
    parts.flatMap((part, index) => [
      { opcode: index === 0 ? opcode : 0, fin: index === parts.length - 1, payload: part },
      ...(index === controlAt ? [{ opcode: control, payload: part.subarray(0, 125) }] : []),
    ]),
  );

const specs: fc.Arbitrary<FrameSpec[]> = fc.oneof(
  fc.array(frame, { minLength: 1, maxLength: 8 }),
  fc
    .tuple(fc.array(message, { minLength: 1, maxLength: 4 }), fc.array(frame, { maxLength: 1 }))
    .map(([messages, last]) => [...messages.flat(), ...last]),
);

/** The bytes of some frames, perhaps cut off, and who reads them. */
export const frameSequences: fc.Arbitrary<{ bytes: Uint8Array; role: 'client' | 'server' }> = fc
  .record({
    specs,
    mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    role: fc.constantFrom('client' as const, 'server' as const),
    wrongMaskAt: fc.nat(120),
    longAt: fc.nat(120),
    lose: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
  })
  .map(({ specs: frames, mask, role, wrongMaskAt, longAt, lose }) => {
    const parts = frames.map((spec, index) => {
      const masked = (role === 'server') !== (wrongMaskAt === index);
      const lengthForm = longAt === index ? 64 : longAt === index + 10 ? 16 : 'minimal';
      return encodeFrame({
        ...spec,
        mask: masked ? mask : undefined,
        lengthForm: (spec.payload?.length ?? 0) > 125 ? 'minimal' : lengthForm,
      });
    });
    const bytes = Buffer.concat(parts);
    return { bytes: bytes.subarray(0, Math.max(0, bytes.length - lose)), role };
  });

const header = fc
  .tuple(
    fc.constantFrom(0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8a, 0xc1, 0x91, 0x83, 0x09),
    fc.constantFrom(0, 1, 5, 125, 126, 127, 0x80, 0x85, 0xfe, 0xff),
    fc.uint8Array({ maxLength: 14 }),
  )
  .map(([first, second, rest]) => Uint8Array.from([first, second, ...rest]));

/** Anything, some of it like headers. */
export const randomBytes: fc.Arbitrary<Uint8Array> = fc
  .array(fc.oneof(header, fc.uint8Array({ maxLength: 40 })), { maxLength: 6 })
  .map((parts) => new Uint8Array(Buffer.concat(parts)));
