// Does a port that hung up on plain text speak TLS?
import { connect } from 'node:tls';
import type { Cause, Stage } from './cause.ts';

const probeMs = 1000;

/** Where a port is. */
export interface Address {
  host: string;
  port: number;
}

/**
 * Tries a TLS handshake with a port, for a second at most. Most TLS servers answer plain text by hanging up, so only this
 * tells a `ws://` that should be a `wss://` from a server that is down.
 */
export function speaksTls({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    // Whose certificate it is does not matter: nothing is sent.
    const socket = connect({ host, port, rejectUnauthorized: false });
    const timer = setTimeout(() => settle(false), probeMs);
    socket.once('secureConnect', () => settle(true));
    // An alert is an answer in TLS, too; `wrong version number` is one in something else.
    socket.once('error', (error: NodeJS.ErrnoException) => settle(/ssl alert/i.test(error.message)));
    socket.once('close', () => settle(false));
  });
}

/**
 * The cause of a failed connect, or, when that was a hang-up on plain text, that the port speaks TLS.
 *
 * @param ask tells whether a port speaks TLS
 */
export async function tlsInstead(
  cause: Cause,
  stage: Stage,
  url: string,
  ask: (address: Address) => Promise<boolean> = speaksTls,
): Promise<Cause> {
  const { protocol, hostname, port } = new URL(url);
  if (cause.kind !== 'reset' || stage !== 'upgrade' || protocol !== 'ws:') return cause;
  const speaks = await ask({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) });
  return speaks ? { kind: 'tls', detail: 'the port speaks TLS: it hung up on plain text' } : cause;
}
