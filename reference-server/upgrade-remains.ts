// What is left of an upgrade once the WebSocket is open. Request, reply and response would live as long as the connection, with all
// that they hold: some 6 KiB each time.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { closes } from './close-codes.ts';
import type { LogEntry } from './options.ts';

/** Takes the response off the socket. To be the last hook before the handler of a WebSocket route: nothing is answered by HTTP after it. */
export function dropResponse(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.raw.detachSocket(request.raw.socket);
  done();
}

/** What is done about errors of open sockets, by @fastify/websocket and by {@link dropRequest}. */
export type SocketErrorHandler = (error: Error, socket: WebSocket) => void;

/** By default the plugin cuts the socket, and the close frame that says why with it. */
export function socketErrorHandler(log: (entry: LogEntry) => void): SocketErrorHandler {
  return (error, socket) => {
    log({ level: 'warn', message: 'WebSocket error', error });
    if (socket.readyState === socket.OPEN) socket.close(closes.internal.code, closes.internal.reason);
  };
}

/** Replaces the listener by which @fastify/websocket holds the request and its reply. */
export function dropRequest(socket: WebSocket, onError: SocketErrorHandler): void {
  socket.removeAllListeners('error');
  socket.on('error', (error) => onError(error, socket));
}
