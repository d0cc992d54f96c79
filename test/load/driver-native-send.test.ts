// What the native driver sends: whatever is asked of it, in whatever order and size, comes out at a ws server as it was meant.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { PerMessageDeflateOptions, ServerOptions, WebSocket } from 'ws';
import type { NativeOptions } from '../../lib/load/drivers/native.ts';
import { type Connection, createNativeDriver, type Driver } from '../../lib/load/index.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { accept, listen } from '../transport/peer.ts';
import { Notes } from './driver-contract.ts';

const timeout = 60_000;

/** A template of a size, with its number in its first bytes. */
function template(size: number, binary: boolean) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = 0x61 + ((at * 7 + size) % 26);
  const stamp = (seq: number): void => {
    for (let at = Math.min(6, size) - 1, rest = seq; at >= 0; at--, rest = Math.floor(rest / 10)) {
      bytes[at] = 0x30 + (rest % 10);
    }
  };
  return { bytes, binary, stamp };
}

/** What a server heard: kind and content. */
type Heard = [kind: 'text' | 'binary' | 'ping', content: string];

/** A server that writes down what it hears on each connection, and echoes it. */
async function startWitness(t: TestContext, perMessageDeflate: false | PerMessageDeflateOptions = false) {
  const heard: Heard[][] = [];
  const sockets: WebSocket[] = [];
  const url = await startTalkServer(
    t,
    (socket) => {
      const list: Heard[] = [];
      heard.push(list);
      sockets.push(socket);
      socket.on('message', (data, isBinary) => {
        list.push([isBinary ? 'binary' : 'text', (data as Buffer).toString('latin1')]);
        socket.send(data, { binary: isBinary });
      });
      socket.on('ping', (data) => {
        // Those of four bytes are the connection's own, whose place is not told beforehand.
        if (data.length === 6) list.push(['ping', data.toString('latin1')]);
      });
    },
    // It takes no more than 16,384 fragments by default, which is 112 KiB in sevens.
    { perMessageDeflate, maxPayload: 64 * 1024 * 1024, maxFragments: 100_000 } as ServerOptions,
  );
  return { url, heard, sockets };
}

async function connect(driver: Driver, url: string): Promise<{ sink: Notes; connection: Connection }> {
  const sink = new Notes();
  const connection = driver.open(
    { url, headers: [], subprotocols: [], timeoutMs: 10_000, insecure: false },
    sink,
  );
  await sink.until(() => sink.calls.length > 0);
  assert.deepEqual(sink.calls, ['opened']);
  return { sink, connection };
}

type Step =
  | { do: 'queue'; on: number; size: number; binary: boolean }
  | { do: 'ping number' | 'flush' | 'ping'; on: number }
  | { do: 'text'; on: number; text: string };

const on = fc.nat(1);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(130) },
  { weight: 2, arbitrary: fc.integer({ min: 120, max: 130 }) },
  { weight: 2, arbitrary: fc.nat(40_000) },
  { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 65_537, 200_000) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('queue' as const), on, size, binary: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('ping number' as const, 'flush' as const, 'ping' as const),
      on,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('text' as const), on, text: fc.string({ unit: 'grapheme' }) }),
  },
);

const takeovers: [string, false | PerMessageDeflateOptions][] = [
  ['the server declines', false],
  ['context takeover both ways', { threshold: 0 }],
  [
    'none both ways, small windows',
    {
      threshold: 0,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 9,
    },
  ],
];
const ways: [string, NativeOptions, false | PerMessageDeflateOptions, number][] = [
  ['plain', {}, false, 40],
  ['in fragments', { fragmentBytes: 7 }, false, 15],
  ['in fragments of 1000 bytes', { fragmentBytes: 1000 }, false, 15],
  ...takeovers.map(([name, deflate]): [string, NativeOptions, false | PerMessageDeflateOptions, number] => [
    `compressed, ${name}`,
    { compress: true },
    deflate,
    12,
  ]),
  ['compressed and in fragments', { compress: true, fragmentBytes: 5 }, { threshold: 0 }, 12],
];

for (const [name, options, deflate, numRuns] of ways) {
  test(`any sequence comes out in order: ${name}`, { timeout }, async (t) => {
    const witness = await startWitness(t, deflate);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        witness.heard.length = 0;
        const driver = createNativeDriver(options);
        const ends = [await connect(driver, witness.url), await connect(driver, witness.url)];
        const isCompressed = /^permessage-deflate/.test(witness.sockets.at(-1)?.extensions ?? '');
        assert.equal(isCompressed, deflate !== false);
        const expected: Heard[][] = [[], []];
        const queued: Heard[][] = [[], []];
        const flush = (index: number): void => {
          ends[index]?.connection.flush();
          expected[index]?.push(...(queued[index] ?? []).splice(0));
        };
        for (const [seq, asked] of steps.entries()) {
          const { connection } = ends[asked.on] ?? assert.fail();
          const list = queued[asked.on] ?? assert.fail();
          if (asked.do === 'queue') {
            const message = template(asked.size, asked.binary);
            assert.ok(connection.queue(message, seq, 0));
            message.stamp(seq);
            list.push([asked.binary ? 'binary' : 'text', message.bytes.toString('latin1')]);
          } else if (asked.do === 'text') {
            const isFirst = list.length === 0;
            assert.ok(connection.sendText(asked.text));
            list.push(['text', Buffer.from(asked.text).toString('latin1')]);
            if (isFirst) expected[asked.on]?.push(...list.splice(0));
          } else if (asked.do === 'ping number') {
            assert.ok(connection.queuePing(seq));
            const payload = Buffer.alloc(6);
            payload.writeUIntBE(seq, 0, 6);
            list.push(['ping', payload.toString('latin1')]);
          } else if (asked.do === 'flush') flush(asked.on);
          else connection.ping();
        }
        for (const [index, { connection, sink }] of ends.entries()) {
          flush(index);
          const messages = (expected[index] ?? []).filter(([kind]) => kind !== 'ping');
          await sink.until(() => sink.messages.length === messages.length || sink.close !== undefined);
          assert.equal(sink.close, undefined);
          assert.equal(connection.bufferedBytes, 0);
          connection.close(1000, '');
          await sink.until(() => sink.close !== undefined);
          assert.deepEqual(sink.close, { code: 1000, by: 'us', clean: true });
          assert.deepEqual(witness.heard[index], expected[index]);
          assert.deepEqual(
            sink.messages.map(({ text, opcode }) => [
              opcode === 2 ? 'binary' : 'text',
              text.toString('latin1'),
            ]),
            messages,
          );
        }
      }),
      { numRuns },
    );
  });
}

