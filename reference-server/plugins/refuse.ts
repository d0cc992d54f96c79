// The one form of every refusal at HTTP level.
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Guards } from '../guards.ts';

declare module 'fastify' {
  interface FastifyInstance {
    guards: Readonly<Guards>;
  }
}

/** Answers with `{error, message}`, and what `more` has, and ends the TCP connection. */
export function refuse(
  reply: FastifyReply,
  status: number,
  error: string,
  message: string,
  connection = 'close',
  more: Readonly<Record<string, string>> = {},
): FastifyReply {
  if (reply.server.guards.closeOnRefusal) reply.header('connection', connection);
  return reply.code(status).send({ error, message, ...more });
}

/** Writes the last bytes of a connection and lets go of it: a peer that keeps its end open is cut off `lingerMs` later. */
export function endWith(socket: Duplex, bytes: string, lingerMs: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(bytes);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

/** The same as bytes, for what never became a request. */
export function refusalBytes(status: number, error: string, message: string): string {
  const body = JSON.stringify({ error, message });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** The answer to what Node's parser gave up on. */
export function refusalOf({ code }: { code?: string }): string {
  if (code === 'HPE_HEADER_OVERFLOW') return refusalBytes(431, 'BAD_REQUEST', 'the headers are too large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusalBytes(408, 'TIMEOUT', 'the request took too long');
  return refusalBytes(400, 'BAD_REQUEST', 'not an HTTP request');
}
