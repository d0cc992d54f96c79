// What servers do wrong, one row each, and what the client has to make of it.
import type { ClientOptions } from '../../lib/client/index.ts';
import { frame, type RawConnection } from './raw-server.ts';

/** A row. */
export interface Hostility {
  name: string;
  serve: (connection: RawConnection) => void;
  options?: ClientOptions;
  /** It sends much, so it is measured alone. */
  isAlone?: boolean;
  expect: {
    /** What the first connection, or attempt at one, ended with; undefined when it does not end until `close()`. */
    code?: number;
    by?: 'server' | 'client' | 'network';
    httpStatus?: number;
    /** The close code that the server got. */
    sent?: number;
    /** What the promises end with: `connect`, and others where they are told. */
    connect: string;
    results?: Record<string, string>;
    /** At least so many. */
    violations?: number;
    /** The waits between attempts are within these. */
    delayMs?: [number, number];
    heard?: unknown[];
    /** Messages that the client sent at most. */
    maxTexts?: number;
  };
}

const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
const refused = { code: 1006, connect: 'ATTEMPTS' } as const;
const year = 365 * 86_400_000;

/** Sends `next()` whenever there is room, until the connection ends. */
function pour({ socket }: RawConnection, next: () => Buffer | string, pauseMs = 0): void {
  const more = (): void => {
    if (socket.destroyed || !socket.writable) return;
    if (socket.write(next())) setTimeout(more, pauseMs);
    else socket.once('drain', () => setTimeout(more, pauseMs));
  };
  more();
}

/** Answers every request as a right server would, as far as this client is concerned. */
function honest(
  connection: RawConnection,
  change: (answer: object, type: string) => object[] = (one) => [one],
): void {
  connection.messages(({ type, id, payload }) => {
    const answers: Record<string, object> = {
      ECHO: { type: 'ECHO', id, payload },
      PING: { type: 'PONG', id },
      PUBLISH: {
        type: 'ACK',
        id,
        payload: { for: type, channel: 'news', epoch: 'e', offset: 1, receivers: 1 },
      },
      SUBSCRIBE: {
        type: 'ACK',
        id,
        payload: { for: type, channel: 'news', epoch: 'e', offset: 0, recovered: false },
      },
      COMMAND: { type: 'ERROR', id, payload: { for: type, code: 'NOT_DELIVERED', message: 'nobody' } },
    };
    const answer = answers[type];
    if (answer) for (const one of change(answer, type)) connection.send(one);
  });
}

const served = {
  connect: 'ok',
  results: { subscribe: 'ok', publish: 'ok', echo: 'ok', command: 'REFUSED', ping: 'ok' },
};
const unanswered = {
  connect: 'ok',
  results: { subscribe: 'TIMEOUT', publish: 'TIMEOUT', echo: 'TIMEOUT', command: 'TIMEOUT', ping: 'TIMEOUT' },
};

/** Welcomes, and sends bytes. */
function bytes(...parts: Buffer[]): (connection: RawConnection) => void {
  return (connection) => {
    connection.welcome();
    connection.socket.write(Buffer.concat(parts));
  };
}

/** A connection that opens, and ends because of what came: 2 attempts in a row do not fail, so it goes on until the deadlines. */
function ends(code: number, by: 'server' | 'client' | 'network', sent?: number): Hostility['expect'] {
  return { code, by, connect: 'ok', ...(sent === undefined ? {} : { sent }) };
}

/** Answers requests, and sends something else beside. */
function beside(...messages: (object | string)[]): (connection: RawConnection) => void {
  return (connection) => {
    connection.welcome();
    honest(connection);
    for (const message of messages) connection.send(message);
  };
}

function welcoming(fields: object | string): (connection: RawConnection) => void {
  return (connection) => {
    connection.welcome(fields);
    honest(connection);
  };
}

function draining(payload: string): (connection: RawConnection) => void {
  return (connection) => {
    connection.welcome();
    honest(connection);
    if (connection.before === 0) connection.send(`{"type":"DRAIN","payload":${payload}}`);
    if (connection.before === 0) connection.socket.write(frame(8, Buffer.from([3, 0xe9])));
  };
}

