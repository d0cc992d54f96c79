// What the native driver receives: any cut of any output of a server, pings in between, compressed by any agreement.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { PerMessageDeflateOptions } from 'ws';
import { type Connection, createNativeDriver } from '../../lib/load/index.ts';
import { encodeFrame, opcodes } from '../../lib/protocol/frame.ts';
import { FrameParser } from '../../lib/protocol/parser.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { accept, listen } from '../transport/peer.ts';
import { Notes } from './driver-contract.ts';

const timeout = 60_000;

function connect(port: number, compress = false): { sink: Notes; connection: Connection } {
  const sink = new Notes();
  const url = `ws://127.0.0.1:${port}/`;
  const spec = { url, headers: [], subprotocols: [], timeoutMs: 10_000, insecure: false };
  return { sink, connection: createNativeDriver({ compress }).open(spec, sink) };
}

/** Reads what a client sends: its frames, as opcode and content. */
function framesOf(socket: Socket): { opcode: number; content: string }[] {
  const frames: { opcode: number; content: string }[] = [];
  const parser = new FrameParser(
    {
      frame: (_fin, _rsv, opcode) => frames.push({ opcode, content: '' }) > 0,
      payload: (buf, start, end) => {
        const last = frames.at(-1);
        if (last) last.content += buf.toString('latin1', start, end);
        return true;
      },
      frameEnd: () => true,
      violation: (broken) => assert.fail(broken.reason),
    },
    { role: 'server', strict: true, allowedRsv: 0 },
  );
  socket.on('data', (chunk) => parser.push(chunk));
  return frames;
}

/** A message in fragments, pings between them. */
const message = fc.record({
  text: fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { minLength: 1, maxLength: 4 }),
  pings: fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 20 }), { maxLength: 3 }),
});

