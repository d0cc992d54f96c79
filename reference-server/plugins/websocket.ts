// Every WebSocket route, registered exactly once.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { WebSocket } from 'ws';
import { closes } from '../close-codes.ts';
import { Connection } from '../connection.ts';
import { Dispatcher } from '../dispatch.ts';
import type { Role } from '../identity.ts';
import { protocolVersion } from '../messages.ts';
import { echoAll, pushAll, sinkAll } from '../raw-endpoints.ts';
import type { ServerContext } from '../server-context.ts';
import { dropRequest, dropResponse, socketErrorHandler } from '../upgrade-remains.ts';
import { refuse } from './refuse.ts';

export const echoPath = '/ws/echo';

const maxPushPerSecond = 100_000;

/**
 * Registers the routes. A second call on one server fails with FST_ERR_DUPLICATED_ROUTE, as any route declared twice does.
 */
export function setupWebSocketPlugin(app: FastifyInstance, context: ServerContext): void {
  const { options, metrics, guards } = context;
  const onError = socketErrorHandler(options.log);
  const onSent = (type: string): void => metrics.add('wsbench_messages_sent_total', { type });

  /** Opens a connection; listeners must be attached before the handler returns, or the first messages are lost. */
  function open(socket: WebSocket, request: FastifyRequest, route: string, typed: boolean): Connection {
    dropRequest(socket, onError);
    const { identity } = request;
    const connection = new Connection(
      socket,
      { route, ip: request.ipKey, identity },
      options.clock,
      guards,
      onSent,
    );
    app.limits.admit(connection, request);
    app.connections.add(connection);
    // The raw echo takes messages that may be long on their way.
    app.capacity.watch(request.raw.socket, connection, route === echoPath);
    if (identity) context.speakFor(connection, identity);
    app.watch(connection, typed);
    return connection;
  }

  function typed(path: string, role?: Role): void {
    const config = { webSocket: path, limitMessages: true, ...(role === undefined ? {} : { role }) };
    const route = { websocket: true, config, preHandler: dropResponse } as const;
    app.get(path, route, (socket: WebSocket, request: FastifyRequest) => {
      const connection = open(socket, request, path, true);
      const dispatcher = new Dispatcher(connection, context);
      connection.work = dispatcher;
      socket.on('message', (data, isBinary) => dispatcher.receive(data as Buffer, isBinary));
      welcome(connection);
      if (!connection.identity && options.environment === 'production') {
        connection.after(guards.authTimeoutMs, () => {
          if (!connection.identity) connection.close(closes.authTimeout);
        });
      }
    });
  }

  function welcome(connection: Connection): void {
    const { messages, name } = options.limits;
    connection.send('WELCOME', {
      protocol: protocolVersion,
      connectionId: connection.id,
      auth: options.auth,
      sub: connection.identity?.sub ?? null,
      roles: [...(connection.identity?.roles ?? [])],
      heartbeat: options.heartbeat,
      limits: {
        name,
        messagesPerMinute: messages?.messagesPerMinute ?? null,
        burstLimit: messages?.burstLimit ?? null,
        violationPenaltyMs: messages?.violationPenaltyMs ?? null,
      },
      maxMessageBytes: guards.maxMessageBytes,
      serverTime: options.clock.epochMs(),
    });
  }

  function raw(path: string, serve: (connection: Connection, request: FastifyRequest) => void): void {
    const route = { websocket: true, config: { webSocket: path }, preHandler: dropResponse } as const;
    app.get(path, route, (socket: WebSocket, request: FastifyRequest) => {
      serve(open(socket, request, path, false), request);
    });
  }

  typed('/ws');
  typed('/ws/dashboard', 'dashboard');
  typed('/ws/agent', 'agent');
  raw(echoPath, (connection) => echoAll(connection));
  // Load without a limit is not for production.
  if (options.limits.name !== 'production') {
    raw('/ws/sink', ({ socket }) => sinkAll(socket));
    raw('/ws/push', (connection, request) => {
      const ratePerSecond = rateOf(request) ?? 1;
      connection.cleanups.add(pushAll(connection.socket, ratePerSecond, options.clock));
    });
    app.addHook('preHandler', (request, reply, done) => {
      if (request.routeOptions.config.webSocket !== '/ws/push' || rateOf(request) !== undefined)
        return done();
      refuse(reply, 400, 'BAD_REQUEST', `rate is messages a second, above 0 and at most ${maxPushPerSecond}`);
    });
  }
}

/** The `rate` of a push: 10 by default, undefined when it makes no sense. */
function rateOf(request: FastifyRequest): number | undefined {
  const { rate = '10' } = request.query as { rate?: unknown };
  const value = typeof rate === 'string' && /^\d+(\.\d+)?$/.test(rate) ? Number(rate) : Number.NaN;
  return value > 0 && value <= maxPushPerSecond ? value : undefined;
}

export default fp<{ context: ServerContext }>(
  async (app, { context }) => setupWebSocketPlugin(app, context),
  {
    name: 'wsbench-websocket',
    fastify: '5.x',
    dependencies: [
      '@fastify/websocket',
      'wsbench-auth',
      'wsbench-capacity',
      'wsbench-connections',
      'wsbench-heartbeat',
      'wsbench-limits',
    ],
  },
);
