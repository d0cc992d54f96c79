// Watches connections: whoever does not answer a PING in time is closed.
import fp from 'fastify-plugin';
import type { Clock } from '../clock.ts';
import { closes } from '../close-codes.ts';
import type { Connection } from '../connection.ts';
import { HeartbeatMonitor } from '../heartbeat-monitor.ts';
import type { Heartbeat } from '../options.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Starts the heartbeat of a connection. A typed one gets PING messages beside the ping frames. */
    watch: (connection: Connection, typed: boolean) => void;
  }
}

/** Connections without typed messages are left alone for so long, at least. */
const rawGraceMs = 5000;

export default fp<{ heartbeat: Heartbeat; clock: Clock }>(
  async (app, { heartbeat, clock }) => {
    app.decorate('watch', (connection, typed) => {
      const { socket } = connection;
      // A conformance case sends its frame in pieces over two seconds: a client that answers a ping among them spoils it.
      const graceMs = typed ? 0 : Math.max(rawGraceMs, heartbeat.intervalMs);
      const firstAfterMs = graceMs + Math.random() * heartbeat.intervalMs;
      const monitor = new HeartbeatMonitor(heartbeat, clock, firstAfterMs, {
        ping(id) {
          if (!connection.isOpen) return;
          if (typed) connection.send('PING', { serverTime: clock.epochMs() }, id);
          socket.ping(id);
        },
        dead() {
          if (!connection.isOpen) return;
          app.metrics.add('wsbench_heartbeat_timeouts_total');
          // Its answer may lie where we stopped reading.
          connection.close(connection.isSlow ? closes.slowConsumer : closes.heartbeat);
        },
      });
      connection.heartbeat = monitor;
      socket.on('pong', (payload) => {
        monitor.answer(payload.toString(), 'frame');
      });
    });
  },
  { name: 'wsbench-heartbeat', fastify: '5.x', dependencies: ['wsbench-metrics'] },
);
