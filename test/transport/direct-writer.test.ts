// Small writes past the stream's queue: everything arrives, in order, whatever the system takes when.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { DirectWriter } from '../../lib/transport/direct-writer.ts';

/** Both ends of a connection. */
async function pair(): Promise<{ ours: Socket; theirs: Socket; end: () => void }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ours = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [theirs] = (await once(server, 'connection')) as [Socket];
  await once(ours, 'ready');
  return {
    ours,
    theirs,
    end: () => {
      ours.destroy();
      theirs.destroy();
      server.close();
    },
  };
}

const pattern = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => (index * 7919) % 251));

/** Writes as connections do. */
function send(socket: Socket, writer: DirectWriter, bytes: Buffer): 'direct' | 'stream' {
  if (writer.takes(bytes.length)) {
    writer.write(bytes);
    return 'direct';
  }
  socket.write(bytes);
  return 'stream';
}

test('what is written either way arrives whole and in order, also at a peer that reads late', {
  timeout: 60_000,
}, async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 100_000 })), {
    minLength: 1,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const { ours, theirs, end } = await pair();
      const writer = new DirectWriter(ours);
      const sent: Buffer[] = [];
      let at = 0;
      for (const length of lengths) {
        at = (at + 4099) % 900_000;
        const bytes = pattern.subarray(at, at + length);
        sent.push(bytes);
        send(ours, writer, bytes);
      }
      ours.end();
      const came: Buffer[] = [];
      for await (const chunk of theirs) came.push(chunk as Buffer);
      assert.ok(Buffer.concat(came).equals(Buffer.concat(sent)));
      assert.equal(writer.waitingBytes, 0);
      end();
    }),
    { numRuns: 30 },
  );
});

test('a write that the system does not take at once is counted until it did, and the stream takes over', {
  timeout: 30_000,
}, async () => {
  const { ours, theirs, end } = await pair();
  const writer = new DirectWriter(ours);
  const bytes = pattern.subarray(0, 16 * 1024);
  let count = 0;
  // Until the peer's window and our own buffers are full.
  while (writer.waitingBytes === 0 && ours.writableLength === 0 && count < 10_000) {
    send(ours, writer, bytes);
    count++;
  }
  assert.ok(writer.waitingBytes > 0, 'a write waits');
  assert.equal(writer.takes(1), false);
  const last = Buffer.from('last');
  assert.equal(send(ours, writer, last), 'stream');
  ours.end();
  let length = 0;
  let end4 = '';
  for await (const chunk of theirs) {
    length += (chunk as Buffer).length;
    end4 = (end4 + (chunk as Buffer).toString('latin1')).slice(-4);
  }
  assert.equal(length, count * bytes.length + last.length);
  assert.equal(end4, 'last');
  assert.equal(writer.waitingBytes, 0);
  end();
});

test('a peer that is gone ends the socket with an error, once', { timeout: 30_000 }, async () => {
  const { ours, theirs, end } = await pair();
  const writer = new DirectWriter(ours);
  const errors: Error[] = [];
  ours.on('error', (error) => errors.push(error));
  const closed = new Promise<void>((resolve) => ours.once('close', () => resolve()));
  theirs.resetAndDestroy();
  const timer = setInterval(() => {
    if (writer.takes(4)) writer.write(Buffer.from('gone'));
  }, 1);
  await closed;
  clearInterval(timer);
  assert.equal(errors.length, 1);
  assert.equal(writer.takes(4), false);
  end();
});

test('while the stream is corked or ended, it is used', { timeout: 30_000 }, async () => {
  const { ours, end } = await pair();
  const writer = new DirectWriter(ours);
  assert.equal(writer.takes(4), true);
  ours.cork();
  assert.equal(writer.takes(4), false);
  ours.uncork();
  assert.equal(writer.takes(4), true);
  assert.equal(writer.takes(100_000), false);
  ours.end();
  assert.equal(writer.takes(4), false);
  end();
});
