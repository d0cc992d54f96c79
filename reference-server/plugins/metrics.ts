// The server's own figures at /metrics.
import fp from 'fastify-plugin';
import { Metrics } from '../metrics.ts';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics;
  }
}

export default fp(
  async (app) => {
    const metrics = new Metrics();
    metrics.counter('wsbench_connections_total', 'WebSocket connections opened, by route.');
    metrics.counter('wsbench_closes_total', 'WebSocket connections closed, by close code.');
    metrics.counter('wsbench_messages_received_total', 'Messages received on typed routes, by type.');
    metrics.counter('wsbench_messages_sent_total', 'Messages sent on typed routes, by type.');
    metrics.counter('wsbench_messages_refused_total', 'Messages refused by the rate limit.');
    metrics.counter('wsbench_upgrades_refused_total', 'Upgrades refused, by HTTP status.');
    metrics.counter('wsbench_origins_rejected_total', 'Upgrades refused because of their Origin.');
    metrics.counter(
      'wsbench_heartbeat_timeouts_total',
      'Connections closed because a PING was not answered.',
    );
    metrics.counter('wsbench_unexpected_pongs_total', 'PONGs, messages and frames, that answer no PING.');
    for (const name of [
      'wsbench_messages_refused_total',
      'wsbench_heartbeat_timeouts_total',
      'wsbench_unexpected_pongs_total',
      'wsbench_origins_rejected_total',
    ]) {
      metrics.add(name, {}, 0);
    }
    metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
    app.decorate('metrics', metrics);
    app.addHook('onResponse', async (request, reply) => {
      if (request.ws) metrics.add('wsbench_upgrades_refused_total', { status: String(reply.statusCode) });
    });
    app.get('/metrics', async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.text()),
    );
  },
  { name: 'wsbench-metrics', fastify: '5.x', dependencies: ['@fastify/websocket'] },
);
