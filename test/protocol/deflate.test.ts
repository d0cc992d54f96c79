// permessage-deflate with the examples of RFC 7692 §7.2.3, both ways that we have to do it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type DeflateDirection, MessageDeflater, MessageInflater } from '../../lib/protocol/deflate.ts';
import { DeflateStream, InflateStream } from '../../lib/protocol/deflate-stream.ts';
import { History } from '../../lib/protocol/history.ts';
import type { Violation } from '../../lib/protocol/rules.ts';

const maxBytes = 1_000_000;
const usual: DeflateDirection = { windowBits: 15, contextTakeover: true };

type Inflated = Buffer | Violation;
/** The two inflaters, as one shape. */
const inflaters: Record<
  string,
  (direction: DeflateDirection, max?: number) => (payload: Uint8Array) => Promise<Inflated>
> = {
  'message by message': (direction, max = maxBytes) => {
    const inflater = new MessageInflater(direction, max);
    return async (payload) => inflater.inflate(payload);
  },
  'as a stream': (direction, max = maxBytes) => {
    const stream = new InflateStream(direction, max);
    return (payload) => new Promise((resolve) => stream.inflate(payload, resolve));
  },
};
const deflaters: Record<
  string,
  (direction: DeflateDirection, level?: number) => (message: Uint8Array) => Promise<Buffer>
> = {
  'message by message': (direction, level) => {
    const deflater = new MessageDeflater(direction, level);
    return async (message) => deflater.deflate(message);
  },
  'as a stream': (direction, level) => {
    const stream = new DeflateStream(direction, level);
    return (message) => new Promise((resolve) => stream.deflate(message, resolve));
  },
};

// biome-ignore format: a table
const examples: [name: string, payloads: string[], messages: string[]][] = [
  ['§7.2.3.1 one block', ['f248cdc9c90700'], ['Hello']],
  ['§7.2.3.2 a shared window', ['f248cdc9c90700', 'f200110000'], ['Hello', 'Hello']],
  ['§7.2.3.3 a stored block', ['000500faff48656c6c6f00'], ['Hello']],
  ['§7.2.3.4 a final block', ['f348cdc9c9070000'], ['Hello']],
  ['§7.2.3.4 the window goes on after it', ['f348cdc9c9070000', 'f200110000'], ['Hello', 'Hello']],
  ['§7.2.3.5 two blocks', ['f248050000 00ffffcac9c90700'.replace(' ', '')], ['Hello']],
  ['§7.2.3.6 nothing', ['00'], ['']],
  ['an empty block that is compressed', ['0200'], ['']],
  ['two final blocks', ['f348cdc9c90700f348cdc9c9070000'], ['HelloHello']],
  ['two final blocks, the second referring to the first', ['f348cdc9c90700f300110000'], ['HelloHello']],
];

for (const [how, create] of Object.entries(inflaters)) {
  describe(`the examples of RFC 7692 §7.2.3, ${how}`, () => {
    for (const [name, payloads, messages] of examples) {
      test(name, { timeout: 10_000 }, async () => {
        const inflate = create(usual);
        const seen: string[] = [];
        for (const payload of payloads) {
          const message = await inflate(Buffer.from(payload, 'hex'));
          assert.ok(Buffer.isBuffer(message), JSON.stringify(message));
          seen.push(message.toString());
        }
        assert.deepEqual(seen, messages);
      });
    }
  });

  test(`a bomb is bounded, ${how}`, { timeout: 20_000 }, async () => {
    const bomb = new MessageDeflater(usual, 9).deflate(Buffer.alloc(64 * 2 ** 20));
    assert.ok(bomb.length < 100_000);
    const before = process.memoryUsage().rss;
    const broken = await create(usual, 10_000)(bomb);
    assert.ok(!Buffer.isBuffer(broken) && broken.rule === 'too-large' && broken.closeCode === 1009);
    assert.ok(process.memoryUsage().rss - before < 32 * 2 ** 20, 'it was inflated');
  });

  test(`the bound itself is allowed, ${how}`, { timeout: 10_000 }, async () => {
    const payload = new MessageDeflater(usual).deflate(Buffer.alloc(1000));
    assert.equal(((await create(usual, 1000)(payload)) as Buffer).length, 1000);
    const broken = await create(usual, 999)(payload);
    assert.ok(!Buffer.isBuffer(broken) && broken.rule === 'too-large');
    assert.equal(((await create(usual, 0)(Buffer.from([0]))) as Buffer).length, 0);
  });
}

test('endless final blocks are bounded', () => {
  const block = Buffer.from('030001000 0ffff'.replace(' ', ''), 'hex');
  const payload = Buffer.concat(Array.from({ length: 100_000 }, () => block));
  const broken = new MessageInflater(usual, maxBytes).inflate(payload);
  assert.ok(!Buffer.isBuffer(broken) && /final blocks/.test(broken.reason));
});

test('a payload of three bytes that breaks off', () => {
  for (const payload of ['', 'f2', 'f248cd', 'f348cdc9c90700']) {
    const broken = new MessageInflater(usual, maxBytes).inflate(Buffer.from(payload, 'hex'));
    assert.ok(!Buffer.isBuffer(broken) && broken.rule === 'inflate' && broken.closeCode === 1007, payload);
  }
});

