// How far the connect of a socket has come.
import { isIP, type Socket } from 'node:net';
import type { Stage } from './cause.ts';

/**
 * Watches a socket that has just been made.
 *
 * @param secure whether TLS follows TCP
 * @returns says how far it is, now or when it failed
 */
export function watchStage(socket: Socket, host: string, secure: boolean): () => Stage {
  let stage: Stage = isIP(host.replace(/^\[|\]$/g, '')) === 0 ? 'dns' : 'tcp';
  socket.once('lookup', (error: Error | null) => {
    if (!error) stage = 'tcp';
  });
  socket.once('connect', () => {
    stage = secure ? 'tls' : 'upgrade';
  });
  socket.once('secureConnect', () => {
    stage = 'upgrade';
  });
  return () => stage;
}
