// Puts the server together: a sum of plugins on one fastify app. Listening is apart.
import type { AddressInfo } from 'node:net';
import fastifyWebsocket from '@fastify/websocket';
import fastify, { type FastifyInstance } from 'fastify';
import { messageOf, WsbenchError } from '../lib/errors.ts';
import { generateSigningKey, mintToken, type SigningKey, type TokenOptions } from '../lib/token.ts';
import { Alarms } from './alarms.ts';
import { openBus } from './bus/open.ts';
import { closes } from './close-codes.ts';
import { boundFirstRequest } from './first-request.ts';
import { type Guards, guards } from './guards.ts';
import type { LimitsName } from './limits/presets.ts';
import { type AuthMode, resolveOptions, type ServerOptions, tokenPlacesOf, warningsOf } from './options.ts';
import auth from './plugins/auth.ts';
import capacity from './plugins/capacity.ts';
import connections, { type EndReason } from './plugins/connections.ts';
import guard from './plugins/guard.ts';
import health from './plugins/health.ts';
import heartbeat from './plugins/heartbeat.ts';
import limits from './plugins/limits.ts';
import metrics from './plugins/metrics.ts';
import { endWith, refusalBytes, refusalOf, refuse } from './plugins/refuse.ts';
import websocket, { echoPath } from './plugins/websocket.ts';
import { Refusal } from './refusal.ts';
import { sampledLog } from './sampled-log.ts';
import type { ServerContext } from './server-context.ts';
import { TokenLifetime } from './token-lifetime.ts';
import { Turns } from './turns.ts';
import { socketErrorHandler } from './upgrade-remains.ts';
import { splitUpgrades, webSocketOptions } from './websocket-servers.ts';

/** A server that is built but not yet listening. */
export interface ReferenceServer {
  /** `ws://host:port`, without a path. Throws until the server listens. */
  readonly url: string;
  /** `http://host:port`. Throws until the server listens. */
  readonly httpUrl: string;
  readonly auth: AuthMode;
  readonly limits: LimitsName;
  /** Where tokens are taken from: `header`, `subprotocol` and `message`, and `query` and `cookie` where they are switched on. */
  readonly tokenIn: readonly string[];
  /** How long `close()` may take. */
  readonly drainTimeoutMs: number;
  /** What a person should know before trusting this server. */
  readonly warnings: readonly string[];
  readonly app: FastifyInstance;
  /**
   * Starts listening and resolves to `url`.
   *
   * @throws WsbenchError `SERVER_START` when the port is taken or forbidden
   */
  listen(): Promise<string>;
  /**
   * Mints a token that this server accepts.
   *
   * @throws WsbenchError `USAGE` when it verifies with published keys only, and so has nothing to sign with
   */
  mint(options?: TokenOptions): Promise<string>;
  /** Refuses every token of this subject issued until now, and closes its connections with 4401. */
  revoke(sub: string): Promise<void>;
  /**
   * Sends every client away (DRAIN, then 1001 once what is under way is answered), waits for them at most `drainTimeoutMs`, and
   * stops. May be called again.
   *
   * @param why `failure`: after an error that nobody caught. Nothing under way is waited for, the code is 1012, and it takes 2 s at most
   */
  close(why?: EndReason): Promise<void>;
}

/** What to do about an address that cannot be listened on, by the code of the error. */
const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop what listens there, or choose another port (--port, PORT; 0: a free one)',
  EACCES: 'ports below 1024 need a right to them: choose another (--port, PORT)',
  EADDRNOTAVAIL: 'the host must be an address of this machine (--host, HOST), or 0.0.0.0 for all',
  ENOTFOUND: 'the host must be an address of this machine (--host, HOST), or 0.0.0.0 for all',
};

/** How late a PING, the end of a token and the like may be. */
const alarmGraceMs = 20;

