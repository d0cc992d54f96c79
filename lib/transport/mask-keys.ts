// Masking keys, drawn many at once: a call for each would cost more than the rest of a frame. RFC 6455 §5.3
import { randomFillSync } from 'node:crypto';

const keys = new Int32Array(4096);
let left = 0;

/** A new masking key as a number: 32 bits of the system's randomness, never handed out before. */
export function maskKey(): number {
  if (left === 0) {
    randomFillSync(keys);
    left = keys.length;
  }
  return keys[--left] ?? 0;
}
