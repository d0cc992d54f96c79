// The one form of every refusal at HTTP level.
import type { FastifyReply } from 'fastify';

/** Answers with `{error, message}` and ends the TCP connection. */
export function refuse(
  reply: FastifyReply,
  status: number,
  error: string,
  message: string,
  connection = 'close',
): FastifyReply {
  return reply.code(status).header('connection', connection).send({ error, message });
}