/**
 * Builds a reference server. It reads nothing from the environment, prints nothing and listens to no signals.
 *
 * @throws WsbenchError `CONFIG` when production would run without real authentication, or Redis is described wrongly;
 * `SERVER_START` when Redis is required and not there
 *
 * @example
 * const server = await createServer();
 * const url = await server.listen();
 * const token = await server.mint({ sub: 'alice' });
 * await server.close();
 */
export async function createServer(serverOptions: ServerOptions = {}): Promise<ReferenceServer> {
  return createGuarded(serverOptions, guards);
}

/**
 * A server with other bounds than ours, so that a test can show what an attack does without them.
 *
 * @throws WsbenchError as {@link createServer}
 */
export async function createGuarded(serverOptions: ServerOptions, guards: Guards): Promise<ReferenceServer> {
  const resolved = resolveOptions(serverOptions);
  const options = { ...resolved, log: sampledLog(resolved.log, guards.maxLogLines, resolved.clock) };
  const { clock, secret } = options;
  const alarms = new Alarms(clock, alarmGraceMs);
  const ephemeral = options.auth === 'ephemeral' ? await generateSigningKey() : undefined;
  const signingKey: SigningKey | undefined =
    secret === undefined ? ephemeral && { jwk: ephemeral.jwk } : { secret };

  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    requestTimeout: guards.requestTimeoutMs,
    clientErrorHandler: (error, socket) => endWith(socket, refusalOf(error), guards.closeTimeoutMs),
    // A URL that cannot be decoded never reaches a route, a hook or the error handler.
    frameworkErrors(error, request, reply) {
      // Nor the hook that ends the socket of a refused upgrade.
      reply.raw.once('finish', () => endWith(request.raw.socket, '', guards.closeTimeoutMs));
      // The error's own message repeats the URL, and what secrets it has.
      void refuse(reply, error.statusCode ?? 400, 'BAD_REQUEST', 'the URL cannot be read');
    },
    http: {
      headersTimeout: guards.headersTimeoutMs,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: guards.maxHeaderBytes,
    },
  });
  app.decorate('guards', guards);
  boundFirstRequest(app.server, guards.headersTimeoutMs, (socket) =>
    endWith(socket, refusalOf({ code: 'ERR_HTTP_REQUEST_TIMEOUT' }), guards.closeTimeoutMs),
  );
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status < 500) return refuse(reply, status, 'BAD_REQUEST', messageOf(error));
    options.log({ level: 'error', message: 'request failed', error });
    return refuse(reply, status, 'INTERNAL', 'internal error');
  });
  // Node alone would answer without a body, and keep the connection.
  app.server.on('checkExpectation', (_request, response) => {
    const refusal = refusalBytes(417, 'BAD_REQUEST', 'no such expectation is met here');
    if (response.socket) endWith(response.socket, refusal, guards.closeTimeoutMs);
  });
  // Node alone would cut the connection without a word.
  app.server.on('connect', (_request, socket) => {
    endWith(socket, refusalBytes(405, 'METHOD_NOT_ALLOWED', 'this is no proxy'), guards.closeTimeoutMs);
  });
  app.setNotFoundHandler((request, reply) => {
    const url = request.url.split('?', 1)[0] ?? '';
    if (!app.hasRoute({ method: 'GET', url })) return refuse(reply, 404, 'NOT_FOUND', 'no such endpoint');
    return refuse(reply.header('allow', 'GET'), 405, 'METHOD_NOT_ALLOWED', 'only GET is answered here');
  });

  await app.register(fastifyWebsocket, {
    options: webSocketOptions(guards),
    errorHandler: socketErrorHandler(options.log),
    // Fastify stops taking connections first; app.close() alone would close clients without a code.
    preClose: async () => app.connections.drain(),
  });
  await app.register(metrics);
  const isForLoad = options.environment !== 'production';
  splitUpgrades(app.websocketServer, echoPath, guards, isForLoad, (socket) => {
    app.metrics.add('wsbench_upgrades_refused_total', { status: '400' });
    const refusal = refusalBytes(400, 'BAD_REQUEST', 'the subprotocols or extensions offered make no sense');
    endWith(socket, refusal, guards.closeTimeoutMs);
  });
  const { bus, limits: shared } = await openBus(options, app.metrics, guards);
  app.addHook('onClose', async () => bus.close());
  app.addHook('onClose', async () => alarms.clear());
  await app.register(limits, { shared, clock, trustedProxies: options.trustedProxies });
  await app.register(connections, options);
  await app.register(capacity, { options, guards });
  await app.register(guard);
  await app.register(auth, { options, jwks: options.jwks ?? ephemeral?.jwks, bus });
  await app.register(heartbeat, { heartbeat: options.heartbeat, alarms });
  await app.register(health, { options, bus, ephemeralKeys: ephemeral?.jwks });

  const context: ServerContext = {
    options,
    guards,
    bus,
    metrics: app.metrics,
    turns: new Turns(guards.maxTurnMs, clock),
    authenticate: app.authenticate,
    async identify(connection, identity) {
      if (connection.identity?.sub !== identity.sub) {
        const entered = await app.limits.move(connection, `sub ${identity.sub}`);
        if (!entered.ok) {
          const { retryMs } = entered;
          if (entered.why === 'rate')
            throw new Refusal('RATE_LIMITED', 'too many connections in a short time', undefined, retryMs);
          throw new Refusal('LIMIT_EXCEEDED', 'too many connections of one user', closes.tooMany);
        }
      }
      context.speakFor(connection, identity);
    },
    speakFor(connection, identity) {
      if (!connection.isOpen) return;
      connection.identity = identity;
      connection.lifetime?.stop();
      connection.lifetime = new TokenLifetime(connection, identity.expiresAtMs, alarms);
      // From here on it is seen by whoever revokes; what was revoked since its token was judged is found here.
      void app
        .wasRevoked(identity)
        .then((is) => is && connection.identity === identity && connection.close(closes.tokenRevoked))
        .catch((error) => options.log({ level: 'error', message: 'revocations cannot be read', error }));
    },
  };
  await app.register(websocket, { context });
  await bus.watchRevocations((sub) => {
    for (const connection of app.connections.open) {
      if (connection.identity?.sub === sub) connection.close(closes.tokenRevoked);
    }
  });
  await app.ready();

  let closing: Promise<void> | undefined;
  const origin = (scheme: string): string => {
    const address = app.server.address() as AddressInfo | null;
    if (!address) throw new WsbenchError('USAGE', 'the server is not listening: await listen() first');
    const host = address.address.replace(/^0\.0\.0\.0$/, '127.0.0.1').replace(/^::$/, '::1');
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  };
  return {
    get url() {
      return origin('ws');
    },
    get httpUrl() {
      return origin('http');
    },
    auth: options.auth,
    limits: options.limits.name,
    tokenIn: tokenPlacesOf(options),
    drainTimeoutMs: options.drainTimeoutMs,
    warnings: warningsOf(options),
    app,
    async listen() {
      try {
        await app.listen({ host: options.host, port: options.port });
      } catch (cause) {
        const where = `${options.host}:${options.port}`;
        const advice = listenAdvice[(cause as NodeJS.ErrnoException).code ?? ''];
        const words = `cannot listen on ${where}: ${messageOf(cause)}${advice === undefined ? '' : `; ${advice}`}`;
        throw new WsbenchError('SERVER_START', words, { cause });
      }
      return origin('ws');
    },
    async mint(tokenOptions = {}) {
      if (!signingKey) {
        throw new WsbenchError(
          'USAGE',
          'this server verifies with published keys only: it cannot mint tokens',
        );
      }
      const { issuer, audience } = options;
      const defaults = {
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      };
      return mintToken(signingKey, { ...defaults, ...tokenOptions });
    },
    revoke: (sub) => bus.revoke(sub),
    close(why) {
      closing ??= app.connections.drain(why).then(() => app.close());
      return closing;
    },
  };
}