const handshakes: Hostility[] = [
  {
    name: 'wrong-accept',
    serve: ({ upgrade }) => upgrade({ 'Sec-WebSocket-Accept': 'bm9uc2Vuc2U=' }),
    expect: refused,
  },
  {
    name: 'no-accept',
    serve: ({ upgrade }) => upgrade({ 'Sec-WebSocket-Accept': undefined }),
    expect: refused,
  },
  { name: 'wrong-upgrade', serve: ({ upgrade }) => upgrade({ Upgrade: 'h2c' }), expect: refused },
  {
    name: 'wrong-subprotocol',
    serve: ({ upgrade }) => upgrade({ 'Sec-WebSocket-Protocol': 'chat' }),
    expect: refused,
  },
  {
    name: 'no-subprotocol',
    serve: ({ upgrade }) => upgrade({ 'Sec-WebSocket-Protocol': undefined }),
    expect: refused,
  },
  {
    name: 'extension-not-offered',
    serve: ({ upgrade }) => upgrade({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
    expect: refused,
  },
  {
    name: 'window-bits-99',
    serve: ({ upgrade }) =>
      upgrade({ 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=99' }),
    expect: refused,
  },
  {
    name: 'status-200',
    serve: ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    expect: { ...refused, httpStatus: 200 },
  },
  {
    name: 'status-200-endless',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: (connection) => {
      connection.socket.write('HTTP/1.1 200 OK\r\n\r\n');
      pour(connection, () => Buffer.alloc(65_536, 'x'));
    },
    expect: { ...refused, httpStatus: 200 },
  },
  {
    name: 'status-404',
    serve: ({ socket }) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
    expect: { code: 1006, by: 'server', httpStatus: 404, connect: 'STOPPED' },
  },
  {
    name: 'redirect-loop',
    serve: ({ socket, path }) =>
      socket.end(`HTTP/1.1 301 Moved\r\nLocation: /${path}\r\nContent-Length: 0\r\n\r\n`),
    expect: { ...refused, httpStatus: 301 },
  },
  {
    // Were it followed, `elsewhere` would count a connection.
    name: 'redirect-elsewhere',
    serve: ({ socket }) => {
      const to = `http://127.0.0.1:${socket.localPort}/elsewhere`;
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`);
    },
    expect: { ...refused, httpStatus: 302 },
  },
  {
    name: 'retry-after-garbage',
    serve: ({ socket }) =>
      socket.end('HTTP/1.1 503 No\r\nRetry-After: soon, -5\r\nContent-Length: 0\r\n\r\n'),
    expect: { ...refused, httpStatus: 503, delayMs: [0, 500] },
  },
  {
    name: 'retry-after-ten-years',
    serve: ({ socket }) =>
      socket.end(`HTTP/1.1 429 No\r\nRetry-After: ${year / 100}\r\nContent-Length: 0\r\n\r\n`),
    expect: { code: 1006, httpStatus: 429, connect: 'TIMEOUT', delayMs: [60_000, 90_000] },
  },
  {
    name: 'retry-after-date',
    serve: ({ socket }) =>
      socket.end('HTTP/1.1 503 No\r\nRetry-After: Thu, 01 Jan 2099 00:00:00 GMT\r\n\r\n'),
    expect: { code: 1006, httpStatus: 503, connect: 'TIMEOUT', delayMs: [60_000, 90_000] },
  },
  {
    name: 'retry-after-digits',
    serve: ({ socket }) =>
      socket.end(`HTTP/1.1 503 No\r\nRetry-After: ${'9'.repeat(400)}\r\nContent-Length: 0\r\n\r\n`),
    expect: { code: 1006, httpStatus: 503, connect: 'TIMEOUT', delayMs: [60_000, 90_000] },
  },
  {
    name: 'header-of-1-MB',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: ({ socket }) => socket.write(`${head}X: ${'x'.repeat(1024 * 1024)}\r\n\r\n`),
    expect: refused,
  },
  {
    name: 'headers-100000',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: ({ socket }) => socket.write(`${head}${'X: x\r\n'.repeat(100_000)}\r\n`),
    expect: refused,
  },
  {
    name: 'headers-without-end',
    serve: (connection) => {
      connection.socket.write(head);
      pour(connection, () => 'X: x\r\n', 200);
    },
    options: { connectTimeoutMs: 600 },
    expect: refused,
  },
  {
    name: 'drip',
    serve: (connection) => {
      let at = 0;
      pour(connection, () => head[at++ % head.length] ?? '', 200);
    },
    options: { connectTimeoutMs: 600 },
    expect: refused,
  },
  { name: 'silence', serve: () => {}, options: { connectTimeoutMs: 600 }, expect: refused },
  { name: 'no-http', serve: ({ socket }) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), expect: refused },
  { name: 'reset', serve: ({ socket }) => socket.resetAndDestroy(), expect: refused },
  {
    name: 'no-welcome',
    serve: ({ upgrade }) => upgrade(),
    options: { connectTimeoutMs: 600 },
    expect: refused,
  },
  {
    name: 'auth-unanswered',
    serve: ({ welcome }) => welcome(),
    options: { token: 'opaque', connectTimeoutMs: 600 },
    expect: refused,
  },
  {
    name: 'auth-refused-with-nonsense',
    serve: (connection) => {
      connection.welcome();
      connection.messages(({ id }) =>
        connection.send(`{"type":"ERROR","id":"${id}","payload":{"code":7,"retryAfterMs":1e400}}`),
      );
    },
    options: { token: 'opaque' },
    expect: { code: 1013, connect: 'TIMEOUT', delayMs: [60_000, 90_000] },
  },
];

const frames: Hostility[] = [
  { name: 'masked', serve: bytes(frame(1, '{}', { mask: true })), expect: ends(1002, 'client', 1002) },
  { name: 'rsv1', serve: bytes(frame(1, '{}', { rsv: 4 })), expect: ends(1002, 'client', 1002) },
  { name: 'rsv2', serve: bytes(frame(1, '{}', { rsv: 2 })), expect: ends(1002, 'client', 1002) },
  { name: 'opcode-3', serve: bytes(frame(3, '{}')), expect: ends(1002, 'client', 1002) },
  { name: 'opcode-11', serve: bytes(frame(11, '')), expect: ends(1002, 'client', 1002) },
  {
    name: 'length-2-63',
    serve: bytes(frame(1, 'x', { length: 2n ** 63n })),
    expect: ends(1009, 'client', 1009),
  },
  {
    name: 'length-1-TiB',
    serve: bytes(frame(1, 'x', { length: 2n ** 40n })),
    expect: ends(1009, 'client', 1009),
  },
  {
    name: 'message-over-the-bound',
    serve: bytes(frame(1, 'x', { length: 1_048_577n })),
    expect: ends(1009, 'client', 1009),
  },
  {
    name: 'fragments-over-the-bound',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: (connection) => {
      connection.welcome();
      connection.socket.write(frame(1, 'x', { fin: false }));
      pour(connection, () => frame(0, Buffer.alloc(65_535, 'x'), { fin: false }));
    },
    expect: ends(1009, 'client', 1009),
  },
  {
    name: 'fragments-without-end',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: (connection) => {
      connection.welcome();
      connection.socket.write(frame(1, '', { fin: false }));
      pour(connection, () => Buffer.alloc(2000));
    },
    expect: ends(1008, 'client', 1008),
  },
  {
    name: 'bad-utf-8',
    serve: bytes(frame(1, Buffer.from([0xc3, 0x28]))),
    expect: ends(1007, 'client', 1007),
  },
  // 1 GiB of zeros would be about 1 MiB of this; that RSV1 was never agreed on is seen in the first byte.
  {
    name: 'deflate-bomb',
    serve: bytes(frame(1, Buffer.alloc(65_535, 0xaa), { rsv: 4 })),
    expect: ends(1002, 'client', 1002),
  },
  {
    name: 'fragmented-ping',
    serve: bytes(frame(9, 'x', { fin: false })),
    expect: ends(1002, 'client', 1002),
  },
  { name: 'ping-of-126', serve: bytes(frame(9, 'x'.repeat(126))), expect: ends(1002, 'client', 1002) },
  { name: 'continuation-of-nothing', serve: bytes(frame(0, 'x')), expect: ends(1002, 'client', 1002) },
  {
    name: 'text-within-fragments',
    serve: bytes(frame(1, 'x', { fin: false }), frame(1, 'x')),
    expect: ends(1002, 'client', 1002),
  },
  { name: 'binary', serve: bytes(frame(2, '{}')), expect: ends(1003, 'client', 1003) },
  {
    name: 'ping-flood',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: bytes(...Array.from({ length: 50_000 }, () => frame(9, 'x'))),
    expect: ends(1006, 'network'),
  },
  { name: 'close-1005', serve: bytes(frame(8, Buffer.from([3, 0xed]))), expect: ends(1002, 'client', 1002) },
  { name: 'close-1006', serve: bytes(frame(8, Buffer.from([3, 0xee]))), expect: ends(1002, 'client', 1002) },
  { name: 'close-999', serve: bytes(frame(8, Buffer.from([3, 0xe7]))), expect: ends(1002, 'client', 1002) },
  { name: 'close-of-1-byte', serve: bytes(frame(8, Buffer.from([3]))), expect: ends(1002, 'client', 1002) },
  {
    name: 'close-reason-not-utf-8',
    serve: bytes(frame(8, Buffer.from([3, 0xe8, 0xff, 0xfe]))),
    expect: ends(1007, 'client', 1007),
  },
  { name: 'close-without-code', serve: bytes(frame(8, '')), expect: ends(1005, 'server') },
  {
    name: 'close-4999',
    serve: bytes(frame(8, Buffer.from([0x13, 0x87]))),
    expect: ends(4999, 'server', 4999),
  },
  {
    name: 'close-and-stay',
    serve: ({ welcome, socket }) => {
      socket.removeAllListeners('end');
      welcome();
      socket.write(frame(8, Buffer.from([3, 0xf3])));
    },
    expect: ends(1011, 'server', 1011),
  },
  {
    name: 'end-without-close',
    serve: (connection) => {
      connection.welcome();
      connection.socket.end();
    },
    expect: ends(1006, 'network'),
  },
  {
    name: 'reset-when-open',
    serve: (connection) => {
      connection.welcome();
      setTimeout(() => connection.socket.resetAndDestroy(), 50);
    },
    expect: ends(1006, 'network'),
  },
  {
    name: 'black-hole',
    serve: ({ welcome }) => welcome(),
    options: { heartbeat: { intervalMs: 150, timeoutMs: 150 } },
    expect: ends(1006, 'network'),
  },
];

const nested = `{"type":"NEWS","payload":${'['.repeat(400_000)}${']'.repeat(400_000)}}`;

const messages: Hostility[] = [
  { name: 'welcome-of-nothing', serve: welcoming('{"type":"WELCOME"}'), expect: served },
  { name: 'welcome-of-null', serve: welcoming('{"type":"WELCOME","payload":null}'), expect: served },
  {
    name: 'welcome-of-wrong-types',
    serve: welcoming({
      connectionId: {},
      sub: 7,
      roles: 'all',
      heartbeat: 'often',
      limits: [],
      maxMessageBytes: '1',
      serverTime: 'now',
    }),
    expect: served,
  },
  {
    name: 'welcome-of-zeros',
    serve: welcoming({
      heartbeat: { intervalMs: 0, timeoutMs: 0 },
      limits: { messagesPerMinute: 0, burstLimit: 0 },
      serverTime: 0,
    }),
    expect: served,
  },
  {
    name: 'welcome-of-infinities',
    serve: welcoming(
      '{"type":"WELCOME","payload":{"heartbeat":{"intervalMs":1e400,"timeoutMs":1e400},"limits":{"messagesPerMinute":1e400,"burstLimit":1e400},"maxMessageBytes":1e400,"serverTime":1e400}}',
    ),
    expect: served,
  },
  {
    name: 'welcome-of-nearly-nothing',
    serve: welcoming({ limits: { messagesPerMinute: 1e-300, burstLimit: 1e-300 } }),
    expect: { connect: 'ok' },
  },
  {
    name: 'welcome-without-room',
    serve: welcoming({ maxMessageBytes: 0 }),
    expect: { connect: 'ok', results: { echo: 'USAGE', publish: 'USAGE' } },
  },
  { name: 'welcome-twice', serve: beside({ type: 'WELCOME', payload: { sub: 'eve' } }), expect: served },
  {
    name: 'garbage',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: beside(
      ...['', 'null', '7', '[]', '"text"', '{', '{}', '{"type":7}', '\u0000', 'x'.repeat(60_000)],
    ),
    expect: { ...served, violations: 9 },
  },
  {
    name: 'nested',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: beside(nested, nested),
    expect: served,
  },
  {
    name: 'prototype-keys',
    serve: beside(
      '{"type":"ACK","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"payload":{"__proto__":{"polluted":1}}}',
      '{"type":"__proto__","id":"__proto__","payload":{}}',
      '{"type":"MESSAGE","payload":{"channel":"__proto__","epoch":"e","offset":1,"data":1}}',
      '{"type":"COMMAND_RESULT","payload":{"commandId":"constructor"}}',
      '{"type":"ERROR","id":"toString","payload":{"code":"__proto__"}}',
    ),
    expect: { ...served, heard: [] },
  },
  {
    name: 'answers-of-nobody',
    serve: beside(
      { type: 'ACK', id: 'unknown', payload: {} },
      { type: 'PONG', id: '' },
      { type: 'ERROR', id: 'x', payload: { code: 'RATE_LIMITED', retryAfterMs: 1 } },
      { type: 'ACK' },
    ),
    expect: served,
  },
  {
    name: 'answers-twice',
    serve: (connection) => {
      connection.welcome();
      honest(connection, (answer) => [answer, answer]);
    },
    expect: served,
  },
  {
    name: 'answer-then-error',
    serve: (connection) => {
      connection.welcome();
      honest(connection, (answer) => [
        answer,
        { ...answer, type: 'ERROR', payload: { code: 'INTERNAL', message: '' } },
      ]);
    },
    expect: { ...served, results: { ...served.results, subscribe: 'ok' } },
  },
  {
    name: 'answers-before-questions',
    serve: (connection) => {
      connection.upgrade();
      for (const type of ['ACK', 'ERROR', 'PONG', 'MESSAGE', 'DRAIN', 'TOKEN_EXPIRING', 'COMMAND_RESULT'])
        connection.send({ type });
      connection.send({ type: 'WELCOME', payload: {} });
      honest(connection);
    },
    expect: served,
  },
  {
    name: 'answers-of-wrong-form',
    serve: (connection) => {
      connection.welcome();
      honest(connection, (answer) => [{ ...answer, payload: [null] }]);
    },
    expect: {
      connect: 'ok',
      results: { subscribe: 'TIMEOUT', publish: 'ok', echo: 'ok', ping: 'ok', command: 'REFUSED' },
    },
  },
  { name: 'answers-never', serve: ({ welcome }) => welcome(), expect: unanswered },
  {
    name: 'messages-of-other-channels',
    serve: (connection) => {
      connection.welcome();
      const message = (channel: unknown, offset: unknown, data: unknown): object => ({
        type: 'MESSAGE',
        payload: { channel, epoch: 'e', offset, data },
      });
      honest(connection, (answer, type) =>
        type === 'SUBSCRIBE'
          ? [
              message('news', 1, 'too soon'),
              answer,
              message('olds', 1, 'another'),
              message('news', 1, 'right'),
              message('news', '2', 'text'),
              message('news', -1, 'less'),
              message(null, 2, 'none'),
              message('news', 1, 'again'),
            ]
          : [answer],
      );
    },
    expect: { ...served, heard: ['right'] },
  },
  {
    name: 'offsets-of-infinity',
    serve: (connection) => {
      connection.welcome();
      honest(connection, (answer, type) => (type === 'SUBSCRIBE' ? [answer] : [answer]));
      connection.send('{"type":"GAP","payload":{"channel":"news","epoch":"e","offset":1e400}}');
    },
    expect: served,
  },
  {
    name: 'penalties-of-wrong-numbers',
    serve: (connection) => {
      connection.welcome();
      connection.messages(({ id }) =>
        connection.send(
          `{"type":"ERROR","id":"${id}","payload":{"code":"RATE_LIMITED","message":7,"retryAfterMs":-1}}`,
        ),
      );
    },
    expect: {
      connect: 'ok',
      results: { publish: 'REFUSED', echo: 'REFUSED', ping: 'REFUSED', command: 'REFUSED' },
    },
  },
  {
    name: 'penalties-without-end',
    serve: (connection) => {
      connection.welcome();
      connection.messages(({ id }) =>
        connection.send(
          `{"type":"ERROR","id":"${id}","payload":{"code":"RATE_LIMITED","retryAfterMs":1e400}}`,
        ),
      );
    },
    expect: { connect: 'ok' },
  },
  {
    name: 'penalties-of-nothing',
    serve: (connection) => {
      connection.welcome();
      connection.messages(({ id }) =>
        connection.send(`{"type":"ERROR","id":"${id}","payload":{"code":"RATE_LIMITED","retryAfterMs":0}}`),
      );
    },
    expect: { connect: 'ok', maxTexts: 400 },
  },
  {
    name: 'drain-of-ten-years',
    serve: draining(`{"minMs":${10 * year},"maxMs":${20 * year}}`),
    expect: { code: 1001, connect: 'ok', delayMs: [59_000, 67_000] },
  },
  {
    name: 'drain-of-infinity',
    serve: draining('{"minMs":0,"maxMs":1e400}'),
    expect: { code: 1001, connect: 'ok', delayMs: [0, 67_000] },
  },
  {
    name: 'drain-of-negatives',
    serve: draining('{"minMs":-5,"maxMs":-1}'),
    expect: { code: 1001, ...served, delayMs: [0, 2000] },
  },
  {
    name: 'drain-of-no-numbers',
    serve: draining('{"minMs":"NaN","maxMs":{}}'),
    expect: { code: 1001, ...served, delayMs: [0, 2000] },
  },
  {
    name: 'drain-backwards',
    serve: draining('{"minMs":300,"maxMs":10}'),
    expect: { code: 1001, ...served, delayMs: [0, 400] },
  },
  {
    name: 'drain-of-nothing',
    serve: draining('null'),
    expect: { code: 1001, ...served, delayMs: [0, 2000] },
  },
  {
    name: 'pings-unread',
    isAlone: true,
    options: { timeoutMs: 3000 },
    serve: (connection) => {
      connection.welcome();
      connection.socket.pause();
      const ping = frame(1, JSON.stringify({ type: 'PING', id: 'x'.repeat(60_000) }));
      pour(connection, () => ping);
    },
    expect: { connect: 'ok', code: 1008, by: 'client' },
  },
  {
    name: 'reads-nothing',
    serve: (connection) => {
      connection.welcome();
      connection.socket.pause();
    },
    expect: unanswered,
  },
  {
    name: 'pushes-without-end',
    isAlone: true,
    options: { timeoutMs: 800 },
    serve: (connection) => {
      connection.welcome();
      let offset = 0;
      honest(connection);
      pour(
        connection,
        () =>
          Buffer.concat(
            Array.from({ length: 50 }, () =>
              frame(
                1,
                JSON.stringify({
                  type: 'MESSAGE',
                  payload: { channel: 'news', epoch: 'e', offset: offset++, data: 'x'.repeat(500) },
                }),
              ),
            ),
          ),
        5,
      );
    },
    expect: served,
  },
];

/** All rows. */
export const hostilities: readonly Hostility[] = [...handshakes, ...frames, ...messages];
