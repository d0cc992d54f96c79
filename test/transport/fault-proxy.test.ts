// The fault proxy does what it is told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type FaultProxy, type Plan, startFaultProxy } from '../fixtures/fault-proxy.ts';

/** An echo server behind a proxy. */
async function echoBehind(t: TestContext, plan: Plan | ((connection: number) => Plan)): Promise<FaultProxy> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startFaultProxy((server.address() as AddressInfo).port, plan);
  t.after(async () => {
    await proxy.close();
    server.close();
  });
  return proxy;
}

interface Seen {
  socket: Socket;
  reads: Buffer[];
  over: Promise<string>;
}

function client(t: TestContext, { port }: FaultProxy): Seen {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  t.after(() => socket.destroy());
  const reads: Buffer[] = [];
  socket.on('data', (chunk) => reads.push(chunk));
  const over = new Promise<string>((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
  return { socket, reads, over };
}

const text = Buffer.from('0123456789'.repeat(20));
const soon = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve('silence'), ms));

test('without faults it passes all on, and a half-close too', { timeout: 10_000 }, async (t) => {
  const { socket, reads, over } = client(t, await echoBehind(t, {}));
  socket.end(text);
  assert.equal(await over, 'end');
  assert.ok(Buffer.concat(reads).equals(text));
});

test('delay', { timeout: 10_000 }, async (t) => {
  const { socket, reads, over } = client(
    t,
    await echoBehind(t, { up: { delayMs: 60 }, down: { delayMs: 60 } }),
  );
  const startMs = performance.now();
  socket.end(text);
  await over;
  assert.ok(performance.now() - startMs >= 110);
  assert.ok(Buffer.concat(reads).equals(text));
});

test('rate', { timeout: 10_000 }, async (t) => {
  const { socket, reads, over } = client(t, await echoBehind(t, { down: { bytesPerSecond: 2000 } }));
  const startMs = performance.now();
  socket.end(text);
  await over;
  assert.ok(performance.now() - startMs >= 80, '200 bytes at 2,000 a second');
  assert.ok(Buffer.concat(reads).equals(text));
});

test('slices', { timeout: 10_000 }, async (t) => {
  const { socket, reads, over } = client(
    t,
    await echoBehind(t, { down: { sliceBytes: 1, bytesPerSecond: 100_000 } }),
  );
  socket.end(text.subarray(0, 20));
  await over;
  assert.ok(Buffer.concat(reads).equals(text.subarray(0, 20)));
  assert.ok(reads.length > 10, `${reads.length} reads`);
});

for (const [what, result] of [
  ['cut', 'end'],
  ['reset', 'ECONNRESET'],
  ['end', 'end'],
  ['stall', 'silence'],
] as const) {
  test(`${what} after 50 bytes`, { timeout: 10_000 }, async (t) => {
    const { socket, reads, over } = client(t, await echoBehind(t, { down: { after: { bytes: 50, what } } }));
    socket.write(text);
    assert.equal(await Promise.race([over, soon(150)]), result);
    // A RST takes with it what was not read yet.
    if (what !== 'reset') assert.ok(Buffer.concat(reads).equals(text.subarray(0, 50)));
  });
}

test('each connection has its own plan', { timeout: 10_000 }, async (t) => {
  const proxy = await echoBehind(t, (connection) =>
    connection === 0 ? { accept: 'reset' } : connection === 1 ? { accept: 'stall' } : {},
  );
  assert.equal(await client(t, proxy).over, 'ECONNRESET');
  const stalled = client(t, proxy);
  stalled.socket.end(text);
  assert.equal(await Promise.race([stalled.over, soon(100)]), 'silence');
  const good = client(t, proxy);
  good.socket.end(text);
  assert.equal(await good.over, 'end');
  assert.equal(proxy.connections, 3);
});
