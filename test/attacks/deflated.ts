// Compressed messages of any content and kind, among them small ones that are large inside.
import { constants, deflateRawSync } from 'node:zlib';
import { frame } from './wire-client.ts';

/** The header of a client that compresses. */
export const offer = 'Sec-WebSocket-Extensions: permessage-deflate';

const mib = 1024 ** 2;
const tailBytes = 4;

/** A text as one compressed message, without the tail that the receiver adds. RFC 7692 §7.2.1 */
export function deflated(text: string | Uint8Array): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
  return bytes.subarray(0, bytes.length - tailBytes);
}

/** So many MiB of zeros as one compressed message, a thousandth of that in size. */
export function bomb(mebibytes: number): Buffer {
  // Behind a full flush the compressor starts anew, so that the same bytes mean the same again.
  const one = deflateRawSync(Buffer.alloc(mib), { finishFlush: constants.Z_FULL_FLUSH });
  const all = Buffer.concat(Array.from({ length: mebibytes }, () => one));
  return all.subarray(0, all.length - tailBytes);
}

/** A compressed binary message in one frame. */
export const compressedFrame = (payload: Uint8Array): Buffer => frame(2, payload, { rsv: 4 });
