// Who is there: tokens at the handshake, and the verdict on tokens that come later.
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { createVerifier, type JSONWebKeySet, KeySet } from '../../lib/token.ts';
import type { Bus } from '../bus/bus.ts';
import { BusUnavailable } from '../bus/unavailable.ts';
import { credentialsOf, isAllowedOrigin } from '../credentials.ts';
import { type Identity, identityOf, type Role } from '../identity.ts';
import type { Entered } from '../limits/shared.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Authenticated } from '../server-context.ts';
import { watchedKeys } from '../watched-keys.ts';
import { refuse } from './refuse.ts';

declare module 'fastify' {
  interface FastifyInstance {
    authenticate: (token: string) => Promise<Authenticated>;
    /** Whether what was good a moment ago was revoked, or its key withdrawn, before anybody could see the connection. */
    wasRevoked: (identity: Identity) => Promise<boolean>;
  }
  interface FastifyRequest {
    /** Set on WebSocket routes once the handshake is accepted; null: anonymous. */
    identity: Identity | null;
  }
  interface FastifyContextConfig {
    /** The role that a WebSocket route asks for at the handshake. */
    role?: Role;
  }
}

export interface AuthOptions {
  options: ResolvedOptions;
  /** The public keys that tokens are verified with, if any. */
  jwks: JSONWebKeySet | URL | undefined;
  bus: Bus;
}

export default fp<AuthOptions>(
  async (app, { options, jwks, bus }) => {
    const { secret, issuer, audience, allowedOrigins, clock } = options;
    const keys = jwks instanceof URL ? watchedKeys(app, jwks, options) : jwks;
    const verify = createVerifier({
      ...(secret === undefined ? {} : { secret }),
      ...(keys === undefined ? {} : { jwks: keys }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
      maxLifetimeS: options.maxTokenLifetimeS,
      epochMs: () => clock.epochMs(),
    });

    async function authenticate(token: string): Promise<Authenticated> {
      const verified = await verify(token);
      if (!verified.ok) {
        const { why, message, retryAfterMs = 0 } = verified;
        if (why === 'keys unavailable')
          return { ok: false, reason: 'AUTH_UNAVAILABLE', message, retryAfterMs };
        // Supabase's new API keys are handed about like tokens, but are none.
        if (token.startsWith('sb_'))
          return invalid('this is an API key, not a token: sign a user in and send their access token');
        return why === 'expired' ? { ok: false, reason: 'TOKEN_EXPIRED', message } : invalid(message);
      }
      // It passes every rule of a Supabase project, and belongs on servers.
      if (verified.claims.role === 'service_role')
        return invalid('the role service_role is not accepted here');
      const identity = identityOf(verified.claims, verified.keyId);
      try {
        if (!(await wasRevoked(identity))) return { ok: true, identity };
      } catch (error) {
        if (!(error instanceof BusUnavailable)) throw error;
        const message = 'nobody can say now whether the token was revoked';
        return { ok: false, reason: 'AUTH_UNAVAILABLE', message, retryAfterMs: 1000 };
      }
      return { ok: false, reason: 'TOKEN_REVOKED', message: 'token has been revoked' };
    }

    async function wasRevoked({ keyId, sub, issuedAtMs }: Identity): Promise<boolean> {
      if (keyId !== undefined && keys instanceof KeySet && !keys.publishes(keyId)) return true;
      const revokedAtMs = await bus.revokedAtMs(sub);
      return revokedAtMs !== undefined && issuedAtMs <= revokedAtMs;
    }

    app.decorate('authenticate', authenticate);
    app.decorate('wasRevoked', wasRevoked);
    app.decorateRequest('identity', null);
    app.addHook('onRequest', async (request, reply) => {
      const { webSocket } = request.routeOptions.config;
      if (webSocket === undefined) return undefined;
      const refused = await admit(request, reply);
      return refused;
    });

    /** Finds out who asks. Undefined: come in. */
    async function admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
      const { raw } = request;
      const { role } = request.routeOptions.config;
      // Pages of other sites are sent away whatever they bring; what is no browser sends no Origin.
      const { origin } = raw.headersDistinct;
      if (allowedOrigins && origin && !isAllowedOrigin(origin, allowedOrigins)) {
        app.metrics.add('wsbench_origins_rejected_total');
        options.log({ level: 'warn', message: `ORIGIN_REJECTED: ${printable(origin.join(', '))}` });
        return refuse(reply, 403, 'FORBIDDEN', 'this Origin is not allowed');
      }
      const found = credentialsOf(raw, options);
      const [credential] = found;
      if (found.length > 1) {
        return unauthorized(reply, 'more than one credential', ', error="invalid_request"');
      }
      if (!credential) {
        return role === undefined
          ? undefined
          : unauthorized(reply, 'a token is needed: Authorization: Bearer <token>');
      }
      const verdict =
        'token' in credential ? await authenticate(credential.token) : invalid(credential.malformed);
      if (!verdict.ok) return refuseToken(reply, verdict);
      if (role !== undefined && !verdict.identity.roles.includes(role)) {
        return refuse(reply, 403, 'FORBIDDEN', `this endpoint needs the role ${role}`);
      }
      request.identity = verdict.identity;
      return undefined;
    }

    // The last hook before the upgrade: whoever passes is counted already, so nobody can slip in between.
    app.addHook('preHandler', (request, reply, done) => {
      if (request.routeOptions.config.webSocket === undefined) return done();
      const { identity, ipKey } = request;
      const entered = app.limits.enter(request, identity ? `sub ${identity.sub}` : `ip ${ipKey}`);
      const decide = (entered: Entered): void => {
        if (entered.ok) {
          done();
          return;
        }
        reply.header('retry-after', Math.ceil(entered.retryMs / 1000));
        if (entered.why === 'rate')
          refuse(reply, 429, 'RATE_LIMITED', 'too many connections in a short time');
        else refuse(reply, 429, 'LIMIT_EXCEEDED', 'too many connections of one user');
      };
      if (entered instanceof Promise) entered.then(decide).catch(done);
      else decide(entered);
    });
  },
  {
    name: 'wsbench-auth',
    fastify: '5.x',
    dependencies: ['wsbench-guard', 'wsbench-connections', 'wsbench-limits'],
  },
);

/** A header's text as one short line: it goes to the log, and whoever sent it may want to write there. */
function printable(text: string): string {
  return text.slice(0, 128).replace(/[^ -~]/g, '?');
}

type Refused = Authenticated & { ok: false };

function invalid(message: string): Refused {
  return { ok: false, reason: 'TOKEN_INVALID', message };
}

/** RFC 6750 §3: 401 with a challenge; without `error` when there was no credential at all. */
function unauthorized(reply: FastifyReply, message: string, error = '', reason?: string): FastifyReply {
  reply.header('www-authenticate', `Bearer realm="wsbench"${error}`);
  return refuse(reply, 401, 'UNAUTHENTICATED', message, 'close', reason === undefined ? {} : { reason });
}

function refuseToken(reply: FastifyReply, { reason, message, retryAfterMs = 0 }: Refused): FastifyReply {
  if (reason === 'AUTH_UNAVAILABLE') {
    reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)));
    return refuse(reply, 503, reason, message);
  }
  const error = `, error="invalid_token", error_description="${message}"`;
  return unauthorized(reply, message, error, reason);
}
