// Watches connections: whoever does not answer a PING in time is closed.
import fp from 'fastify-plugin';
import type { Alarms } from '../alarms.ts';
import { closes } from '../close-codes.ts';
import type { Connection } from '../connection.ts';
import { type HeartbeatKeeper, HeartbeatMonitor } from '../heartbeat-monitor.ts';
import type { Heartbeat } from '../options.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Starts the heartbeat of a connection. A typed one gets PING messages beside the ping frames. */
    watch: (connection: Connection, typed: boolean) => void;
  }
}

/** Connections without typed messages are left alone for so long, at least. */
const rawGraceMs = 5000;

/** However many connections come at once, each next one's beat falls into the widest gap that the others have left. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

export default fp<{ heartbeat: Heartbeat; alarms: Alarms }>(
  async (app, { heartbeat, alarms }) => {
    const keeperOf = (typed: boolean): HeartbeatKeeper<Connection> => ({
      heartbeat,
      alarms,
      ping(connection, id) {
        if (!connection.isOpen) return;
        if (typed) connection.send('PING', { serverTime: alarms.clock.epochMs() }, id);
        connection.socket.ping(id);
      },
      dead(connection) {
        if (!connection.isOpen) return;
        app.metrics.add('wsbench_heartbeat_timeouts_total');
        // Its answer may lie where we stopped reading.
        connection.close(connection.isSlow ? closes.slowConsumer : closes.heartbeat);
      },
    });
    const keepers = { typed: keeperOf(true), raw: keeperOf(false) };
    let share = Math.random();
    app.decorate('watch', (connection, typed) => {
      // A conformance case sends its frame in pieces over two seconds: a client that answers a ping among them spoils it.
      const graceMs = typed ? 0 : Math.max(rawGraceMs, heartbeat.intervalMs);
      share = (share + goldenRatio) % 1;
      const keeper = typed ? keepers.typed : keepers.raw;
      const monitor = new HeartbeatMonitor(keeper, graceMs + share * heartbeat.intervalMs, connection);
      connection.heartbeat = monitor;
      connection.socket.on('pong', (payload) => {
        if (monitor.answer(payload.toString(), 'frame')) return;
        app.metrics.add('wsbench_unexpected_pongs_total');
        connection.countControlFrame();
      });
      connection.socket.on('ping', () => connection.countControlFrame());
    });
  },
  { name: 'wsbench-heartbeat', fastify: '5.x', dependencies: ['wsbench-metrics'] },
);
