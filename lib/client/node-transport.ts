// Sockets of Node, by `ws`.
import { type ClientOptions, WebSocket } from 'ws';
import type { ClientSocket, OpenRequest, SocketEnd, SocketSink, Transport } from './transport.ts';

/** How long a server that has sent its close frame may take to end the connection. */
const lingerMs = 1000;

/** Opens sockets with `ws`: no compression, no redirects, no endless messages. */
export const nodeTransport: Transport = Object.assign(
  (request: OpenRequest, sink: SocketSink): ClientSocket => {
    let end: SocketEnd = { code: 1006, reason: '', by: 'network' };
    let isOver = false;
    // `closeTimeout` is newer than the types.
    const options: ClientOptions & { closeTimeout: number } = {
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: request.maxMessageBytes,
      closeTimeout: lingerMs,
      ...(request.bearer === undefined ? {} : { headers: { authorization: `Bearer ${request.bearer}` } }),
    };
    const socket = new WebSocket(request.url, [...request.protocols], options);
    socket.on('open', () => !isOver && sink.opened());
    socket.on('message', (data, isBinary) => {
      if (isOver) return;
      if (isBinary) sink.binary();
      else sink.text(data.toString());
    });
    socket.on('unexpected-response', (upgrade, { statusCode = 0, headers }) => {
      const retryAfterMs = retryAfter(headers['retry-after'], Date.now());
      end = {
        code: 1006,
        reason: '',
        by: 'server',
        httpStatus: statusCode,
        detail: `HTTP ${statusCode}`,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
      // The body is not read: nothing in it would change what is done.
      upgrade.destroy();
      socket.terminate();
    });
    socket.on('error', (error) => {
      if (end.httpStatus !== undefined) return;
      const code = violations[(error as NodeJS.ErrnoException).code ?? ''];
      end = { ...end, detail: error.message };
      if (code !== undefined) end = { ...end, code, by: 'client' };
    });
    socket.on('close', (code, reason) => {
      if (isOver) return;
      isOver = true;
      if (end.by === 'network' && code !== 1006) end = { code, reason: reason.toString(), by: 'server' };
      sink.ended(end);
    });
    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      get unsentBytes() {
        return socket.bufferedAmount;
      },
      close: (code, reason) => socket.close(code, reason),
      terminate: () => {
        isOver = true;
        socket.terminate();
      },
    };
  },
  { canSendHeaders: true },
);

/** The codes that `ws` closes with when it finds fault, by the code of its error. */
// biome-ignore format: a table
const violations: Readonly<Record<string, number>> = {
  WS_ERR_EXPECTED_FIN: 1002,
  WS_ERR_EXPECTED_MASK: 1002,
  WS_ERR_INVALID_CLOSE_CODE: 1002,
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: 1002,
  WS_ERR_INVALID_OPCODE: 1002,
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNEXPECTED_MASK: 1002,
  WS_ERR_UNEXPECTED_RSV_1: 1002,
  WS_ERR_UNEXPECTED_RSV_2_3: 1002,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

/** Seconds or a date (RFC 9110 §10.2.3), as a wait; undefined for anything else. */
function retryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // `Date.parse` finds a date in nearly everything.
  const atMs = /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
