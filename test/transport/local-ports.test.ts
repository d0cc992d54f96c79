// Which local addresses and ports connections go from.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WsbenchError } from '../../lib/errors.ts';
import { allPorts, LocalPorts } from '../../lib/transport/local-ports.ts';
import { isOpen, listen, opened } from './peer.ts';

test('addresses take turns, each port once, until none is left', () => {
  const ports = new LocalPorts(['127.0.0.1', '127.0.0.2'], { first: 20_000, last: 20_001 });
  assert.equal(ports.size, 4);
  const taken = Array.from({ length: 5 }, () => ports.take()).map(
    (end) => end && `${end.address}:${end.port}`,
  );
  assert.deepEqual(taken, [
    '127.0.0.1:20000',
    '127.0.0.2:20000',
    '127.0.0.1:20001',
    '127.0.0.2:20001',
    undefined,
  ]);
});

test('what was given back comes last', () => {
  const ports = new LocalPorts(['127.0.0.1'], { first: 20_000, last: 20_003 });
  const take = (): number | undefined => ports.take()?.port;
  assert.deepEqual([take(), take()], [20_000, 20_001]);
  ports.release({ address: '127.0.0.1', port: 20_000 });
  ports.release({ address: '127.0.0.1', port: 20_000 });
  ports.release({ address: '127.0.0.9', port: 20_000 });
  ports.release({ address: '127.0.0.1', port: 9 });
  assert.deepEqual([take(), take(), take(), take()], [20_002, 20_003, 20_000, undefined]);
});

test('a start in the middle goes round', () => {
  const ports = new LocalPorts(['127.0.0.1'], { first: 20_000, last: 20_002 }, 5);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => ports.take()?.port),
    [20_002, 20_000, 20_001, undefined],
  );
});

test('an address that has none left is passed over; one that is named twice counts once', () => {
  const ports = new LocalPorts(['127.0.0.1', '127.0.0.2', '127.0.0.1'], { first: 20_000, last: 20_000 });
  assert.deepEqual(
    [ports.take()?.address, ports.take()?.address, ports.take()],
    ['127.0.0.1', '127.0.0.2', undefined],
  );
  ports.release({ address: '127.0.0.2', port: 20_000 });
  assert.equal(ports.take()?.address, '127.0.0.2');
});

test('mistakes of the user', () => {
  const wrong = (addresses: string[], range = allPorts, isOwn?: (address: string) => boolean): void => {
    assert.throws(
      () => new LocalPorts(addresses, range, 0, isOwn),
      (error) => error instanceof WsbenchError && error.code === 'USAGE',
    );
  };
  wrong([]);
  wrong(['localhost']);
  wrong(['198.51.100.1']);
  wrong(['::1'], allPorts, () => false);
  wrong(['127.0.0.1'], { first: 0, last: 10 });
  wrong(['127.0.0.1'], { first: 10, last: 9 });
  wrong(['127.0.0.1'], { first: 10, last: 65_536 });
});

test('what is said of them', () => {
  assert.equal(
    new LocalPorts(['127.0.0.1', '::1'], { first: 1, last: 2 }, 0, () => true).describe(),
    '127.0.0.1:1–2 and [::1]:1–2',
  );
});

test('connections go from them, and give them back', { timeout: 10_000 }, async (t) => {
  const seenFrom: string[] = [];
  const port = await listen(t, (socket) => {
    seenFrom.push(`${socket.remoteAddress}:${socket.remotePort}`);
    socket.on('end', () => socket.end());
    socket.resume();
  });
  const range = { first: 21_000, last: 21_999 };
  const localPorts = new LocalPorts(['127.0.0.1', '127.0.0.2'], range, process.pid % 900);
  const all = Array.from({ length: 6 }, () => opened(t, `ws://127.0.0.1:${port}/`, { localPorts }));
  for (const { seen } of all) await seen.until(isOpen);
  for (const { seen } of all) assert.equal(seen.failed, undefined);
  while (seenFrom.length < 6) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(seenFrom.filter((end) => end.startsWith('127.0.0.2:')).length, 3);
  const ends = all.map(({ connection }) => connection.local);
  assert.deepEqual(new Set(seenFrom), new Set(ends.map((end) => `${end?.address}:${end?.port}`)));
  for (const { connection } of all) connection.reset();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const again = new Set<string>();
  for (let end = localPorts.take(); end; end = localPorts.take()) again.add(`${end.address}:${end.port}`);
  assert.equal(again.size, localPorts.size, 'some were not given back');
});