test('what waits for a slow reader does not change, whatever leaves meanwhile on others', {
  timeout,
}, async (t) => {
  const witness = await startWitness(t);
  const driver = createNativeDriver();
  const slow = await connect(driver, witness.url);
  const fast = await connect(driver, witness.url);
  witness.sockets[0]?.pause();
  const messages = [30, 3000, 20_000, 70_000].map((bytes) => template(bytes, true));
  const rounds = 150;
  for (let round = 0; round < rounds; round++) {
    for (const { connection } of [slow, fast]) {
      for (const [index, message] of messages.entries()) connection.queue(message, round * 4 + index, 0);
      connection.flush();
    }
    await fast.sink.until(() => fast.sink.messages.length === (round + 1) * messages.length);
  }
  assert.ok(slow.connection.bufferedBytes > 0, 'more was sent than the system takes');
  assert.equal(fast.connection.bufferedBytes, 0);
  witness.sockets[0]?.resume();
  await slow.sink.until(() => slow.sink.messages.length === rounds * messages.length);
  assert.equal(slow.connection.bufferedBytes, 0);
  for (const heard of witness.heard) {
    for (let seq = 0; seq < heard.length; seq++) {
      const message = messages[seq % 4] ?? assert.fail();
      message.stamp(seq);
      assert.ok(heard[seq]?.[1] === message.bytes.toString('latin1'), `message ${seq}`);
    }
  }
  for (const { connection } of [slow, fast]) connection.abort();
});

test('messages of 16 MiB, whole and in fragments', { timeout }, async (t) => {
  const witness = await startWitness(t);
  for (const fragmentBytes of [0, 100_000]) {
    const { connection, sink } = await connect(createNativeDriver({ fragmentBytes }), witness.url);
    const message = template(16 * 1024 * 1024, true);
    connection.queue(message, 77, 0);
    connection.flush();
    await sink.until(() => sink.messages.length === 1);
    message.stamp(77);
    assert.ok(sink.messages[0]?.text.equals(message.bytes));
    connection.abort();
  }
});

test('a queue that nobody flushes before the end is let go', { timeout }, async (t) => {
  const witness = await startWitness(t);
  const driver = createNativeDriver();
  const { connection, sink } = await connect(driver, witness.url);
  for (let seq = 0; seq < 1000; seq++) connection.queue(template(10, false), seq, 0);
  connection.abort();
  assert.equal(connection.queue(template(10, false), 0, 0), false);
  await sink.until(() => sink.close !== undefined);
  assert.equal(connection.bufferedBytes, 0);
  assert.deepEqual(witness.heard[0], []);
  // Closed, what was queued still goes out, before the close frame.
  const second = await connect(driver, witness.url);
  second.connection.queue(template(10, false), 5, 0);
  second.connection.close(1000, 'bye');
  await second.sink.until(() => second.sink.close !== undefined);
  assert.equal(second.sink.close?.clean, true);
  assert.equal(witness.heard[1]?.length, 1);
});

test('masking keys are new for each frame and tell nothing of the next', { timeout }, async (t) => {
  const count = 5000;
  let bytes = Buffer.alloc(0);
  const port = await listen(t, (socket) =>
    accept(socket, () =>
      socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
      }),
    ),
  );
  const { connection } = await connect(createNativeDriver(), `ws://127.0.0.1:${port}/`);
  const message = template(4, false);
  for (let seq = 0; seq < count; seq++) connection.queue(message, seq, 0);
  connection.flush();
  while (bytes.length < count * 10) await new Promise((resolve) => setTimeout(resolve, 5));
  connection.abort();
  const keys = Array.from({ length: count }, (_, index) => bytes.readUInt32BE(index * 10 + 2));
  // By chance two of 5,000 are the same in three of a thousand runs, and three in one of a million.
  assert.ok(new Set(keys).size >= count - 2);
  const steps = keys.slice(1).map((key, index) => (key - (keys[index] ?? 0)) >>> 0);
  assert.ok(new Set(steps).size >= count - 3, 'no two follow each other in the same way');
  for (let bit = 0; bit < 32; bit++) {
    const share = keys.filter((key) => (key >>> bit) & 1).length / count;
    // Eight standard deviations.
    assert.ok(share > 0.44 && share < 0.56, `bit ${bit} is set in ${share}`);
  }
});
