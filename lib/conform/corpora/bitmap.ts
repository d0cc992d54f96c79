// A bitmap like a photograph: smooth shapes, and noise that does not compress.
import { randomFrom } from './random.ts';

const side = 512;
const headerBytes = 14 + 40 + 256 * 4;

/** A grey picture of 512 × 512 points in Windows' format. */
export function bitmapBytes(): Buffer {
  const file = Buffer.alloc(headerBytes + side * side);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(headerBytes, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(side, 18);
  file.writeInt32LE(side, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(8, 28);
  file.writeUInt32LE(side * side, 34);
  for (let grey = 0; grey < 256; grey++) file.fill(grey, 54 + 4 * grey, 54 + 4 * grey + 3);
  const random = randomFrom(2);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const shape = Math.sin(x / 41) + Math.cos(y / 29) + Math.sin((x + 2 * y) / 67);
      const noise = random() + random() + random() - 1.5;
      file[headerBytes + y * side + x] = Math.max(0, Math.min(255, 128 + 35 * shape + 9 * noise));
    }
  }
  return file;
}
