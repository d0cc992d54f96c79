// Frames as a client sends them, and as none may.
import { randomBytes } from 'node:crypto';

/** A client frame (RFC 6455 §5.2) of less than 126 bytes: `first` holds fin, rsv and opcode and is not judged. */
export function clientFrame(first: number, payload: Buffer, masked = true): Buffer {
  if (payload.length > 125) throw new RangeError('only short frames');
  if (!masked) return Buffer.concat([Buffer.from([first, payload.length]), payload]);
  const mask = randomBytes(4);
  const body = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, body]);
}
