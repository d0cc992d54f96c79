// Reads HdrHistogram V2 payloads place by place, without the 180 kB that a whole histogram takes: results hold one a second.
import { inflateSync } from 'node:zlib';
import { WsbenchError } from '../errors.ts';
import { type HistogramData, maxTimeUs } from './histogram.ts';

/** What a histogram can hold; only those of one configuration have the same places. */
export interface PayloadConfig {
  lowestUs: number;
  highestUs: number;
  digits: number;
}

/** What is in a payload. The sum of its times is not. */
export interface Payload extends Pick<HistogramData, 'places' | 'counts'> {
  config: PayloadConfig;
  /** All counts together. */
  count: number;
}

/** The configuration of every histogram of wsbench. */
export const payloadConfig: PayloadConfig = { lowestUs: 1, highestUs: maxTimeUs, digits: 3 };

const compressedCookie = 0x1c849304;
const cookie = 0x1c849303;
const headBytes = 40;
// Every place with the longest of numbers.
const mostBytes = 256 * 1024;
const mostCount = 0xffff_ffff;

/**
 * Reads a payload as `Histogram.encode` and other HdrHistogram libraries write it (V2, compressed, base64).
 *
 * @throws WsbenchError `USAGE` when it is none, or holds more than 4,294,967,295 times
 */
export function readPayload(text: string): Payload {
  const bytes = inflated(text);
  if (bytes.length < headBytes || base(bytes.readUInt32BE(0)) !== cookie) throw damaged();
  const config = {
    digits: bytes.readInt32BE(12),
    lowestUs: Number(bytes.readBigInt64BE(16)),
    highestUs: Number(bytes.readBigInt64BE(24)),
  };
  const end = headBytes + bytes.readInt32BE(4);
  if (end > bytes.length) throw damaged();
  const places: number[] = [];
  const counts: number[] = [];
  let count = 0;
  for (let at = headBytes, place = 0; at < end; ) {
    // LEB128 of at most nine bytes, of which the ninth is whole; zigzag: the odd ones are how many places are empty.
    let value = 0;
    let unit = 1;
    for (let n = 1; ; n++) {
      const byte = bytes[at++];
      if (byte === undefined) throw damaged();
      value += (n === 9 ? byte : byte & 0x7f) * unit;
      unit *= 128;
      if (byte < 0x80 || n === 9) break;
    }
    if (value % 2 === 1) {
      place += (value + 1) / 2;
      continue;
    }
    if (value > 0) {
      places.push(place);
      counts.push(value / 2);
      count += value / 2;
    }
    place++;
  }
  if (count > mostCount) {
    throw new WsbenchError(
      'USAGE',
      `${count} times are more than a histogram of wsbench holds (${mostCount})`,
    );
  }
  return { config, places: Uint32Array.from(places), counts: Uint32Array.from(counts), count };
}

/** The largest time of a place, in µs, of histograms with the configuration of wsbench. */
export function highestOfPlaceUs(place: number): number {
  const shift = Math.max(0, (place >>> 10) - 1);
  return (place - shift * 1024 + 1) * 2 ** shift - 1;
}

/** The smallest. */
export function lowestOfPlaceUs(place: number): number {
  const shift = Math.max(0, (place >>> 10) - 1);
  return (place - shift * 1024) * 2 ** shift;
}

function inflated(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < 8 || base(bytes.readUInt32BE(0)) !== compressedCookie) throw damaged();
  try {
    return inflateSync(bytes.subarray(8, 8 + bytes.readInt32BE(4)), { maxOutputLength: mostBytes });
  } catch (cause) {
    throw damaged(cause);
  }
}

/** A cookie without what it says of the size of words, which is always the same in V2. */
const base = (word: number): number => (word & ~0xf0) >>> 0;

function damaged(cause?: unknown): WsbenchError {
  return new WsbenchError('USAGE', 'not an HdrHistogram payload (V2, compressed, base64)', { cause });
}
