// Keys for handshakes, made many at once: a call for each costs as much as the rest of a handshake in JavaScript.
import { randomFillSync } from 'node:crypto';

const keyBytes = 16;
const room = Buffer.alloc(256 * keyBytes);
let left = 0;

/** A new Sec-WebSocket-Key: 16 random bytes in base64. RFC 6455 §4.1 */
export function randomKey(): string {
  if (left === 0) {
    randomFillSync(room);
    left = room.length;
  }
  left -= keyBytes;
  return room.toString('base64', left, left + keyBytes);
}
