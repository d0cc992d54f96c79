// The open connections, and how they are sent away when the server goes.
import fp from 'fastify-plugin';
import type { Clock } from '../clock.ts';
import { type Close, closes } from '../close-codes.ts';
import type { Connection } from '../connection.ts';
import { depart } from '../departure.ts';
import { type DrainPlan, planDrain } from '../drain-plan.ts';

/** Why a server ends. After a failure nothing that is under way can be trusted: nothing is waited for, and the code is 1012. */
export type EndReason = 'shutdown' | 'failure';

/** Time that clients get to leave a server that has failed. */
const failureTimeoutMs = 2000;

/** Time, once all sockets are gone, for what connections held elsewhere to be given back; what is left of it ends by itself. */
const releaseMs = 500;

export interface Connections {
  readonly open: ReadonlySet<Connection>;
  readonly draining: boolean;
  /** When those that are refused while it drains may try again, in ms. */
  readonly retryAfterMs: number;
  add(connection: Connection): void;
  /** Refuses new connections, sends the others away with DRAIN and 1001 (1012), and ends those that do not go. Runs once. */
  drain(why?: EndReason): Promise<void>;
}

declare module 'fastify' {
  interface FastifyInstance {
    connections: Connections;
  }
}

export interface ConnectionsOptions {
  clock: Clock;
  drainTimeoutMs: number;
  drainWindowMs: number | undefined;
}

export default fp<ConnectionsOptions>(
  async (app, { clock, drainTimeoutMs, drainWindowMs }) => {
    /** With what resolves once a connection has ended and given everything back. */
    const open = new Map<Connection, Promise<void>>();
    let draining: Promise<void> | undefined;
    let plan: DrainPlan | undefined;
    const connections: Connections = {
      get open() {
        return new Set(open.keys());
      },
      get draining() {
        return draining !== undefined;
      },
      get retryAfterMs() {
        return plan?.window.maxMs ?? 0;
      },
      add(connection) {
        const released = new Promise<void>((resolve) => {
          connection.socket.once('close', (code) => {
            app.metrics.add('wsbench_closes_total', { code: closeLabel(connection.closedWith ?? code) });
            const released = (): void => {
              open.delete(connection);
              resolve();
            };
            connection.release().then(released, released);
          });
        });
        open.set(connection, released);
        app.metrics.add('wsbench_connections_total', { route: connection.route });
        // Nobody gets here while it drains, as the guard stands; whoever did would not be waited for.
        if (draining) connection.socket.close(closes.drain.code, closes.drain.reason);
      },
      drain(why = 'shutdown') {
        draining ??= sendAway(why);
        return draining;
      },
    };
    async function sendAway(why: EndReason): Promise<void> {
      const leaving = [...open.keys()];
      const hasFailed = why === 'failure';
      const timeoutMs = hasFailed ? Math.min(failureTimeoutMs, drainTimeoutMs) : drainTimeoutMs;
      plan = planDrain(leaving.length, { drainTimeoutMs: timeoutMs, drainWindowMs });
      if (hasFailed) plan.settleMs = 0;
      const close = hasFailed ? closes.restart : closes.drain;
      const gone = departAll(leaving, plan, close).then(() =>
        Promise.all(leaving.map((connection) => open.get(connection))),
      );
      let stopTimer = (): void => {};
      const overdue = new Promise<void>((resolve) => {
        stopTimer = clock.schedule(timeoutMs, () => {
          for (const connection of open.keys()) connection.socket.terminate();
          stopTimer = clock.schedule(releaseMs, resolve);
        });
      });
      await Promise.race([gone, overdue]);
      stopTimer();
    }
    /** Tells all to go, a batch at a time; when the loop was held up, as many as are due by then. */
    async function departAll(leaving: Connection[], plan: DrainPlan, close: Close): Promise<void> {
      const startMs = clock.nowMs();
      for (let told = 0; told < leaving.length; ) {
        const ticks = Math.floor((clock.nowMs() - startMs) / plan.batchEveryMs);
        const due = leaving.slice(told, plan.batchSize * (1 + ticks));
        for (const connection of due) void depart(connection, plan, close);
        told += due.length;
        if (told < leaving.length) await new Promise<void>((go) => clock.schedule(plan.batchEveryMs, go));
      }
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
