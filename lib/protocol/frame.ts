// Frames as bytes: the encoder writes what it is told, legal or not. RFC 6455 §5.2

/** The opcodes that RFC 6455 §11.8 gives a meaning. */
export const opcodes = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** Whether frames of this opcode are control frames. RFC 6455 §5.5 */
export const isControl = (opcode: number): boolean => (opcode & 0x8) !== 0;

/** How a payload length is written: in 7, 16 or 64 bits. `minimal` is what §5.2 asks for. */
export type LengthForm = 'minimal' | 7 | 16 | 64;

/** A frame to be written. Nothing in it is checked against the rules: tests have to break them. */
export interface FrameSpec {
  /** True by default. */
  fin?: boolean;
  /** The three reserved bits as a number: 4 is RSV1, 2 RSV2, 1 RSV3; 0 by default. */
  rsv?: number;
  /** 0 to 15. */
  opcode: number;
  /** Empty by default. Never changed. */
  payload?: Uint8Array;
  /** The four bytes of the masking key; without one the frame is not masked. */
  mask?: Uint8Array | undefined;
  lengthForm?: LengthForm;
  /** The length that the header says, where it is not that of the payload. */
  claimedLength?: number | bigint;
}

/**
 * The bytes of a frame.
 *
 * @throws RangeError for an opcode, reserved bits, mask or length that no frame has room for: those are mistakes of ours
 */
export function encodeFrame(spec: FrameSpec): Buffer {
  const { fin = true, rsv = 0, opcode, payload, mask, lengthForm = 'minimal' } = spec;
  if (!isIntegerUpTo(15, opcode)) throw new RangeError(`an opcode is 0 to 15, not ${opcode}`);
  if (!isIntegerUpTo(7, rsv)) throw new RangeError(`the reserved bits are 0 to 7, not ${rsv}`);
  if (mask !== undefined && mask.length !== 4) {
    throw new RangeError(`a masking key has 4 bytes, not ${mask.length}`);
  }
  const size = payload?.length ?? 0;
  const length = spec.claimedLength ?? size;
  const form = lengthForm === 'minimal' ? minimalForm(length) : lengthForm;
  if (length < 0 || length > largest[form]) throw new RangeError(`${length} does not fit in ${form} bits`);
  const lengthBytes = form === 7 ? 0 : form / 8;
  const headerBytes = 2 + lengthBytes + (mask ? 4 : 0);
  const frame = Buffer.allocUnsafe(headerBytes + size);
  frame[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  frame[1] = (mask ? 0x80 : 0) | (form === 7 ? Number(length) : form === 16 ? 126 : 127);
  if (form === 16) frame.writeUInt16BE(Number(length), 2);
  if (form === 64) frame.writeBigUInt64BE(BigInt(length), 2);
  if (mask) frame.set(mask, headerBytes - 4);
  if (payload) frame.set(payload, headerBytes);
  if (mask) applyMask(frame, headerBytes, frame.length, mask, 0);
  return frame;
}

const largest = { 7: 125n, 16: 0xffffn, 64: 0xffff_ffff_ffff_ffffn } as const;

function isIntegerUpTo(most: number, value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

function minimalForm(length: number | bigint): 7 | 16 | 64 {
  if (length <= largest[7]) return 7;
  return length <= largest[16] ? 16 : 64;
}

// Below this a loop over words costs more than it saves.
const wordsFromBytes = 48;

/**
 * Masks or unmasks bytes in place: the same operation. RFC 6455 §5.3
 *
 * @param offset how many bytes of the payload came before `start`
 */
export function applyMask(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Uint8Array,
  offset: number,
): void {
  let at = start;
  let phase = offset & 3;
  if (end - start >= wordsFromBytes) {
    while (((bytes.byteOffset + at) & 3) !== 0) {
      bytes[at] = (bytes[at] ?? 0) ^ (key[phase] ?? 0);
      at++;
      phase = (phase + 1) & 3;
    }
    const words = (end - at) >>> 2;
    const view = new Int32Array(bytes.buffer, bytes.byteOffset + at, words);
    const word = wordOf(key, phase);
    for (let index = 0; index < words; index++) view[index] = (view[index] ?? 0) ^ word;
    at += words << 2;
  }
  for (; at < end; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ (key[phase] ?? 0);
    phase = (phase + 1) & 3;
  }
}

const wordBytes = new Uint8Array(4);
const wordView = new Int32Array(wordBytes.buffer);

/** The key as the machine reads four bytes, whatever its byte order, rotated to where the payload is. */
function wordOf(key: Uint8Array, phase: number): number {
  for (let index = 0; index < 4; index++) wordBytes[index] = key[(phase + index) & 3] ?? 0;
  return wordView[0] ?? 0;
}
