// Masked frames written into a room, header, masking and copy in one pass: what a client under load sends. RFC 6455 §5.2, §5.3

const headerBytes = 6;

/** Bytes of a masked frame with so long a payload. */
export function maskedFrameBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return headerBytes + payloadBytes;
  return headerBytes + (payloadBytes < 65_536 ? 2 : 8) + payloadBytes;
}

/**
 * Writes a masked frame into a room that has place for {@link maskedFrameBytes}. The payload is left as it is.
 *
 * @param room where to
 * @param at where it begins there
 * @param first the first byte: FIN, the reserved bits, opcode
 * @param payload what the frame carries from `start` to `end`
 * @param key the masking key: 32 bits that nobody can foretell
 * @returns where the frame ends
 */
export function writeMaskedFrame(
  room: DataView,
  at: number,
  first: number,
  payload: DataView,
  start: number,
  end: number,
  key: number,
): number {
  const length = end - start;
  let to = at + 2;
  room.setUint8(at, first);
  if (length < 126) room.setUint8(at + 1, 0x80 | length);
  else if (length < 65_536) {
    room.setUint8(at + 1, 0x80 | 126);
    room.setUint16(to, length);
    to += 2;
  } else {
    room.setUint8(at + 1, 0x80 | 127);
    room.setUint32(to, Math.floor(length / 0x1_0000_0000));
    room.setUint32(to + 4, length >>> 0);
    to += 8;
  }
  room.setInt32(to, key, true);
  to += 4;
  let from = start;
  // Read and written in the same byte order, the order does not matter.
  for (const last = end - 3; from < last; from += 4, to += 4) {
    room.setInt32(to, payload.getInt32(from, true) ^ key, true);
  }
  for (let rest = key; from < end; from++, to++, rest >>= 8) room.setUint8(to, payload.getUint8(from) ^ rest);
  return to;
}
