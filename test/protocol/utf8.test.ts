// UTF-8 as it arrives, beside the decoder of the platform.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Utf8Validator } from '../../lib/protocol/utf8.ts';
import { cut } from './receive.ts';

/** 'whole', 'unfinished', or the place of the first wrong byte. */
type Verdict = 'whole' | 'unfinished' | number;

function judge(chunks: readonly Uint8Array[]): Verdict {
  const validator = new Utf8Validator();
  for (const chunk of chunks) if (!validator.push(chunk)) return validator.position;
  return validator.isComplete ? 'whole' : 'unfinished';
}

/** Whether the decoder takes these bytes; `stream`: they may go on. */
function decodes(bytes: Uint8Array, stream: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}

/** The same from the decoder: the first byte with which it fails although more could come. */
function reference(bytes: Uint8Array): Verdict {
  if (decodes(bytes, false)) return 'whole';
  if (decodes(bytes, true)) return 'unfinished';
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decodes(bytes.subarray(0, middle), true)) good = middle;
    else bad = middle;
  }
  return good;
}

// biome-ignore format: a table
const rows: [name: string, hex: string, verdict: Verdict][] = [
  ['nothing', '', 'whole'],
  ['ASCII', '48656c6c6f', 'whole'],
  ['the Greek of Autobahn', 'cebae1bdb9cf83cebcceb5', 'whole'],
  ['U+10FFFF', 'f48fbfbf', 'whole'],
  ['U+110000', 'f4908080', 1],
  ['a surrogate', 'eda080', 1],
  ['overlong slash, 2 bytes', 'c0af', 0],
  ['overlong slash, 3 bytes', 'e080af', 1],
  ['overlong slash, 4 bytes', 'f08080af', 1],
  ['a lone continuation', '4880', 1],
  ['FE', 'fe', 0],
  ['F5', 'f5', 0],
  ['cut after 1 of 3', 'e2', 'unfinished'],
  ['cut after 2 of 3', 'e282', 'unfinished'],
  ['a lead where a continuation must be', 'e28241', 2],
  ['a byte order mark', 'efbbbf', 'whole'],
  ['a noncharacter', 'efbfbf', 'whole'],
];

describe('by hand', () => {
  for (const [name, hex, verdict] of rows) {
    test(name, () => {
      const bytes = Buffer.from(hex, 'hex');
      assert.equal(judge([bytes]), verdict);
      assert.equal(reference(bytes), verdict, 'the reference');
      assert.equal(judge(Array.from(bytes, (byte) => Uint8Array.of(byte))), verdict);
      // Long enough for the native check, before and behind.
      const long = Buffer.concat([Buffer.alloc(500, 'a'), bytes]);
      assert.equal(judge([long]), typeof verdict === 'number' ? verdict + 500 : verdict);
    });
  }
});

const pieces = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => Buffer.from(text)) },
    {
      weight: 2,
      arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 200 }).map((text) => Buffer.from(text)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }) },
    { weight: 2, arbitrary: fc.constantFrom(...rows.map(([, hex]) => Buffer.from(hex, 'hex'))) },
  ),
  { maxLength: 8 },
);

test('any bytes in any segmentation: the verdict and place of the decoder', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(1000), { maxLength: 6 }), (parts, places) => {
      const bytes = Buffer.concat(parts);
      const expected = reference(bytes);
      assert.equal(judge([bytes]), expected);
      assert.equal(
        judge(
          cut(
            bytes,
            places.map((place) => Math.min(place, bytes.length)),
          ),
        ),
        expected,
      );
    }),
    { numRuns: 5000 },
  );
});

test('every way to cut a text with code points of each length in two and in three', () => {
  const text = Buffer.from('aé世🌍'.repeat(2));
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      assert.equal(judge(cut(text, [first, second])), 'whole');
    }
  }
});

test('all sequences of two bytes, and of three behind each lead', () => {
  for (let first = 0x80; first < 0x100; first++) {
    for (let second = 0; second < 0x100; second++) {
      const two = Uint8Array.of(first, second);
      assert.equal(judge([two]), reference(two), `${first} ${second}`);
      for (const third of [0x41, 0x80, 0xbf, 0xc2]) {
        const three = Uint8Array.of(first, second, third);
        assert.equal(judge([three]), reference(three), `${first} ${second} ${third}`);
      }
    }
  }
});