test('after a broken payload a stream keeps saying so', { timeout: 10_000 }, async () => {
  const inflate = inflaters['as a stream']?.(usual);
  assert.ok(inflate);
  const broken = await inflate(Buffer.from('ffff', 'hex'));
  assert.ok(!Buffer.isBuffer(broken) && broken.rule === 'inflate');
});

test('what is further back than the window is a violation', () => {
  const random = Buffer.from(
    Array.from({ length: 4000 }, (_, index) => (index * index * 31 + (index >> 3)) & 255),
  );
  const repeated = Buffer.concat([random.subarray(0, 2000), random.subarray(0, 2000)]);
  // Deflated with a window of 4 KiB, and so with references over 2,000 bytes.
  const payload = new MessageDeflater({ windowBits: 12, contextTakeover: true }).deflate(repeated);
  const wide = new MessageInflater({ windowBits: 12, contextTakeover: true }, maxBytes).inflate(payload);
  assert.ok(Buffer.isBuffer(wide) && wide.equals(repeated));
  const narrow = new MessageInflater({ windowBits: 9, contextTakeover: true }, maxBytes).inflate(payload);
  assert.ok(!Buffer.isBuffer(narrow) && narrow.rule === 'inflate');
});

const word = fc.constantFrom(
  '{"type":"ECHO","id":',
  'payload',
  'aaaaaaaaaaaaaaaa',
  '0123456789',
  '世界',
  '}',
);
const messages = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.array(word, { maxLength: 80 }).map((words) => Buffer.from(words.join(''))) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 80_000 }).map((size) => Buffer.from('abcdefg '.repeat(size >> 3))),
    },
  ),
  { maxLength: 6 },
);
const directions = fc.record({ windowBits: fc.integer({ min: 8, max: 15 }), contextTakeover: fc.boolean() });

test('what is deflated is inflated again, all four ways', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(messages, directions, fc.integer({ min: 0, max: 9 }), async (sent, direction, level) => {
      for (const deflater of Object.values(deflaters)) {
        const deflate = deflater(direction, level);
        const ways = Object.values(inflaters).map((inflater) => inflater(direction));
        for (const message of sent) {
          const payload = await deflate(message);
          for (const inflate of ways) {
            const seen = await inflate(payload);
            assert.ok(Buffer.isBuffer(seen), JSON.stringify(seen));
            assert.ok(seen.equals(message));
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('any bytes: both inflaters say the same, and nothing is thrown', { timeout: 120_000 }, async () => {
  const payloads = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .constantFrom(...examples.flatMap(([, list]) => list))
      .map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
  );
  await fc.assert(
    fc.asyncProperty(payloads, directions, async (payload, direction) => {
      const strict = await inflaters['message by message']?.(direction, 10_000)(payload);
      const stream = await inflaters['as a stream']?.(direction, 10_000)(payload);
      // What breaks off within a block is seen by one only.
      if (Buffer.isBuffer(strict)) assert.deepEqual(stream, strict);
      else if (!Buffer.isBuffer(stream)) assert.deepEqual(stream, strict);
    }),
    { numRuns: 1000 },
  );
});

test('streams keep their order, also for what is not compressed', { timeout: 10_000 }, async () => {
  const deflate = new DeflateStream(usual);
  const inflate = new InflateStream(usual, maxBytes);
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    for (let index = 0; index < 200; index++) {
      deflate.deflate(Buffer.from(index % 5 === 0 ? '' : `message ${index}`), (payload) => {
        inflate.inflate(payload, (message) => seen.push(`${index}:${message}`));
        inflate.inOrder(() => seen.push(`plain ${index}`));
        if (index === 199) inflate.inOrder(resolve);
      });
    }
  });
  assert.deepEqual(
    seen,
    Array.from({ length: 200 }, (_, index) => [
      `${index}:${index % 5 === 0 ? '' : `message ${index}`}`,
      `plain ${index}`,
    ]).flat(),
  );
});

test('thousands that are done at once do not exhaust the stack', { timeout: 10_000 }, async () => {
  const deflate = new DeflateStream(usual);
  let done = 0;
  await new Promise<void>((resolve) => {
    deflate.deflate(Buffer.from('first'), () => {});
    for (let index = 0; index < 50_000; index++)
      deflate.deflate(Buffer.alloc(0), () => ++done === 50_000 && resolve());
  });
  assert.equal(done, 50_000);
});

test('a closed stream calls nobody back', { timeout: 10_000 }, async () => {
  const deflate = new DeflateStream(usual);
  const inflate = new InflateStream(usual, maxBytes);
  const late = (): void => assert.fail('called back');
  deflate.deflate(Buffer.from('a'), late);
  deflate.deflate(Buffer.from('b'), late);
  inflate.inflate(Buffer.from('f248cdc9c90700', 'hex'), late);
  deflate.close();
  inflate.close();
  deflate.deflate(Buffer.from('c'), late);
  inflate.inOrder(late);
  await new Promise((resolve) => setTimeout(resolve, 50));
});

test('a history keeps the last bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), fc.nat(64), (parts, most) => {
      const history = new History(most);
      let all: number[] = [];
      for (const part of parts) {
        history.add(part);
        all = [...all, ...part];
        assert.deepEqual([...history.read()], most === 0 ? [] : all.slice(-most));
      }
    }),
    { numRuns: 1000 },
  );
});
