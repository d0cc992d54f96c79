// The content of compressed messages: of the sizes that Autobahn's files have, as compressible, and always the same.
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { CompressedMessages } from '../../lib/conform/compressed-messages.ts';
import { type CorpusName, corpusOf, corpusSpecs } from '../../lib/conform/corpora.ts';
import { MessageInflater } from '../../lib/protocol/deflate.ts';

const names = Object.keys(corpusSpecs) as CorpusName[];

// biome-ignore format: a table
const sizes: Record<CorpusName, { bytes: number; ratio: [number, number] }> = {
  json: { bytes: 194_056, ratio: [0.1, 0.35] },
  bitmap: { bytes: 263_222, ratio: [0.75, 0.95] },
  prose: { bytes: 222_218, ratio: [0.25, 0.5] },
  html: { bytes: 263_647, ratio: [0.1, 0.3] },
  pdf: { bytes: 1_042_328, ratio: [0.9, 1] },
};

for (const name of names) {
  test(`${name} has its size and compresses as its kind does`, () => {
    const { make, binary, length } = corpusSpecs[name];
    const bytes = make();
    const { bytes: size, ratio } = sizes[name];
    assert.equal(bytes.length, size);
    if (!binary) assert.equal([...bytes.toString()].length, length);
    const compressed = deflateRawSync(bytes).length / size;
    assert.ok(compressed > ratio[0] && compressed < ratio[1], String(compressed));
    const hash = (): string => createHash('sha256').update(make()).digest('hex');
    assert.equal(hash(), createHash('sha256').update(bytes).digest('hex'));
  });

  test(`messages of ${name} follow one another, round and round, and texts are cut between code points`, () => {
    const corpus = corpusOf(name);
    const size = 40_000;
    const count = Math.ceil((2 * corpus.length) / size);
    const messages = Array.from({ length: count }, (_, index) => corpus.message(index, size));
    const twice = Buffer.concat([
      corpusSpecs[name].make(),
      corpusSpecs[name].make(),
      corpusSpecs[name].make(),
    ]);
    const joined = Buffer.concat(messages);
    assert.ok(twice.subarray(0, joined.length).equals(joined));
    if (!corpusSpecs[name].binary) {
      for (const message of messages) {
        assert.ok(isUtf8(message));
        assert.equal([...message.toString()].length, size);
      }
    }
  });
}

test('prose is no UTF-8', () => {
  assert.equal(isUtf8(corpusSpecs.prose.make()), false);
});

test('equal loads are compressed once, and messages of a context can be inflated in order', () => {
  const cache = new CompressedMessages();
  const key = { corpus: 'json', size: 1024, windowBits: 15, contextTakeover: false } as const;
  assert.equal(cache.of(key), cache.of({ ...key }));
  assert.notEqual(cache.of(key), cache.of({ ...key, contextTakeover: true }));
  for (const direction of [
    key,
    { ...key, contextTakeover: true },
    { ...key, windowBits: 9, contextTakeover: true },
  ]) {
    const series = cache.of(direction);
    const inflater = new MessageInflater(direction, 1 << 20);
    for (let index = 0; index < 20; index++) {
      assert.deepEqual(inflater.inflate(series.compressed(index)), series.plain(index));
    }
  }
});
