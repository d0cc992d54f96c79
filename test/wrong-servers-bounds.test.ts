// Servers that would fill the memory or never end: runs against them stay within bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quick, stress } from '../lib/index.ts';
import { type Script, startRaw } from './fixtures/raw-websocket.ts';

const scenario = new URL('../../test/fixtures/wrong-servers.yml', import.meta.url).pathname;
const mostBytes = 200 * 1024 * 1024;
const mostMs = 20_000;

const text = Buffer.alloc(64 * 1024, 0x61);
const servers: Record<string, Script & { says: RegExp[] }> = {
  'a frame with a length of 2^63 and an endless body': {
    says: [/violation.*2\^53 bytes or more/, /connect: .*2\^53 bytes or more/],
    opened: (peer) => {
      peer.socket.write(Buffer.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]));
      pour(() => peer.socket.write(text), peer.socket);
    },
  },
  'headers that never end': {
    says: [/no connection.*longer than 16 KiB/, /connect: .*longer than 16 KiB/],
    answer: (_key, _index, socket) => {
      pour(() => socket.write(text), socket);
      return 'HTTP/1.1 101 X\r\nX-Long: ';
    },
  },
  'a body that never ends': {
    says: [/no connection.*HTTP 500 X; body: a{200} /, /connect: .*HTTP 500 X/],
    answer: (_key, _index, socket) => {
      pour(() => socket.write(text), socket);
      return 'HTTP/1.1 500 X\r\nContent-Length: 1000000000000\r\n\r\n';
    },
  },
  'pushes as fast as they are taken': {
    // Allowed, and the echoes come all the same.
    says: [],
    opened: (peer) => pour(() => peer.socket.write(pushes), peer.socket),
  },
  'pings as fast as they are taken': {
    says: [/violation.*flood of pings/, /connect: .*flood of pings/],
    opened: (peer) => pour(() => peer.socket.write(pings), peer.socket),
  },
};
const pushes = Buffer.concat(
  Array.from({ length: 200 }, () => Buffer.from([0x81, 4, 0x70, 0x75, 0x73, 0x68])),
);
const pings = Buffer.concat(Array.from({ length: 200 }, () => Buffer.from([0x89, 0])));

/** Calls `write` again and again, as long as it says that there is room. */
function pour(write: () => boolean, socket: import('node:net').Socket): void {
  const more = (): void => {
    if (socket.writable && write()) setImmediate(more);
  };
  socket.on('drain', more);
  setImmediate(more);
}

for (const [name, { says, ...script }] of Object.entries(servers)) {
  test(name, { timeout: 60_000 }, async (t) => {
    const { url } = await startRaw(t, script);
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    t.after(() => clearInterval(watch));
    const startedMs = performance.now();
    const load = await stress(url, { scenario, preset: 'echo', connections: 2 });
    const checks = await quick(url, { preset: 'echo', timeoutMs: 500, connections: 2 });
    const said = [...load.reasons, ...load.warnings, ...checks.reasons]
      .map(({ message }) => message)
      .join('\n');
    for (const pattern of says) assert.match(said, pattern);
    assert.ok(performance.now() - startedMs < mostMs, `${performance.now() - startedMs} ms`);
    assert.ok(most - before < mostBytes, `${Math.round((most - before) / 1024 / 1024)} MiB more`);
    t.diagnostic(`${Math.round((most - before) / 1024 / 1024)} MiB more`);
  });
}