test('any cut of fragments with pings in between: messages whole and in order, pings answered in order', {
  timeout,
}, async (t) => {
  let output = Buffer.alloc(0);
  let sizes: number[] = [];
  let seen: { opcode: number; content: string }[] = [];
  const port = await listen(t, (socket) =>
    accept(socket, async () => {
      seen = framesOf(socket);
      for (let at = 0, turn = 0; at < output.length; turn++) {
        const end = at + (sizes[turn % sizes.length] ?? output.length);
        socket.write(output.subarray(at, end));
        at = end;
        // Written at once, pieces would come together.
        if (turn % 3 === 0) await sleep(0);
      }
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
      async (messages, cuts) => {
        const frames = messages.flatMap(({ text, pings }) =>
          text.flatMap((part, index) => [
            encodeFrame({
              opcode: index === 0 ? opcodes.text : opcodes.continuation,
              fin: index === text.length - 1,
              payload: Buffer.from(part),
            }),
            ...(pings[index] === undefined
              ? []
              : [encodeFrame({ opcode: opcodes.ping, payload: Buffer.from(pings[index]) })]),
          ]),
        );
        const pings = messages.flatMap(({ text, pings: all }) => all.slice(0, text.length));
        output = Buffer.concat(frames);
        sizes = cuts;
        const { sink, connection } = connect(port);
        await sink.until(() => sink.messages.length === messages.length || sink.close !== undefined);
        assert.deepEqual(
          sink.messages.map(({ text, opcode }) => [opcode, String(text)]),
          messages.map(({ text }) => [1, text.join('')]),
        );
        // The last pings may still be on their way.
        while (seen.length < pings.length) await sleep(1);
        connection.close(1000, '');
        while (seen.at(-1)?.opcode !== opcodes.close) await sleep(1);
        assert.deepEqual(
          seen.slice(0, -1),
          pings.map((content) => ({
            opcode: opcodes.pong,
            content: Buffer.from(content).toString('latin1'),
          })),
        );
        connection.abort();
      },
    ),
    { numRuns: 40 },
  );
});

const agreements: [string, PerMessageDeflateOptions][] = [
  ['context takeover both ways', {}],
  ['no context takeover by the server', { serverNoContextTakeover: true }],
  ['no context takeover by the client', { clientNoContextTakeover: true }],
  ['windows of 9 and 10 bits', { serverMaxWindowBits: 9, clientMaxWindowBits: 10 }],
];
for (const [name, options] of agreements) {
  test(`compressed replies: ${name}`, { timeout }, async (t) => {
    const texts = Array.from({ length: 60 }, (_, index) =>
      index % 10 === 9 ? '' : `reply ${index} ${'again and again, héllo '.repeat(index * 3)}`,
    );
    const url = await startTalkServer(
      t,
      (socket) => {
        for (const text of texts) socket.send(text);
        socket.on('message', (data) => socket.send(String(data).toUpperCase()));
      },
      { perMessageDeflate: { threshold: 0, ...options } },
    );
    const { sink, connection } = connect(Number(new URL(url).port), true);
    await sink.until(() => sink.messages.length === texts.length);
    connection.sendText('and back');
    connection.ping();
    await sink.until(() => sink.messages.length === texts.length + 1 && sink.pongs.length === 1);
    assert.deepEqual(
      sink.messages.map(({ text }) => String(text)),
      [...texts, 'AND BACK'],
    );
    connection.close(1000, '');
    await sink.until(() => sink.close !== undefined);
    assert.deepEqual(sink.close, { code: 1000, by: 'us', clean: true });
  });
}

const deflates = ['Sec-WebSocket-Extensions: permessage-deflate'];

/** Opens a connection to a server that says some frames, and returns how it ended. */
async function endOf(t: TestContext, frames: Buffer): Promise<Notes> {
  const port = await listen(t, (socket) => {
    socket.on('end', () => socket.end());
    accept(socket, () => {}, frames, deflates);
  });
  const { sink } = connect(port, true);
  await sink.until(() => sink.close !== undefined);
  return sink;
}

test('what cannot be inflated, is too large, or is no UTF-8 once inflated, is a violation', {
  timeout,
}, async (t) => {
  const cases: [payload: string, says: RegExp, code: number][] = [
    ['ffffff', /compressed message that cannot be inflated.*RFC 7692/, 1007],
    // 0xff as a stored block.
    ['000100feffff00', /invalid UTF-8/, 1007],
  ];
  for (const [payload, says, code] of cases) {
    const frame = encodeFrame({ opcode: opcodes.text, rsv: 4, payload: Buffer.from(payload, 'hex') });
    const sink = await endOf(t, frame);
    assert.equal(sink.failure?.kind, 'protocol');
    assert.match(sink.failure?.detail ?? '', says);
    assert.deepEqual(sink.close, { code, by: 'us', clean: false });
  }
  const [sink] = [await endOf(t, encodeFrame({ opcode: opcodes.ping, rsv: 4 }))];
  assert.match(sink.failure?.detail ?? '', /reserved bit/);
});

test('a server that closes the TCP connection without a word, or never does, after close frames', {
  timeout,
}, async (t) => {
  const close = encodeFrame({ opcode: opcodes.close, payload: Buffer.from([0x03, 0xe8]) });
  const late = encodeFrame({ opcode: opcodes.text, payload: Buffer.from('too late') });
  const stubborn = await listen(t, (socket) => accept(socket, () => {}, Buffer.concat([close, late])));
  const { sink } = connect(stubborn);
  const startedMs = performance.now();
  await sink.until(() => sink.close !== undefined);
  assert.ok(performance.now() - startedMs > 1500, 'it is waited for');
  assert.deepEqual(sink.close, { code: 1000, by: 'peer', clean: true });
  assert.deepEqual(sink.calls, ['opened', 'closed'], 'nothing counts after a close frame');

  const silent = await listen(t, (socket) => accept(socket, () => {}));
  const second = connect(silent);
  await second.sink.until(() => second.sink.calls.length > 0);
  second.connection.close(1000, '');
  await second.sink.until(() => second.sink.close !== undefined);
  assert.deepEqual(second.sink.close, { code: 1006, by: 'us', clean: false });

  const rude = await listen(t, (socket) => accept(socket, () => socket.end()));
  const third = connect(rude);
  await third.sink.until(() => third.sink.close !== undefined);
  assert.deepEqual(third.sink.close, { code: 1006, by: 'none', clean: false });
});
