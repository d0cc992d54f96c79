// Two ws servers behind one @fastify/websocket: strict limits for typed routes, wide ones for the raw echo.
import type { IncomingMessage } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { subprotocol } from './credentials.ts';
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

/** The raw echo takes what large load and conformance cases send. */
function echoOptions(guards: Guards) {
  const bounds = { maxPayload: 16 * 1024 ** 2, maxFragments: 131_072 };
  return { ...common(guards), ...bounds, perMessageDeflate: {} };
}

/**
 * Hands the upgrades of `echoPath` to a second server. @fastify/websocket makes one ws server for all routes, and ws reads its
 * bounds from there. The plugin calls the server's public `handleUpgrade` for every upgrade, so that is where they part:
 * each message is bounded by the parser itself, and nothing private to ws is touched.
 */
export function splitUpgrades(main: WebSocketServer, echoPath: string, guards: Guards): WebSocketServer {
  const echo = new WebSocketServer({ ...echoOptions(guards), noServer: true });
  const toMain = main.handleUpgrade.bind(main);
  main.handleUpgrade = (request, socket, head, callback) => {
    const handle = pathOf(request) === echoPath ? echo.handleUpgrade.bind(echo) : toMain;
    handle(request, socket, head, callback as (client: WebSocket, request: IncomingMessage) => void);
  };
  return echo;
}

/** The path as the router reads it: decoded, and without the origin of an absolute URL. */
function pathOf({ url = '' }: IncomingMessage): string {
  return URL.canParse(url, 'ws://any') ? decodeURI(new URL(url, 'ws://any').pathname) : '';
}
