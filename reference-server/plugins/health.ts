// What operators and load balancers ask: alive, ready, status; and the keys that verify our tokens.
import fp from 'fastify-plugin';
import type { JSONWebKeySet } from '../../lib/token.ts';
import type { Bus } from '../bus/bus.ts';
import { protocolVersion } from '../messages.ts';
import type { ResolvedOptions } from '../options.ts';
import { refuse } from './refuse.ts';

export interface HealthOptions {
  options: ResolvedOptions;
  bus: Bus;
  /** Published only when the server made its key itself. */
  ephemeralKeys: JSONWebKeySet | undefined;
}

export default fp<HealthOptions>(
  async (app, { options, bus, ephemeralKeys }) => {
    const startedMs = options.clock.nowMs();
    app.get('/healthz', async () => ({ status: 'ok' }));
    app.get('/readyz', async (_request, reply) => {
      if (app.connections.draining) return refuse(reply, 503, 'DRAINING', 'this server is shutting down');
      if (bus.state === 'alone') return { status: 'ready' };
      if (bus.state === 'up') return { status: 'ready', redis: 'up' };
      if (!options.redis?.required) return { status: 'degraded', redis: 'down' };
      return refuse(reply, 503, 'REDIS_DOWN', 'Redis is not reachable', 'close', { redis: 'down' });
    });
    app.get('/api/status', async (request, reply) => {
      const waitMs = await app.limits.status(request.ipKey);
      if (waitMs > 0) {
        reply.header('retry-after', Math.ceil(waitMs / 1000));
        return refuse(reply, 429, 'RATE_LIMITED', 'too many requests');
      }
      return {
        status: app.connections.draining ? 'draining' : 'ok',
        protocol: protocolVersion,
        auth: options.auth,
        limits: options.limits.name,
        connections: app.connections.open.size,
        uptimeMs: Math.round(options.clock.nowMs() - startedMs),
      };
    });
    if (ephemeralKeys) {
      app.get('/auth/v1/.well-known/jwks.json', async (_request, reply) =>
        reply.header('cache-control', 'public, max-age=600').send(ephemeralKeys),
      );
    }
  },
  { name: 'wsbench-health', fastify: '5.x', dependencies: ['wsbench-connections', 'wsbench-limits'] },
);
