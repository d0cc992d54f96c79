// Masking keys, made many at once.
import { randomFillSync } from 'node:crypto';

const keyBytes = 4;
const room = Buffer.alloc(4096 * keyBytes);
let left = 0;

/** Four new random bytes, valid until the next call. RFC 6455 §5.3 */
export function maskingKey(): Uint8Array {
  if (left === 0) {
    randomFillSync(room);
    left = room.length;
  }
  left -= keyBytes;
  return room.subarray(left, left + keyBytes);
}
