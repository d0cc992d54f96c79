// What every upgrade must satisfy before anybody looks at its token. Cheap checks first.
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { refuse } from './refuse.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The name of a WebSocket route; unset on HTTP routes. */
    webSocket?: string;
  }
}

export default fp(
  async (app) => {
    app.addHook('onRequest', (request, reply, done) => {
      if (check(request, reply)) return;
      if (request.routeOptions.config.webSocket === undefined) return done();
      const waitMs = app.limits.upgrade(request.ipKey);
      const decide = (waitMs: number): void => {
        if (waitMs > 0) limit(reply, waitMs);
        else done();
      };
      if (waitMs instanceof Promise) waitMs.then(decide).catch(done);
      else decide(waitMs);
    });

    function limit(reply: FastifyReply, waitMs: number): void {
      reply.header('retry-after', Math.ceil(waitMs / 1000));
      refuse(reply, 429, 'RATE_LIMITED', 'too many connections in a short time');
    }

    // Whose token was being verified when the drain began is too late as well. From here to the upgrade nothing waits.
    app.addHook('preHandler', (request, reply, done) => {
      const isUpgrade = request.routeOptions.config.webSocket !== undefined;
      if (isUpgrade && app.connections.draining) refuseToDrain(reply);
      else done();
    });

    function refuseToDrain(reply: FastifyReply): FastifyReply {
      reply.header('retry-after', Math.max(1, Math.ceil(app.connections.retryAfterMs / 1000)));
      return refuse(reply, 503, 'DRAINING', 'this server is shutting down');
    }

    function check(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
      const { guards } = app;
      // Node would pass over those beyond a count of its own, and who knows which the application needs.
      if (request.raw.rawHeaders.length > 2 * guards.maxHeaders) {
        return refuse(reply, 431, 'BAD_REQUEST', 'there are too many headers');
      }
      const isRoute = request.routeOptions.config.webSocket !== undefined;
      // What has no route is answered by the not-found handler, with 404 or 405.
      if (!isRoute) {
        return request.ws && !request.is404
          ? refuse(reply, 404, 'NOT_FOUND', 'no WebSocket endpoint here')
          : undefined;
      }
      const { raw } = request;
      // RFC 6455 §4.2.1: a GET request of HTTP/1.1 or higher.
      if (guards.onlyHttp11 && raw.httpVersion !== '1.1') {
        return refuse(reply, 505, 'HTTP_VERSION', 'WebSocket needs HTTP/1.1');
      }
      if (guards.oneHost && hostsOf(raw.rawHeaders) !== 1) {
        return refuse(reply, 400, 'BAD_REQUEST', 'exactly one Host header is needed');
      }
      if (!request.ws || raw.headers.upgrade?.toLowerCase() !== 'websocket') {
        reply.header('upgrade', 'websocket');
        return refuse(reply, 426, 'UPGRADE_REQUIRED', 'this is a WebSocket endpoint', 'Upgrade, close');
      }
      // §4.4: name the version that is understood. `ws` would take version 8, too.
      if (guards.onlyVersion13 && raw.headers['sec-websocket-version'] !== '13') {
        reply.header('upgrade', 'websocket').header('sec-websocket-version', '13');
        return refuse(
          reply,
          426,
          'UPGRADE_REQUIRED',
          'only version 13 of WebSocket is spoken',
          'Upgrade, close',
        );
      }
      if (!/^[+/0-9A-Za-z]{22}==$/.test(raw.headers['sec-websocket-key'] ?? '')) {
        return refuse(reply, 400, 'BAD_REQUEST', 'Sec-WebSocket-Key must be 16 bytes in base64');
      }
      const hasBody =
        raw.headers['content-length'] !== undefined || raw.headers['transfer-encoding'] !== undefined;
      if (guards.noUpgradeBody && hasBody) {
        return refuse(reply, 400, 'BAD_REQUEST', 'an upgrade has no body');
      }
      if (app.connections.draining) {
        return refuseToDrain(reply);
      }
      const full = app.capacity.admit(raw.socket, request.ipKey);
      if (full) {
        reply.header('retry-after', full.retryAfterS);
        return refuse(reply, full.status, full.error, full.message);
      }
      return undefined;
    }
  },
  {
    name: 'wsbench-guard',
    fastify: '5.x',
    dependencies: ['@fastify/websocket', 'wsbench-capacity', 'wsbench-limits', 'wsbench-connections'],
  },
);

function hostsOf(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
}
