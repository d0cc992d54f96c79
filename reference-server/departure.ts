// How one connection is sent away: DRAIN, the answers to what is under way, the close.
import type { Close } from './close-codes.ts';
import type { Connection } from './connection.ts';
import type { DrainPlan } from './drain-plan.ts';

/** Payload of the ping frame that follows DRAIN. */
const mark = 'drain';

/**
 * Tells a client to go and starts the closing handshake. Whoever sends nothing after DRAIN gets an answer to all that was sent before.
 * Raw endpoints have no DRAIN, and answer on arrival.
 *
 * @param settleMs how long to wait for answers that take time; 0: not at all
 */
export async function depart(
  connection: Connection,
  { window, settleMs }: Pick<DrainPlan, 'window' | 'settleMs'>,
  { code, reason }: Close,
): Promise<void> {
  if (connection.work) {
    connection.send('DRAIN', window);
    if (settleMs > 0 && connection.isOpen) await settled(connection, connection.work, settleMs);
  }
  if (!connection.isOpen) return;
  connection.closedWith = code;
  // Not `connection.close`: who leaves has until the end of the drain.
  connection.socket.close(code, reason);
}

/**
 * Messages come in order: once the pong to a ping after DRAIN is here, so is every message that the client sent before it had read
 * DRAIN. Resolves when those are answered, the connection has ended, or the time is over.
 */
function settled(
  connection: Connection,
  work: NonNullable<Connection['work']>,
  withinMs: number,
): Promise<void> {
  const { socket } = connection;
  return new Promise((resolve) => {
    const done = (): void => {
      stopTimer();
      socket.off('pong', heard);
      socket.off('close', done);
      resolve();
    };
    const heard = (payload: Buffer): void => {
      if (payload.toString() === mark) void work.finish().then(done);
    };
    const stopTimer = connection.after(withinMs, done);
    socket.on('pong', heard);
    socket.once('close', done);
    socket.ping(mark);
  });
}
