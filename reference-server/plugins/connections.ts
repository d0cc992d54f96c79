// The open connections, and how they are sent away when the server goes.
import fp from 'fastify-plugin';
import type { Clock } from '../clock.ts';
import { closes } from '../close-codes.ts';
import type { Connection } from '../connection.ts';

/** Within what time clients should come back, so that they do not come all at once. */
export const reconnectWindow = { minMs: 100, maxMs: 2000 } as const;

export interface Connections {
  readonly open: ReadonlySet<Connection>;
  readonly draining: boolean;
  add(connection: Connection, typed: boolean): void;
  /** Refuses new connections, sends the others away with DRAIN and 1001, and ends those that do not go. Runs once. */
  drain(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyInstance {
    connections: Connections;
  }
}

export default fp<{ clock: Clock; drainTimeoutMs: number }>(
  async (app, { clock, drainTimeoutMs }) => {
    const open = new Map<Connection, { typed: boolean; released: Promise<void> }>();
    let draining: Promise<void> | undefined;
    const connections: Connections = {
      get open() {
        return new Set(open.keys());
      },
      get draining() {
        return draining !== undefined;
      },
      add(connection, typed) {
        const released = new Promise<void>((resolve) => {
          connection.socket.once('close', (code) => {
            app.metrics.add('wsbench_closes_total', { code: closeLabel(connection.closedWith ?? code) });
            void connection.release().finally(() => {
              open.delete(connection);
              resolve();
            });
          });
        });
        open.set(connection, { typed, released });
        app.metrics.add('wsbench_connections_total', { route: connection.route });
        if (draining) connection.socket.close(closes.drain.code, closes.drain.reason);
      },
      drain() {
        draining ??= sendAway();
        return draining;
      },
    };
    async function sendAway(): Promise<void> {
      const leaving = [...open];
      for (const [connection, { typed }] of leaving) {
        if (typed) connection.send('DRAIN', reconnectWindow);
        connection.socket.close(closes.drain.code, closes.drain.reason);
      }
      const stopTimer = clock.schedule(drainTimeoutMs, () => {
        for (const [connection] of open) connection.socket.terminate();
      });
      await Promise.all(leaving.map(([, { released }]) => released));
      stopTimer();
    }
    app.metrics.gauge('wsbench_connections', 'WebSocket connections that are open.', () => open.size);
    app.decorate('connections', connections);
  },
  { name: 'wsbench-connections', fastify: '5.x', dependencies: ['wsbench-metrics', 'wsbench-limits'] },
);

/** Clients may send any of thousands of codes; each of ours and of RFC 6455 §7.4.1 has its own label. */
function closeLabel(code: number): string {
  return code <= 1015 || Object.values(closes).some((known) => known.code === code) ? String(code) : 'other';
}
