// Bytes as rows write them, and as they are.
import type { Bytes } from './case.ts';

/** The bytes that a row means. They are shared: never to be changed. */
export function bytesOf(bytes: Bytes): Buffer {
  if (typeof bytes === 'string') return Buffer.from(bytes);
  if ('hex' in bytes) return Buffer.from(bytes.hex, 'hex');
  const { cycle, length } = bytes;
  return Buffer.alloc(length, typeof cycle === 'string' ? Buffer.from(cycle) : Buffer.from(cycle.hex, 'hex'));
}

/** How many bytes a row means. */
export function lengthOf(bytes: Bytes): number {
  if (typeof bytes === 'string') return Buffer.byteLength(bytes);
  return 'hex' in bytes ? bytes.hex.length / 2 : bytes.length;
}
