// Payloads are read place by place as they were written, and nothing that is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { Histogram, maxTimeUs } from '../../lib/metrics/histogram.ts';
import { highestOfPlaceUs, lowestOfPlaceUs, payloadConfig, readPayload } from '../../lib/metrics/payload.ts';

const time = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: maxTimeUs }));

test('a payload has the places of the histogram that it was written from', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(time, fc.integer({ min: 1, max: 300 })), { maxLength: 40 }), (times) => {
      const histogram = new Histogram();
      for (const [us, often] of times) for (let n = 0; n < often; n++) histogram.record(us);
      const payload = readPayload(histogram.encode());
      const { places, counts } = histogram.data();
      assert.deepEqual(payload.config, payloadConfig);
      assert.deepEqual([payload.places, payload.counts], [places, counts]);
      assert.equal(payload.count, histogram.count);
    }),
    { numRuns: 100 },
  );
});

test('the borders of a place are where the next one begins, and a time lies within those of its own', () => {
  for (let place = 1; place < 23_000; place++) {
    assert.equal(highestOfPlaceUs(place) + 1, lowestOfPlaceUs(place + 1), `${place}`);
  }
  for (const us of [1, 2047, 2048, 2049, 4095, 4096, 99_999, 3_000_000, maxTimeUs]) {
    const histogram = new Histogram();
    histogram.record(us);
    const [place = 0] = histogram.data().places;
    assert.ok(lowestOfPlaceUs(place) <= us && us <= highestOfPlaceUs(place), `${us}`);
  }
});

const packed = (body: Buffer): string => {
  const deflated = deflateSync(body);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(0x1c849314, 0);
  head.writeInt32BE(deflated.length, 4);
  return Buffer.concat([head, deflated]).toString('base64');
};

// biome-ignore format: a table
const bad: [string, string][] = [
  ['nothing', ''],
  ['no base64', '§§§§'],
  ['other bytes', Buffer.from('a text that is no histogram').toString('base64')],
  ['a broken stream', Buffer.from([0x1c, 0x84, 0x93, 0x14, 0, 0, 0, 4, 1, 2, 3, 4]).toString('base64')],
  ['half of one', new Histogram().encode().slice(0, 30)],
  ['an empty body', packed(Buffer.alloc(0))],
  ['a body of zeros', packed(Buffer.alloc(48))],
  ['one that inflates to megabytes', packed(Buffer.alloc(8_000_000))],
];
for (const [name, text] of bad) {
  test(`${name} is no payload`, () => {
    assert.throws(() => readPayload(text), { code: 'USAGE', message: /not an HdrHistogram payload/ });
  });
}

test('numbers that do not end and lengths that lie are no payload', () => {
  const body = Buffer.alloc(41, 0);
  body.writeUInt32BE(0x1c849313, 0);
  body.writeInt32BE(1, 4);
  body[40] = 0x80;
  assert.throws(() => readPayload(packed(body)), { code: 'USAGE' });
  body.writeInt32BE(1000, 4);
  assert.throws(() => readPayload(packed(body)), { code: 'USAGE' });
});
