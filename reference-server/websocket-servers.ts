// Three ws servers behind one @fastify/websocket: strict limits for typed routes, wide ones for the raw echo, and the echo that
// compresses between the two.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { closes } from './close-codes.ts';
import { subprotocol } from './credentials.ts';
import { FrameReader } from './frame-reader.ts';
import type { Guards } from './guards.ts';

function common({ closeTimeoutMs, maxPendingAutoPongs }: Guards) {
  return {
    clientTracking: false,
    closeTimeout: closeTimeoutMs,
    maxPendingAutoPongs,
    // By default ws would select the first subprotocol that is offered, and that may be a credential.
    handleProtocols: (offered: ReadonlySet<string>) => offered.has(subprotocol) && subprotocol,
  };
}

/** Options for @fastify/websocket, which sets `noServer` itself. */
export function webSocketOptions(guards: Guards): object {
  const { maxMessageBytes, maxFragments, maxBufferedChunks } = guards;
  const bounds = { maxPayload: maxMessageBytes, maxFragments, maxBufferedChunks };
  return { ...common(guards), ...bounds };
}

/** The raw echo takes what large load and conformance cases send, in bytes. */
const maxEchoBytes = 16 * 1024 ** 2;

function echoServer(guards: Guards, more: object): WebSocketServer {
  const bounds = { maxPayload: maxEchoBytes, maxFragments: 131_072 };
  return new WebSocketServer({ ...common(guards), ...bounds, ...more, noServer: true });
}

/**
 * Hands the upgrades of `echoPath` to servers of their own. @fastify/websocket makes one ws server for all routes, and ws reads its
 * bounds from there. The plugin calls the server's public `handleUpgrade` for every upgrade, so that is where they part:
 * each message is bounded by the parser itself, and nothing private to ws is touched.
 *
 * @param isForLoad compressed messages may be as large as others, and on as many connections
 * @param refuse answers an upgrade that ws does not take
 */
export function splitUpgrades(
  main: WebSocketServer,
  echoPath: string,
  guards: Guards,
  isForLoad: boolean,
  refuse: (socket: Duplex) => void,
): void {
  const echo = echoServer(guards, {});
  const { maxInflatedBytes, maxDeflating } = isForLoad
    ? { maxInflatedBytes: maxEchoBytes, maxDeflating: Number.POSITIVE_INFINITY }
    : guards;
  const deflatingEcho = echoServer(guards, { maxPayload: maxInflatedBytes, perMessageDeflate: {} });
  for (const server of [main, echo, deflatingEcho]) {
    server.on('wsClientError', (_error, socket) => refuse(socket));
  }
  // ws keeps what it compressed with for as long as the connection lasts, some 220 KiB: there is room for so many.
  let deflating = 0;
  const toMain = main.handleUpgrade.bind(main);
  main.handleUpgrade = (request, socket, head, callback) => {
    const opened = (client: WebSocket): void => {
      if (guards.minimalLengths) watchLengths(client, socket);
      if (client.extensions !== '') {
        deflating += 1;
        client.once('close', () => {
          deflating -= 1;
        });
      }
      callback(client, request);
    };
    if (pathOf(request) !== echoPath) toMain(request, socket, head, opened);
    else if (deflating < maxDeflating && offersDeflate(request)) {
      deflatingEcho.handleUpgrade(request, socket, head, opened);
    } else echo.handleUpgrade(request, socket, head, opened);
  };
}

/**
 * Looks at the bytes before ws does: a connection that is closing hands over no more messages. It ends as ws ends those that break
 * other rules: the close frame, then FIN, without waiting for an answer (RFC 6455 §7.1.7).
 */
function watchLengths(client: WebSocket, socket: Duplex): void {
  const reader = new FrameReader();
  const { code, reason } = closes.lengthNotMinimal;
  socket.prependListener('data', (chunk: Buffer) => {
    if (client.readyState !== client.OPEN) return;
    reader.read(chunk);
    if (reader.isMinimal) return;
    client.close(code, reason);
    socket.end();
  });
}

function offersDeflate({ headers }: IncomingMessage): boolean {
  return headers['sec-websocket-extensions']?.includes('permessage-deflate') === true;
}

/** The path as the router reads it: decoded, and without the origin of an absolute URL. */
function pathOf({ url = '' }: IncomingMessage): string {
  return URL.canParse(url, 'ws://any') ? decodeURI(new URL(url, 'ws://any').pathname) : '';
}
