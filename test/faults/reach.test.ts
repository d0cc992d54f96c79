// Before there is a connection: names, refusals that are counted and not tried again, handshakes that lie about compression.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { emptyFolder, run } from '../cli/spawn.ts';
import { ended } from '../fixtures/ended.ts';
import { noNetworks, ownNetwork } from '../fixtures/privileged.ts';
import { serverFrame, startRaw, switching } from '../fixtures/raw-websocket.ts';
import { isLong } from '../require.ts';

const short = [
  '--preset',
  'echo',
  '-c',
  '8',
  '-r',
  '100/s',
  '-d',
  '1s',
  '-t',
  '500ms',
  '--json',
  '--no-save',
  '-q',
];

describe('names', () => {
  test('a name that does not exist: exit 3, with the name', { timeout: 60_000 }, async (t) => {
    const finished = await run(['stress', 'ws://no-such-host.invalid/', ...short], { cwd: emptyFolder(t) });
    const { failures, counters } = ended(finished, 3);
    assert.equal(failures[0]?.kind, 'dns');
    assert.match(finished.stderr, /exit 3: .*no-such-host\.invalid/);
    assert.equal(counters['messages.scheduled'], 0);
  });

  test('no name server that answers (EAI_AGAIN): exit 3, told apart', {
    timeout: 60_000,
    skip: noNetworks,
  }, async (t) => {
    const { prefix } = ownNetwork(t);
    const finished = await run(['stress', 'ws://echo.example/', ...short], { cwd: emptyFolder(t), prefix });
    const { failures } = ended(finished, 3);
    assert.equal(failures[0]?.kind, 'dns');
    assert.match(failures[0]?.detail ?? '', /EAI_AGAIN echo\.example/);
  });
});

describe('refusals', { concurrency: 2 }, () => {
  const tooMany = 'HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n';
  for (const retryAfter of ['0', 'soon', '315360000', 'Thu, 01 Jan 2032 00:00:00 GMT']) {
    test(`some upgrades get a 429 (Retry-After: ${retryAfter}): counted, not tried again`, {
      timeout: 60_000,
    }, async (t) => {
      let upgrades = 0;
      const { url } = await startRaw(t, {
        answer: (key) =>
          ++upgrades % 2 === 0 ? switching(key) : `${tooMany}Retry-After: ${retryAfter}\r\n\r\n`,
      });
      const { counters, failures, reasons } = ended(
        await run(['stress', url, ...short], { cwd: emptyFolder(t) }),
        99,
      );
      assert.equal(upgrades, 8);
      assert.equal(counters['connections.attempted'], 8);
      assert.equal(counters['connections.failed'], 4);
      assert.ok(failures[0]?.detail.includes(`Retry-After: ${retryAfter}`), failures[0]?.detail);
      assert.ok(reasons.some(({ message }) => message.startsWith('connections.failed 4')));
      // Those that were refused would have carried half of the load.
      assert.equal(counters['messages.unsent'], 50);
    });
  }
});

describe('compression', { concurrency: 2 }, () => {
  // biome-ignore format: a table
  const answers: [name: string, extensions: string, detail: RegExp][] = [
    ['a window of 99 bits', 'permessage-deflate; server_max_window_bits=99', /server_max_window_bits/],
    ['a window without a value', 'permessage-deflate; server_max_window_bits', /server_max_window_bits/],
    ['a parameter that nobody knows', 'permessage-deflate; turbo', /turbo/],
    ['a parameter twice', 'permessage-deflate; server_no_context_takeover; server_no_context_takeover', /server_no_context_takeover/],
    ['another extension', 'permessage-bzip2', /not offered/],
  ];
  for (const [name, extensions, detail] of answers) {
    test(`the answer agrees on ${name}: exit 3`, { timeout: 60_000 }, async (t) => {
      const { url } = await startRaw(t, { headers: `Sec-WebSocket-Extensions: ${extensions}\r\n` });
      const finished = await run(['stress', url, '--compress', ...short], { cwd: emptyFolder(t) });
      const { failures } = ended(finished, 3);
      assert.equal(failures[0]?.kind, 'extension');
      assert.match(failures[0]?.detail ?? '', detail);
    });
  }

  // A megabyte of zeros is a kilobyte.
  const bomb = deflateRawSync(Buffer.alloc((isLong ? 512 : 64) * 1024 * 1024)).subarray(0, -1);
  // biome-ignore format: a table
  const frames: [name: string, payload: Buffer, code: number, detail: RegExp][] = [
    ['a bomb', bomb, 1009, /longer than wsbench takes|more than/],
    ['no deflate at all', Buffer.from('not compressed at all'), 1007, /deflate|compress/i],
    ['an end in the middle', Buffer.from([0x4a]), 1007, /deflate|compress|UTF-8/i],
  ];
  for (const [name, payload, closeCode, detail] of frames) {
    test(`a compressed message is ${name}: a violation, and the run goes on`, {
      timeout: 60_000,
    }, async (t) => {
      const { url } = await startRaw(t, {
        headers: 'Sec-WebSocket-Extensions: permessage-deflate\r\n',
        lenient: true,
        // The first connection gets it; the others get their messages back as they sent them.
        message: (peer, first, echo) =>
          peer.index === 0 && peer.count === 3
            ? void peer.socket.write(serverFrame(0xc2, payload))
            : peer.send(first, echo),
      });
      const finished = await run(['stress', url, '--compress', ...short], { cwd: emptyFolder(t) });
      const { counters, closes, violations = [] } = ended(finished, 99);
      assert.equal(counters.protocol_errors, 1);
      assert.equal(closes.find(({ by, code }) => by === 'us' && code !== 1000)?.code, closeCode);
      assert.match(violations[0]?.detail ?? '', detail);
      assert.ok(counters['messages.matched'] > 70, `${counters['messages.matched']} matched`);
    });
  }
});
